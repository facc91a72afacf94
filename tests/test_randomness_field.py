"""Random numbers by place: parts of a whole draw the same where they overlap."""

import torch

from inverse.randomness import SOLVER, Field, normal


def drawn(top, left, height, width, turns=2, seed=3):
    field, like = Field(seed, top, left, SOLVER, 0), torch.empty(0)
    return [normal([field], (3, height, width), like) for _ in range(turns)]


def test_parts_agree_where_they_overlap_and_turns_differ():
    one, other = drawn(0, 0, 600, 700), drawn(200, 300, 500, 500)
    for a, b in zip(one, other, strict=True):
        assert torch.equal(a[..., 200:, 300:], b[..., :400, :400])
    assert not torch.equal(one[0], one[1])
    assert abs(float(one[0].std()) - 1) < 0.01 and abs(float(one[0].mean())) < 0.01
    again = drawn(0, 0, 600, 700, seed=4)
    assert not torch.equal(one[0], again[0])


def test_numbers_of_a_coarser_measurement_have_their_place_at_its_scale():
    found = []
    for left in (0, 512):
        field, like = Field(0, 0, left, SOLVER, 0), torch.empty(0)
        normal([field], (1, 64, 1024), like)
        found.append(normal([field], (1, 16, 256), like))
    assert torch.equal(found[0][..., 128:], found[1][..., :128])
