"""What a run is asked to do: checked, bounded, counted, and fitted to the photo."""

import itertools
import re
from dataclasses import replace

import pytest
import torch
from PIL import Image
from runs import chosen

from inverse.errors import ParameterError, ProblemError
from inverse.imaging import images
from inverse.operators import TASKS
from inverse.settings import CLEAN, DEGRADED, Settings
from inverse.solvers.presets import default_task, solvers_for
from inverse.web.base import limits
from inverse.web.base.limits import Limits
from inverse.web.jobs import device, offers
from inverse.web.jobs.job import Job, estimated_noise, working_size
from inverse.web.jobs.offers import tasks_for


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -1, 1e308, True, "7", None, [5], {}])
@pytest.mark.parametrize("field", ["sigma_y", "seed", "steps", "missing"])
def test_hostile_values_end_in_a_sentence_that_names_the_field(field, bad):
    given = {
        "mode": CLEAN, "size": 128, "task": "inpaint-random", "task_parameters": {"missing": 0.5}, "sigma_y": 0.1,
        "solver": "dps", "solver_parameters": {"steps": 10}, "seed": 1,
    }  # fmt: skip
    nested = {"steps": "solver_parameters", "missing": "task_parameters"}
    if field in nested:
        given[nested[field]] = {field: bad}
    else:
        given[field] = bad
    with pytest.raises(ParameterError, match=rf"^{field} must be .*from"):
        offers.create(**given)


def test_a_degraded_photo_is_offered_only_what_can_have_happened_to_it(photo):
    offered = tasks_for(DEGRADED)
    assert default_task(degraded=True) in offered and default_task(degraded=False) in tasks_for(CLEAN)
    assert "inpaint-random" not in offered, "its mask is drawn here, so it is not the photo's"
    for name in offered:
        kind = TASKS.find(name)
        made = Settings.create(
            mode=DEGRADED, size=128, task=name, task_parameters={}, sigma_y=0.1, solver=solvers_for(name)[0],
            solver_parameters={}, seed=0,
        )  # fmt: skip
        if not kind.auxiliary:
            assert Job(made, photo).problem().truth is None


def test_the_restored_image_stays_within_the_limit(monkeypatch):
    monkeypatch.setattr(limits, "current", lambda: Limits(side=400))
    tasks = [TASKS.find(name)() for name in ("denoise", "super-resolution")]
    for task, size in itertools.product(tasks, [(100, 80), (1000, 90), (500, 2000)]):
        picture = Image.new("RGB", size)
        for wanted in (None, 128, 512):
            shorter = working_size(picture, task, wanted)
            used = picture.size if shorter is None else images.fit(picture, shorter).size
            assert max(task.image_shape(used) if wanted is None else used) <= 400 + task.multiple


def test_the_noise_of_a_degraded_photo_is_estimated():
    flat = torch.full((1, 3, 96, 96), 0.0) + 0.2 * torch.randn(1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    assert estimated_noise(images.to_image(flat), TASKS.find("denoise")()) == pytest.approx(0.2, rel=0.1)


def test_advice_on_size_fits_what_there_is_to_choose(photo, monkeypatch):
    monkeypatch.setattr(limits, "current", lambda: Limits(work=1, side=64, seconds=1))
    for mode, advised, other in ((CLEAN, "a smaller size", "photo"), (DEGRADED, "a smaller photo", "size")):
        made = chosen(
            mode=mode, size=None if mode == DEGRADED else 128, solver="dps", solver_parameters={"steps": 1000}
        )
        monkeypatch.setattr(device, "seconds", lambda *_: 2)
        job = Job(made, photo)
        with pytest.raises(ProblemError) as caught:
            job.problem()
        for words in (str(caught.value), job.cost):
            advice = words.split("Choose")[1]
            assert advised in advice and other not in advice


def test_more_samples_than_the_machine_restores_at_once_are_refused(photo, monkeypatch):
    monkeypatch.setattr(limits, "current", lambda: Limits(side=300))
    big = photo.resize((256, 256))
    made = Settings.create(size=256, task="denoise", sigma_y=0.1, samples=1)
    assert Job(made, big).problem().truth.shape[-2:] == (256, 256)
    with pytest.raises(ProblemError, match="fewer samples or a smaller size"):
        Job(replace(made, samples=2), big).problem()
    with pytest.raises(ParameterError, match="samples must be a whole number from 1 to 8"):
        offers.create(size=256, task="denoise", sigma_y=0.1, samples=9)


def test_the_cost_counts_every_sample(settings, photo):
    one, eight = (
        Job(replace(settings, size=512, samples=samples, solver=settings.solver.replace(steps=200)), photo)
        for samples in (1, 8)
    )
    assert "8 samples" in eight.cost and "samples" not in one.cost

    def seconds(words):
        number, unit = re.search(r"about ([\d.]+) (s|min|h)", words).groups()
        return float(number) * {"s": 1, "min": 60, "h": 3600}[unit]

    assert seconds(eight.cost) == pytest.approx(8 * seconds(one.cost), rel=0.3)


def test_a_run_beyond_its_time_limit_is_announced(settings, photo, monkeypatch):
    monkeypatch.setattr(limits, "current", lambda: Limits(seconds=60))
    for seconds, announced in ((59, False), (61, True)):
        monkeypatch.setattr(device, "seconds", lambda *_, seconds=seconds: seconds)
        assert ("a run ends after 1 min" in Job(settings, photo).cost) == announced


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (64, 48), (301, 201), (1200, 75)])
@pytest.mark.parametrize("degraded", [True, False])
def test_the_shape_is_that_of_the_photo_as_it_is_used(size, degraded):
    for task in ("denoise", "super-resolution", "jpeg"):
        made = chosen(mode=DEGRADED if degraded else CLEAN, task=task, size=None if degraded else 128)
        job = Job(made, Image.new("RGB", size))
        used, found = job.part, job.image_shape
        assert found == (made.task.image_shape((used.height, used.width)) if degraded else (used.height, used.width))
