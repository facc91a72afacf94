"""Strokes of colour: what they paint is there, spreads to what is as bright, and the rest stays grey."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from operations import ODD, generator
from PIL import Image

from inverse.errors import ParameterError, ProblemError
from inverse.operators import TASKS
from inverse.operators.chain import Chain, link
from inverse.operators.colorization import LUMA
from inverse.operators.spreading import DIRECT, spread_colours
from inverse.restoration import degrade, restore
from inverse.settings import Settings

ORANGE = (140, 80, 50)
SIDE = 48


def brightness(x):
    return sum(weight * x[..., channel, :, :] for channel, weight in enumerate(LUMA))


def halves(side=SIDE):
    """Dark on the left, bright on the right: a grey photo."""
    levels = np.full((side, side), 90, np.uint8)
    levels[:, side // 2 :] = 170
    return Image.fromarray(levels).convert("RGB")


def on_the_left(colour=ORANGE, side=SIDE):
    picture = Image.new("RGBA", (side, side))
    picture.paste(colour, (side // 8, side // 4, side // 4, side // 4 + 3))
    return picture


def told(photo, strokes, sigma_y=0.0, **parameters):
    run = Settings.create(mode="degraded", task="colorize-strokes", task_parameters=parameters, sigma_y=sigma_y)
    return run.problem(photo, strokes)


def tint(x):
    """How far from grey, (H, W)."""
    return (x - brightness(x)[..., None, :, :]).abs().amax((0, 1))


def test_a_strokes_colour_is_in_the_measurement_with_the_brightness_of_the_photo():
    problem = told(halves(), on_the_left())
    x = problem.operator.pinv(problem.y.double())
    photo = torch.full((SIDE, SIDE), 2 * 90 / 255 - 1, dtype=torch.float64)
    torch.testing.assert_close(brightness(x)[0, :, : SIDE // 2], photo[:, : SIDE // 2], rtol=0, atol=1e-6)
    stroke = x[0, :, SIDE // 4 + 1, SIDE // 8 + 1]
    wanted = 2 * torch.tensor(ORANGE, dtype=torch.float64) / 255 - 1
    wanted = wanted - sum(weight * value for weight, value in zip(LUMA, wanted, strict=True))
    found = stroke - brightness(stroke.view(3, 1, 1)).view(())
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-5)


def test_colour_stops_at_an_edge_and_what_no_stroke_reaches_is_grey():
    problem = told(halves(), on_the_left())
    colour = tint(problem.operator.pinv(problem.y))
    assert colour[:, : SIDE // 2 - 1].min() > 0.05 and colour[:, SIDE // 2 + 1 :].max() < 0.01
    everywhere = told(halves(), on_the_left(), reach=1.0)
    assert tint(everywhere.operator.pinv(everywhere.y)).min() > 0.15
    alone = told(halves(), on_the_left(), reach=0.0)
    painted = np.asarray(on_the_left())[..., 3] > 0
    assert np.array_equal(tint(alone.operator.pinv(alone.y)).numpy() > 0.01, painted)


def test_a_stroke_reaches_less_far_the_less_it_may_reach():
    flat = Image.new("RGB", (SIDE, SIDE), (128, 128, 128))
    reached = [
        told(flat, on_the_left(), reach=reach, invent=True).operator.known.mean() for reach in (0.0, 0.2, 0.4, 0.6)
    ]
    assert all(less < 0.7 * more for less, more in itertools.pairwise(reached))


def test_invented_colours_are_those_that_no_stroke_reaches():
    operator = told(halves(), on_the_left(), invent=True, reach=0.7).operator
    known = operator.known[0, 0] > 0
    assert known[SIDE // 4, : SIDE // 2 - 2].all() and not known[:, SIDE // 2 + 1 :].any()
    x = torch.randn(1, 3, SIDE, SIDE, generator=generator())
    x[..., ~known] = brightness(x)[:, None][..., ~known]
    torch.testing.assert_close(operator.preview(operator(x)), x, rtol=0, atol=1e-5)


def test_grey_strokes_keep_their_place_grey():
    flat, strokes = Image.new("RGB", (SIDE, SIDE), (128, 128, 128)), on_the_left()
    strokes.paste((128, 128, 128), (SIDE // 2, 0, SIDE // 2 + 4, SIDE))
    problem = told(flat, strokes, reach=0.9)
    colour = tint(problem.operator.pinv(problem.y))
    assert colour[:, SIDE // 2 : SIDE // 2 + 4].max() < 1e-5 and colour[:, : SIDE // 4].min() > 0.05


def test_a_clean_photo_tells_the_colours_of_its_strokes():
    truth = Image.new("RGB", (SIDE, SIDE), ORANGE)
    for auxiliary in (on_the_left((0, 0, 255)), None):
        problem = degrade(truth, "colorize-strokes", auxiliary=auxiliary, task_parameters={"reach": 1.0}, sigma_y=0)
        torch.testing.assert_close(problem.operator.pinv(problem.y), problem.truth, rtol=0, atol=1e-3)
    first, again, other = (
        degrade(truth, "colorize-strokes", task_parameters={"reach": 0.0}, seed=seed).operator.marks
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, again) and not torch.equal(first, other) and 0 < first.mean() < 0.3


def test_noise_is_that_of_the_photo_and_not_of_the_strokes():
    noisy = np.asarray(halves(128)).astype(float) + np.random.default_rng(0).normal(0, 8, (128, 128, 1))
    photo = Image.fromarray(noisy.clip(0, 255).astype(np.uint8))
    problem = told(photo, on_the_left(side=128), sigma_y=None)
    assert problem.sigma_y == pytest.approx(8 / 127.5, rel=0.2)
    colour = tint(problem.operator.pinv(problem.y))
    assert colour[:, 10:50].median() > 0.2 and colour[:, 70:].median() < 0.01


def test_the_result_has_the_colours_and_keeps_the_greys():
    result = restore(
        halves(), "colorize-strokes", solver="ddnm", solver_parameters={"steps": 10}, degraded=True,
        auxiliary=on_the_left(), sigma_y=0.01,
    )  # fmt: skip
    found = np.asarray(result.image).astype(int)
    spread = found.max(-1) - found.min(-1)
    assert np.median(spread[:, : SIDE // 2 - 2]) > 30 and np.quantile(spread[:, SIDE // 2 + 2 :], 0.9) < 12


def test_colours_stay_within_what_a_pixel_can_show():
    problem = told(Image.new("RGB", (SIDE, SIDE), (250, 250, 250)), on_the_left((255, 0, 0)))
    x = problem.operator.pinv(problem.y)
    assert x.min() >= -1 - 1e-5 and x.max() <= 1 + 1e-5


def test_large_pictures_are_refined_from_smaller_ones_to_the_same():
    side = 160
    light = torch.full((side, side), -0.3, dtype=torch.float64)
    light[:, side // 2 :] = 0.3
    light += 0.02 * torch.randn(side, side, generator=generator(), dtype=torch.float64)
    marks, colours = torch.zeros(side, side), torch.zeros(3, side, side, dtype=torch.float64)
    marks[20:90, 20:26] = marks[60:66, 100:140] = 1
    colours[0, :, : side // 2] = 0.4
    colours[1, :, side // 2 :] = 0.4
    assert side**2 < DIRECT
    exact, influence = spread_colours(light, marks, colours, 0.8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("inverse.operators.spreading.DIRECT", 90**2)
        near, about = spread_colours(light, marks, colours, 0.8)
    assert (influence >= 0).all() and (influence <= 1).all() and exact.abs().max() <= 0.4 + 1e-9
    assert (exact - near).abs().mean() < 0.02 and (influence - about).abs().mean() < 0.05


def test_what_is_missing_or_wrong_ends_in_a_sentence():
    kind = TASKS["colorize-strokes"]
    with pytest.raises(ProblemError, match="needs strokes of colour"):
        told(halves(), None)
    with pytest.raises(ProblemError, match="another shape"):
        told(halves(), on_the_left().resize((90, 20)))
    with pytest.raises(ProblemError, match="3 channels"):
        kind().operator((1, 8, 8), generator(), None)
    with pytest.raises(ProblemError, match="4x17x13"):
        kind().operator(ODD, generator(), torch.zeros(4, 17, 14))
    with pytest.raises(ProblemError, match="no stroke"):
        kind().operator(ODD, generator(), torch.zeros(4, 17, 13))
    with pytest.raises(ParameterError, match="no other damage"):
        Chain((link("colorize-strokes"), link("jpeg")))
    with pytest.raises(ParameterError, match="whole photo at once"):
        Settings.create(mode="degraded", task="colorize-strokes", full_size=True)
