"""Transforms, against their definitions."""

from __future__ import annotations

import pytest
import torch
from operations import generator

from inverse.operators.transforms import block_dct, block_idct, dct, dct_matrix, hartley, idct


@pytest.mark.parametrize("shape", [(7, 9), (1, 1), (16, 12), (2, 3)])
def test_transforms(shape):
    x = torch.randn(3, *shape, generator=generator(), dtype=torch.float64)
    for forward, backward in ((hartley, hartley), (dct, idct)):
        assert forward(x).square().sum() == pytest.approx(float(x.square().sum()))
        torch.testing.assert_close(backward(forward(x)), x, rtol=0, atol=1e-12)
    rows, columns = (dct_matrix(n, x.dtype, x.device) for n in shape)
    torch.testing.assert_close(dct(x), rows @ x @ columns.mT, rtol=0, atol=1e-12)


def test_block_transform_is_the_transform_of_each_block():
    x = torch.randn(2, 6, 9, generator=generator(), dtype=torch.float64)
    coefficients = block_dct(x, 3)
    torch.testing.assert_close(coefficients[:, 3:6, 6:9], dct(x[:, 3:6, 6:9]), rtol=0, atol=1e-12)
    torch.testing.assert_close(block_idct(coefficients, 3), x, rtol=0, atol=1e-12)
