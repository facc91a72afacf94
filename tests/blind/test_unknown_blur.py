"""An unknown blur: the steps solve what they say, known kernels are found again, and what is not sure is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from pages import built, sent
from PIL import Image

from inverse import blind, estimate_kernel
from inverse.__main__ import main
from inverse.blind import kernels, latent, part, similarity
from inverse.errors import ParameterError, ProblemError
from inverse.imaging import images
from inverse.operators import make_task
from inverse.operators.kernels import line_kernel, trajectory_kernel, wrapped
from inverse.settings import Settings
from inverse.settings.carriers import read
from inverse.web.page import drawn

RNG = np.random.default_rng(0)
LINE = line_kernel(7, 40)
SIZE = 11


def boxes(side=144, count=60):
    """A picture (side, side) on [0, 1] of plain boxes, whose edges are all sharp."""
    picture, random = np.full((side, side), 0.5), np.random.default_rng(1)
    for _ in range(count):
        top, left = random.integers(-10, side - 5, 2)
        down, right = random.integers(8, 40, 2)
        picture[max(top, 0) : top + down, max(left, 0) : left + right] = random.uniform(0.05, 0.95)
    return torch.from_numpy(picture)


def convolved(picture, kernel):
    spectrum = torch.fft.rfft2(wrapped(kernel, tuple(picture.shape)))
    return torch.fft.irfft2(torch.fft.rfft2(picture) * spectrum, s=picture.shape)


def photo_of(luma):
    return images.to_image(2 * luma.clamp(0, 1).expand(3, -1, -1) - 1)


@pytest.fixture(scope="module")
def blurred():
    return photo_of(convolved(boxes(), LINE))


@pytest.fixture(scope="module")
def told(blurred):
    return estimate_kernel(blurred, SIZE)


def test_differences_have_the_adjoint_that_is_said():
    x, edges = torch.from_numpy(RNG.normal(size=(9, 12))), torch.from_numpy(RNG.normal(size=(2, 9, 12)))
    one, other = (latent.gradients(x) * edges).sum(), (x * latent._divergence(edges)).sum()
    torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


def test_a_picture_is_continued_to_its_own_beginning():
    luma = torch.linspace(0, 1, 40, dtype=torch.float64)[:, None] + torch.linspace(0, 2, 50, dtype=torch.float64)
    whole = latent.periodic(luma, 9)
    assert torch.equal(whole[:40, :50], luma) and whole.shape[0] >= 49 and whole.shape[1] >= 59
    assert latent.gradients(whole).abs().max() < 0.5 < (luma.max() - luma.min())  # where it wraps around, too


def test_the_nearest_point_that_sums_to_one():
    values = torch.from_numpy(RNG.normal(size=(5, 5)))
    nearest = kernels.on_simplex(values)
    assert (nearest >= 0).all() and float(nearest.sum()) == pytest.approx(1, abs=1e-12)
    for _ in range(20):  # of a convex set: the angle to every other of its points is obtuse
        other = torch.from_numpy(RNG.dirichlet(np.ones(25)).reshape(5, 5))
        assert float(((values - nearest) * (other - nearest)).sum()) <= 1e-12


@pytest.mark.parametrize("name", ["line", "shake"])
def test_the_kernel_between_two_pictures_is_found(name, monkeypatch):
    monkeypatch.setattr(kernels, "SMOOTHNESS", 0.0)
    true = {"line": LINE, "shake": trajectory_kernel(9, 0.8, torch.Generator().manual_seed(1))}[name]
    sharp = torch.from_numpy(RNG.normal(size=(64, 60)))
    start = torch.full((11, 11), 1 / 121, dtype=torch.float64)
    found = kernels.fitted(latent.gradients(sharp), latent.gradients(convolved(sharp, true)), start)
    missing = (11 - len(true)) // 2
    torch.testing.assert_close(found, torch.nn.functional.pad(true, (missing,) * 4), rtol=0, atol=1e-4)


def test_an_image_step_with_the_true_kernel_is_nearer_to_the_truth():
    truth = boxes()
    seen = convolved(truth, LINE)
    found = latent.sharpened(seen, LINE, 1e-3)
    assert (found - truth).square().mean() < 0.3 * (seen - truth).square().mean()
    edges = latent.gradients(found)
    kept = latent.strongest(edges, 1)
    assert 0 < (kept != 0).sum() < (edges != 0).sum()
    assert kept.square().sum(0)[kept.square().sum(0) > 0].min() >= edges.square().sum(0).median()


def test_similarity_knows_no_shift_and_is_that_of_a_correlation():
    shifted = torch.nn.functional.pad(LINE, (3, 0, 0, 2))
    assert similarity(LINE, shifted) == pytest.approx(1, abs=1e-12)
    assert similarity(LINE, line_kernel(7, 130)) < 0.6


def test_a_cleaned_kernel_is_centred_light():
    kernel = torch.zeros(9, 9, dtype=torch.float64)
    kernel[0, 1:4], kernel[8, 8] = 1.0, 1e-4
    clean = kernels.cleaned(kernel)
    assert float(clean.sum()) == pytest.approx(1) and (clean > 0).sum() == 3 and clean[4, 3:6].min() > 0.3


def test_a_known_kernel_is_told_from_the_photo_alone(told):
    assert told.kernel.shape == (SIZE, SIZE) and (told.kernel >= 0).all()
    assert float(told.kernel.sum()) == pytest.approx(1, abs=1e-12)
    assert similarity(told.kernel, LINE) > 0.75 > similarity(told.kernel, line_kernel(7, 130))
    assert told.confidence > 0.7 and told.sigma_y > told.noise


def test_its_picture_is_what_the_task_takes(told):
    prepared = make_task("deblur-kernel").prepare(told.image, (144, 144))
    assert similarity(prepared, told.kernel) > 0.999


def halves_apart():
    seen = convolved(boxes(), LINE)
    seen[:, 72:] = convolved(boxes(), line_kernel(9, 130))[:, 72:]
    return photo_of(seen)


@pytest.mark.parametrize(
    ("photo", "size", "words"),
    [
        (halves_apart(), SIZE, "halves of it agree"),
        (photo_of(boxes()), SIZE, "is sharp"),
        (photo_of(torch.full((144, 144), 0.4)), SIZE, "nothing on this photo"),
        (photo_of(boxes()), 41, "164 pixels a side"),
    ],
    ids=["not one blur", "sharp", "flat", "small"],
)
def test_what_cannot_be_told_is_refused(photo, size, words):
    with pytest.raises(ProblemError, match=words):
        estimate_kernel(photo, size)


@pytest.mark.parametrize("wrong", [{"size": 2}, {"size": 99}, {"confidence": 2}, {"sigma_y": -1}])
def test_numbers_out_of_range_are_refused(blurred, wrong):
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        estimate_kernel(blurred, **wrong)


def test_of_a_large_photo_the_busiest_part_is_asked(monkeypatch):
    monkeypatch.setattr(part, "LARGEST", 60)
    wide = Image.new("RGB", (300, 100), (90, 90, 90))
    wide.paste(photo_of(boxes(60)), (200, 20))
    found = part.busiest(wide)
    assert found.shape == (60, 60) and found.std() > 0.8 * part.busiest(wide.crop((200, 20, 260, 80))).std()


@pytest.fixture
def at_once(told, monkeypatch):
    """The command line and the app are told what was told before."""
    monkeypatch.setattr(blind, "estimate_kernel", lambda *photo, **others: told)
    return told


def test_the_command_writes_a_kernel_and_says_how_to_restore(blurred, at_once, tmp_path):
    photo, kernel = tmp_path / "photo.png", tmp_path / "kernel.png"
    blurred.save(photo)
    ran = CliRunner().invoke(main, ["estimate-kernel", str(photo), "-o", str(kernel)])
    assert ran.exit_code == 0 and "--task deblur-kernel" in ran.output, ran.output
    assert np.array_equal(np.array(Image.open(kernel)), np.array(at_once.image))


@pytest.mark.parametrize("full", [[], ["--full-size"]])
def test_restore_tells_the_kernel_by_itself(blurred, at_once, tmp_path, full):
    photo, out = tmp_path / "photo.png", tmp_path / "out.png"
    blurred.save(photo)
    flags = ["--task", "deblur-kernel", "--degraded", "--solver", "cse", "--steps", "1", "--estimate-kernel"]
    ran = CliRunner().invoke(main, ["restore", str(photo), "-o", str(out), *flags, *full])
    assert ran.exit_code == 0, ran.output
    used, _ = Settings.from_dict(read(out.read_bytes()))
    assert used.sigma_y == at_once.sigma_y and used.auxiliary_picture.size == (SIZE, SIZE)
    assert np.array_equal(np.array(used.auxiliary_picture.convert("L")), np.array(at_once.image))


def test_the_page_shows_the_kernel_and_takes_its_noise(blurred, at_once):
    page = built()
    values = sent(page, mode="degraded", photo=blurred, task="deblur-kernel", solver="cse-vml-map")
    changes = drawn.estimate_kernel(page, {**values, page.auxiliary: {}})
    assert changes[page.auxiliary]["kernel"].size == (SIZE, SIZE) and changes[page.settings["sigma_y"]] > 0.03
    with pytest.raises(ProblemError, match="Choose Damaged"):
        drawn.estimate_kernel(page, {**values, page.mode: "clean", page.auxiliary: {}})
    assert 'download="kernel.png"' in changes[page.picture_note] and "144 × 144" in changes[page.picture_note]


@pytest.mark.parametrize("flags", [["--task", "deblur-gaussian", "--degraded"], ["--task", "deblur-kernel"]])
def test_the_flag_is_for_a_blurred_photo_and_its_task(blurred, tmp_path, flags):
    photo = tmp_path / "photo.png"
    blurred.save(photo)
    ran = CliRunner().invoke(main, ["restore", str(photo), "-o", str(tmp_path / "o.png"), "--estimate-kernel", *flags])
    assert ran.exit_code == 1 and "--task deblur-kernel" in ran.output
