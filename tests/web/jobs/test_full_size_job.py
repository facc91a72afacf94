"""A visitor's own photo at full size: offered with what it takes, within the limits, and written as a file."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inverse.errors import ImageError, ProblemError
from inverse.fullsize import damage
from inverse.imaging import originals
from inverse.settings import CLEAN, DEGRADED, Settings
from inverse.web.base import limits
from inverse.web.base.gradio_internals import upload_folder
from inverse.web.elements import photos
from inverse.web.jobs.fullsize import Full, FullJob, offer
from inverse.web.jobs.job import Job

QUICK = {"solver": "cse", "solver_parameters": {"steps": 1}}


@pytest.fixture
def job():
    """A large scratched photo that was uploaded as JPEG, and a mask as the page has it, of half the size."""
    y, x = np.mgrid[:1500, :2200]
    picture = Image.fromarray(np.stack([x // 9, y // 6, (x + y) // 15], -1).astype(np.uint8))
    path = upload_folder() / "full-size-test" / "holiday.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, quality=95)
    mask = np.zeros((750, 1100), np.uint8)
    mask[300:302, 100:350] = 255
    photo, file = photos.received(str(path))
    settings = Settings.create(mode=DEGRADED, task="inpaint-mask", sigma_y=0.02, **QUICK)
    yield Job(settings, photo, Image.fromarray(mask), file)
    path.unlink(missing_ok=True)


def limited(monkeypatch, **values):
    monkeypatch.setattr(limits, "current", lambda: limits.Limits(**values))


def test_it_is_offered_for_an_own_photo_that_is_damaged_with_size_parts_and_time(job):
    assert FullJob.offered(job)
    words = offer(job)
    assert words.startswith("2200 × 1500 pixels: ") and "windows, about" in words
    clean = Job(Settings.create(mode=CLEAN, task="denoise"), job.photo, None, job.file)
    example = Job(job.settings, *photos.example("chelsea")[:1], job.auxiliary, photos.example("chelsea")[1])
    assert not FullJob.offered(clean) and not FullJob.offered(example)


def test_a_blur_that_was_tuned_on_the_pages_copy_is_as_much_wider_in_the_file(job):
    settings = Settings.create(mode=DEGRADED, task="deblur-gaussian", task_parameters={"std": 2.0}, **QUICK)
    blurred = replace(job, settings=settings, auxiliary=None)
    wider = 2200 / blurred.part.width
    assert wider > 2
    full = FullJob.of(blurred)
    assert full.settings.task.std == pytest.approx(2 * wider) and f"is {wider:.1f} times as wide" in offer(blurred)
    assert "times as wide" not in offer(job)
    with pytest.raises(ProblemError, match="Shrink the photo first"):
        offer(replace(blurred, settings=replace(settings, task=settings.task.replace(std=10.0))))


def test_limits_hold(job, monkeypatch):
    slow = replace(job, settings=replace(job.settings, solver=job.settings.solver.replace(steps=500)))
    for values, asked, words in (
        ({"full": 3}, job, "megapixels"), ({"work": 1}, slow, "times the work"),
        ({"seconds": 1, "work": 10**6}, slow, "a run ends after"),
    ):  # fmt: skip
        limited(monkeypatch, **values)
        with pytest.raises(ProblemError, match=words):
            offer(asked)


def test_a_run_writes_the_photo_in_its_own_format_and_size(job):
    full = Full()
    views = list(full.follow(lambda: (FullJob.of(job),)))
    assert views[-1]["phase"] == "done" and views[-1]["name"] == "holiday-restored.jpg", views[-1]
    progress = [view["progress"] for view in views if "progress" in view]
    assert progress == sorted(progress) and progress[-1] == 100
    found, before = (originals.load(path).pixels.astype(int) for path in (full.file, job.file.path))
    assert found.shape == before.shape == (1500, 2200, 3)
    far = ~damage.grown(np.kron(np.asarray(job.auxiliary), np.ones((2, 2))) > 0)
    assert np.abs(found - before)[far].mean() < 2, "but for what JPEG does"


def test_stop_ends_it_and_writes_nothing(job):
    full = Full()
    run = full.follow(lambda: (FullJob.of(job),))
    next(run), next(run)
    full.stop()
    views = list(run)
    assert views[-1]["phase"] == "stopped" and not full.file


def test_a_file_that_is_gone_ends_in_a_sentence(job):
    full = FullJob.of(job)
    Path(job.file.path).unlink()
    with pytest.raises(ImageError, match="Upload the photo again"):
        full.opened()
