"""Our operators against those of deepinv, which were written by others. Run by `make test-peers`, in its own venv."""

import numpy as np
import pytest
import torch

from inverse.operators import TASKS
from inverse.operators.convolution import CircularBlur, blur_operator
from inverse.operators.kernels import disk_kernel, line_kernel

physics = pytest.importorskip("deepinv.physics")

SHAPE = (3, 24, 36)


def pictures(seed=0):
    return torch.rand(2, *SHAPE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2 - 1


def ours(name, **parameters):
    operator = TASKS[name](**parameters).operator(SHAPE, torch.Generator().manual_seed(0), None)
    return operator.to("cpu", torch.float64)


def assert_same(operator, peer, atol=1e-6):
    """Equal A, A^T and proximal step argmin_x gamma / 2 ||A x - y||^2 + 1/2 ||x - z||^2."""
    x, z, gamma = pictures(), pictures(1), 3.0
    y = operator(x)
    torch.testing.assert_close(peer.A(x), y, rtol=0, atol=atol)
    torch.testing.assert_close(peer.A_adjoint(y), operator.adjoint(y), rtol=0, atol=atol)
    step = operator.solve(gamma * operator.adjoint(y) + z, gamma, 1.0)
    torch.testing.assert_close(peer.prox_l2(z, y, gamma), step, rtol=0, atol=max(atol, 1e-5))


@pytest.mark.parametrize("kernel", [line_kernel(9, 30), disk_kernel(3.0)], ids=["line", "disk"])
def test_circular_blur(kernel):
    peer = physics.BlurFFT(SHAPE, filter=kernel[None, None])
    assert_same(blur_operator(kernel, SHAPE, "circular"), peer)
    assert_same(CircularBlur(kernel, SHAPE, taper=False), peer)


def test_inpainting():
    operator = ours("inpaint-random")
    mask = operator.mask.expand(1, *SHAPE)[0]
    assert_same(operator, physics.Inpainting(SHAPE, mask=mask))


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_block_mean(factor):
    kernel = torch.full((1, 1, factor, factor), 1 / factor**2, dtype=torch.float64)
    peer = physics.Downsampling(SHAPE, filter=kernel, factor=factor, padding="valid")
    operator, x = ours("super-resolution", factor=factor), pictures()
    torch.testing.assert_close(peer.A(x), operator(x), rtol=0, atol=1e-6)


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_bicubic_super_resolution(factor):
    peer = physics.DownsamplingMatlab(factor=factor, kernel="cubic", padding="reflect")
    operator, x = ours("super-resolution-bicubic", factor=factor), pictures()
    torch.testing.assert_close(peer.A(x), operator(x), rtol=0, atol=1e-5)


def test_grey():
    operator, x = ours("colorize", weights="luma"), pictures()
    y, peer = operator(x), physics.Decolorize(srf="rec601").A(x)
    np.testing.assert_allclose(peer, y, atol=2e-3)  # the peer rounds its weights


def test_mosaic():
    operator, x = ours("demosaic", pattern="BGGR"), pictures()
    peer = physics.Demosaicing(SHAPE)  # whose one pattern is this
    torch.testing.assert_close(peer.A_adjoint(peer.A(x)), operator.adjoint(operator(x)), rtol=0, atol=1e-6)


def test_phase_retrieval():
    """The peer's own composition: magnitudes of a linear operator, here the padded Fourier transform of light."""
    operator, x = ours("phase-retrieval"), pictures()
    size = operator.measurement_shape[-2:]

    def fourier(light, **_):
        return torch.fft.fft2(light, s=size, norm="ortho")

    peer = physics.PhaseRetrieval(physics.LinearPhysics(A=fourier))
    torch.testing.assert_close(peer.A(x + 1), operator(x).square(), rtol=0, atol=1e-8)
