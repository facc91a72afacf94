"""Numbers as colours."""

import numpy as np
import pytest
import torch

from inverse.imaging import heat


@pytest.mark.parametrize("colours", [heat.AMOUNT, heat.DEVIATION])
def test_the_ends_of_the_scale_are_its_first_and_last_colour_and_what_has_no_number_is_grey(colours):
    values = torch.tensor([[-9.0, -2.0, 2.0, 9.0, torch.nan]])
    first, low, high, last, unknown = np.asarray(heat.picture(values, -2, 2, colours))[0].tolist()
    assert first == low == list(colours[0]) and high == last == list(colours[-1]) and unknown == list(heat.UNKNOWN)


def test_more_heat_is_brighter():
    pixels = np.asarray(heat.picture(torch.linspace(0, 1, 64)[None], 0, 1, heat.AMOUNT).convert("L"))[0].astype(int)
    assert (np.diff(pixels) >= 0).all() and pixels[-1] - pixels[0] > 200, "told apart without seeing colour"


def test_deviations_to_either_side_are_told_apart():
    red, _, blue = np.asarray(heat.picture(torch.tensor([[-1.0, 0.0, 1.0]]), -1, 1, heat.DEVIATION)).transpose(2, 0, 1)
    assert blue[0, 0] > red[0, 0] and red[0, 2] > blue[0, 2] and abs(int(red[0, 1]) - int(blue[0, 1])) < 10


@pytest.mark.parametrize(
    ("value", "end"), [(1.0, 1), (1.1, 2), (2.2, 5), (7, 10), (0.03, 0.05), (0, 1), (float("nan"), 1)]
)
def test_a_legend_ends_at_a_round_number_above(value, end):
    assert heat.round_up(value) == pytest.approx(end)


def test_the_style_sheet_has_every_colour():
    assert all(f"rgb{colour}" in heat.css(heat.AMOUNT) for colour in heat.AMOUNT)
