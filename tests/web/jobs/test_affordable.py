"""A preview stays within its memory, at a smaller size where the whole one would not."""

import re

import pytest
from PIL import Image

from inverse.denoisers.memory import Ledger
from inverse.operators import TASKS
from inverse.settings import CLEAN, DEGRADED, Settings
from inverse.web.base import limits
from inverse.web.base.limits import Limits
from inverse.web.jobs import affordable, preview
from inverse.web.jobs.job import Job

PHOTO = Image.effect_noise((640, 480), 80).convert("RGB")
MOST = 24
"""Megabytes; less than every task needs for 640 x 480 pixels at the least."""


def settings(task, mode=CLEAN, **parameters):
    size = 480 if mode == CLEAN else None
    return Settings.create(mode=mode, task=task, task_parameters=parameters, sigma_y=0.05, size=size)


def auxiliary(task):
    if not TASKS[task].auxiliary:
        return None
    picture = Image.new("RGBA", (9, 9) if TASKS[task].auxiliary == "kernel" else PHOTO.size)
    picture.paste("red", (3, 3, 6, 6))
    return picture


@pytest.fixture(autouse=True)
def little(monkeypatch):
    monkeypatch.setattr(limits, "current", lambda: Limits(preview=MOST))


@pytest.fixture(scope="module", autouse=True)
def _warm():
    """The prior is loaded when its speed is asked for first; that is no part of a preview."""
    _ = Job(settings("denoise"), PHOTO).seconds


def peak(chosen):
    with Ledger() as ledger:
        shown, _ = preview.show(Job(chosen, PHOTO, auxiliary(chosen.task.name)))
    assert not shown["fault"], shown["caption"]
    return ledger.peak / 2**20, shown


@pytest.mark.parametrize("task", sorted(TASKS))
def test_no_preview_needs_more_than_it_may(task):
    chosen = settings(task)
    affordable.bytes_per_pixel(chosen.task, False)  # which takes something itself, once
    used, _ = peak(chosen)
    assert used <= 1.1 * MOST


def test_the_dearest_is_shown_smaller_and_the_page_says_so(monkeypatch):
    chosen = settings("phase-retrieval", oversampling=4)
    affordable.bytes_per_pixel(chosen.task, False)
    used, shown = peak(chosen)
    assert used <= 1.1 * MOST and "640 × 480 pixels. Shown here as it is at" in shown["caption"]
    monkeypatch.setattr(limits, "current", lambda: Limits(preview=4096))
    whole, shown = peak(chosen)
    assert (whole > 5 * MOST and shown["caption"].startswith("640 × 480") is False) or "Shown here" not in shown[
        "caption"
    ]


@pytest.mark.parametrize("task", ["deblur-gaussian", "super-resolution"])
def test_a_photo_that_is_damaged_already_is_shown_smaller_too(task, monkeypatch):
    monkeypatch.setattr(limits, "current", lambda: Limits(preview=16))
    chosen = settings(task, DEGRADED)
    affordable.bytes_per_pixel(chosen.task, True)
    used, shown = peak(chosen)
    (whole, smaller) = (tuple(map(int, size)) for size in re.findall(r"(\d+) × (\d+)", shown["caption"]))
    assert used <= 1.1 * 16 and "Shown here as it is at" in shown["caption"] and smaller < whole


def test_what_a_run_costs_is_said_of_the_whole_picture():
    job = Job(settings("phase-retrieval", oversampling=4), PHOTO)
    assert job.image_shape == (480, 640) and preview.show(job)[1] == job.cost


def test_the_need_of_a_task_is_that_of_a_larger_picture():
    """What is measured on a small photo holds for a large one, within the buffers whose size is fixed."""
    for name in ("denoise", "phase-retrieval", "super-resolution", "deblur-gaussian"):
        task = TASKS[name]()
        each = affordable.bytes_per_pixel(task, False) - affordable.BESIDE
        with Ledger() as ledger:
            problem = Settings.create(task=name, sigma_y=0.05, size=384).problem(Image.new("RGB", (384, 384), "grey"))
            _ = problem.measurement
        assert 0.5 * each <= ledger.peak / 384**2 <= 1.2 * each, name
