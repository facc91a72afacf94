"""A draw depends on its seed and purpose only."""

import torch

from inverse.randomness import MEASUREMENT, SOLVER, generator, normal


def draw(*key):
    return torch.randn(1000, generator=generator(*key))


def test_same_key_same_numbers_other_key_others():
    keys = [(0, MEASUREMENT), (0, SOLVER, 0), (0, SOLVER, 1), (1, SOLVER, 0), (2**32 - 1, SOLVER, 0)]
    draws = [draw(*key) for key in keys]
    for i, a in enumerate(draws):
        assert torch.equal(a, draw(*keys[i]))
        for b in draws[:i]:
            assert torch.corrcoef(torch.stack([a, b]))[0, 1].abs() < 0.15


def test_a_sample_is_the_same_alone_and_in_company():
    like = torch.empty(0, dtype=torch.float64)
    together = normal([generator(0, SOLVER, i) for i in range(3)], (2, 4), like)
    alone = normal([generator(0, SOLVER, 2)], (2, 4), like)
    assert together.dtype == torch.float64 and torch.equal(together[2:], alone)
