"""Classical methods: right where the answer is known, and better than nothing where it is not."""

import numpy as np
import pytest
import torch
from PIL import Image

from inverse.evaluation import baselines, classical
from inverse.evaluation.trials import CROP, auxiliary, mean_psnr, photographs
from inverse.imaging import images
from inverse.imaging.metrics import psnr
from inverse.operators import TASKS, Operator, noise
from inverse.operators.base import LinearOperator
from inverse.randomness import MEASUREMENT, generator

SIZE = 40


def operator_of(task, size=SIZE):
    return TASKS[task]().operator((3, size, size), generator(0, MEASUREMENT), auxiliary(TASKS[task], size))


@pytest.fixture(autouse=True)
def without_bm3d(monkeypatch):
    """What everybody has: BM3D is no requirement."""
    monkeypatch.setattr(baselines.importlib.util, "find_spec", lambda name: None)


def flat(*colour):
    return torch.tensor(colour).view(1, 3, 1, 1).expand(1, 3, SIZE, SIZE).clone()


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_methods_that_give_pictures(task, photo, monkeypatch):
    monkeypatch.setattr(classical, "SPLITTINGS", 5)
    monkeypatch.setattr(classical, "ROUNDS", 20)
    operator = operator_of(task)
    truth = images.to_tensor(images.fit(photo, SIZE, 8, square=True))
    y = noise.measure(truth, operator, 0.05, None, generator(0, MEASUREMENT))
    kept = y.clone()
    found = baselines.baselines(operator, 0.05)
    assert found and len({each.title for each in found}) == len(found)
    for each in found:
        x = each.restore(y)
        assert x.shape == truth.shape and x.isfinite().all() and x.abs().max() <= 1, each.title
    assert torch.equal(y, kept)


# Neither clips nor rounds; grey so that no colour has to be known.
EXACT = [task for task in TASKS if task not in ("jpeg", "bit-depth", "hdr", "phase-retrieval", "compressed-sensing")]


@pytest.mark.parametrize("task", EXACT)
@pytest.mark.parametrize("level", [-0.6, 0.25])
def test_a_flat_picture_without_noise_comes_back(task, level, monkeypatch):
    monkeypatch.setattr(classical, "SPLITTINGS", 30)
    truth = flat(level, level, level)
    operator = operator_of(task)
    for each in baselines.baselines(operator, 0.0):
        torch.testing.assert_close(each.restore(operator(truth)), truth, atol=0.03, rtol=0, msg=each.title)


def test_colours_stay_in_their_order(monkeypatch):
    monkeypatch.setattr(classical, "SPLITTINGS", 30)
    truth = flat(0.8, -0.2, -0.9)
    for task in ("inpaint-random", "inpaint-box", "super-resolution", "denoise"):
        operator = operator_of(task)
        for each in baselines.baselines(operator, 0.0):
            torch.testing.assert_close(each.restore(operator(truth)), truth, atol=0.03, rtol=0, msg=each.title)
    for pattern in ("RGGB", "BGGR", "GRBG", "GBRG"):
        operator = TASKS["demosaic"](pattern=pattern).operator((3, SIZE, SIZE), generator(0, MEASUREMENT), None)
        torch.testing.assert_close(classical.demosaiced(operator, operator(truth)), truth, atol=1e-3, rtol=0)


def test_what_is_known_is_left_alone_by_filling():
    operator, truth = operator_of("inpaint-box"), torch.rand(1, 3, SIZE, SIZE, generator=generator(0, MEASUREMENT))
    known = (operator.mask == 1).expand_as(truth)
    for fill in (classical.telea, classical.navier_stokes, classical.interpolated):
        torch.testing.assert_close(fill(operator, operator(truth))[known], truth[known])


def test_a_ramp_is_interpolated_exactly():
    ramp = torch.linspace(-0.9, 0.9, SIZE).expand(1, 3, SIZE, SIZE)
    operator = operator_of("inpaint-box")
    torch.testing.assert_close(classical.interpolated(operator, operator(ramp)), ramp.clone(), atol=1e-5, rtol=0)


def test_pixels_in_one_row_make_no_triangle():
    mask = torch.zeros(SIZE, SIZE)
    mask[5] = 1
    operator = TASKS["inpaint-mask"]().operator((3, SIZE, SIZE), generator(0, MEASUREMENT), 1 - mask)
    columns = torch.linspace(-1, 1, SIZE).expand(1, 3, SIZE, SIZE)
    torch.testing.assert_close(classical.interpolated(operator, operator(columns)), columns.clone(), atol=1e-5, rtol=0)


def test_wiener_weighs_every_frequency_as_its_formula_says():
    """On a wave the filter is a number, gain = s p / (s^2 p + sigma_y^2), the same for either kind of edges."""
    for edges, phase in (("circular", 0.0), ("reflect", 0.5)):
        operator = TASKS["deblur-gaussian"](std=1.5, edges=edges).operator((3, SIZE, SIZE), None, None)
        turns = 2 * np.pi * 4 / SIZE
        wave = torch.cos(turns * (torch.arange(SIZE, dtype=torch.float64) + phase)).expand(1, 3, SIZE, SIZE) / 2
        y = operator(wave)
        damped = float((y * wave).sum() / wave.square().sum())
        for sigma_y in (0.05, 0.2):
            factor = float((classical.wiener(operator, y, sigma_y) * wave).sum() / wave.square().sum())
            assert 0 < factor < 1
            power = factor * sigma_y**2 / (damped**2 * (1 - factor))
            ratio = classical.wiener(operator, y, sigma_y) - factor * wave
            assert ratio.abs().max() < 1e-6, "a wave stays a wave"
            assert power == pytest.approx(wiener_power(operator, 4, edges), rel=1e-4)


def wiener_power(operator, periods, edges):
    """The model's variance of the coefficient of a horizontal wave: falls with the square, with the mean of SIGNAL."""
    n = SIZE
    cycles = np.arange(n) / (2 * n) if edges == "reflect" else np.minimum(np.arange(n), n - np.arange(n)) / n
    frequency = np.hypot(cycles[:, None], cycles[None, :])
    power = 1 / np.maximum(frequency, cycles[1]) ** 2
    return classical.SIGNAL * (power / power.mean())[0, 2 * periods if edges == "reflect" else periods]


def test_total_variation_minimises_what_it_says(photo):
    operator, sigma_y = operator_of("inpaint-random"), 0.1
    truth = images.to_tensor(images.fit(photo, SIZE, 8, square=True))
    y = noise.measure(truth, operator, sigma_y, None, generator(0, MEASUREMENT))

    def objective(x):
        down, right = x.diff(dim=-2)[..., :-1], x.diff(dim=-1)[..., :-1, :]
        variation = (down.square() + right.square()).sum(1).sqrt().sum()
        return float((operator(x) - y).square().sum() / 2 + classical.SOLVING * sigma_y * variation)

    x = classical.total_variation(operator, y, sigma_y)
    random = generator(1, MEASUREMENT)
    for scale in (0.03, 0.3):
        nearby = [x + scale * torch.randn(x.shape, generator=random) for _ in range(3)]
        assert objective(x) < min(map(objective, [*nearby, truth, operator.pinv(y), (1 - scale) * x]))


def test_magnitudes_of_what_is_found_are_those_measured():
    """Of a picture that fills its frame, so that it cannot lie elsewhere in it; it may come out turned round."""
    truth = torch.linspace(-0.9, -0.3, 16).expand(1, 3, 16, 16).clone()
    truth[..., 2:9, 3:6], truth[..., 2:4, 3:13] = 0.8, 0.1
    operator = TASKS["phase-retrieval"]().operator((3, 16, 16), None, None)
    x = classical.hybrid_input_output(operator, operator(truth))
    misfit = (operator(x) - operator(truth)).square().mean().sqrt() / operator(truth).square().mean().sqrt()
    assert misfit < 0.1
    assert max(psnr(x[0], truth[0]), psnr(x[0].flip(-1, -2), truth[0])) > 20


def test_denoisers_take_out_noise_and_nothing_where_there_is_none(photo):
    truth = images.to_tensor(images.fit(photo, SIZE, 8, square=True))
    noisy = truth + 0.2 * torch.randn(truth.shape, generator=generator(0, MEASUREMENT))
    assert psnr(classical.chambolle(noisy, 0.2)[0], truth[0]) > psnr(noisy[0], truth[0]) + 3
    assert torch.equal(classical.chambolle(truth, 0.0), truth)


def test_bm3d_joins_where_it_is_installed(monkeypatch):
    assert list(baselines.smoothers()) == ["total variation"]
    monkeypatch.setattr(baselines.importlib.util, "find_spec", lambda name: object())
    assert list(baselines.smoothers()) == ["BM3D", "total variation"]
    assert any("BM3D" in each.title for each in baselines.baselines(operator_of("inpaint-box"), 0.1))


def test_an_operator_that_nobody_knows_has_total_variation_if_it_is_linear():
    class Other(Operator):
        image_shape = measurement_shape = (3, SIZE, SIZE)

        def __call__(self, x):
            return x**3

    assert baselines.baselines(Other(), 0.1) == []
    assert issubclass(type(operator_of("compressed-sensing")), LinearOperator)
    assert [each.title for each in baselines.baselines(operator_of("compressed-sensing"), 0.1)] == ["total variation"]


def test_a_lone_known_pixel_fills_everything():
    mask = Image.new("L", (SIZE, SIZE), 255)
    mask.putpixel((4, 7), 0)
    kind = TASKS["inpaint-mask"]
    operator = kind().operator((3, SIZE, SIZE), None, kind().prepare(mask, (SIZE, SIZE)))
    x = classical.interpolated(operator, operator(flat(0.5, 0.1, -0.3)))
    torch.testing.assert_close(x, flat(0.5, 0.1, -0.3))


def test_a_picture_and_its_twin_count_alike_where_the_measurement_does_not_tell_them_apart():
    """Magnitudes do not say which way up a picture is; an error of a hundredth is 46 dB on [0, 255]."""
    turned = photographs(CROP).flip((-2, -1)) + 0.01
    assert mean_psnr(turned, "phase-retrieval", CROP) > 40
    assert mean_psnr(turned, "denoise", CROP) < 20
