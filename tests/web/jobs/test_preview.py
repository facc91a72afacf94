"""The preview: a measurement, or what is missing for one."""

import pytest
from runs import chosen, decoded

from inverse.operators import TASKS
from inverse.settings import CLEAN, DEGRADED, Settings
from inverse.solvers.presets import solvers_for
from inverse.web.jobs import preview
from inverse.web.jobs.job import Job


@pytest.mark.parametrize("task", TASKS)
def test_every_task_shows_a_measurement_or_says_what_it_needs(task, photo):
    made = Settings.create(
        mode=CLEAN, size=128, task=task, task_parameters={}, sigma_y=0.05, solver=solvers_for(task)[0],
        solver_parameters={}, seed=0,
    )  # fmt: skip
    shown, cost = preview.show(Job(made, photo))
    assert decoded(shown["truth"]).size[0] > 0
    if TASKS.find(task).auxiliary in ("mask", "kernel"):  # strokes are drawn where there are none
        assert shown["fault"] and shown["measured"] is None and shown["caption"].endswith(".") and not cost
    else:
        assert not shown["fault"] and decoded(shown["measured"]).size[0] > 0 and "about" in cost


def test_a_photo_that_is_larger_than_what_comes_out_is_said_to_be_shrunk(photo):
    made = chosen(mode=DEGRADED, task="super-resolution")
    small, _ = preview.show(Job(made, photo))
    large, _ = preview.show(Job(made, photo.resize((1200, 900))))
    assert "shrunk" not in small["caption"]
    assert "256 × 192, restored at 1024 × 768" in large["caption"] and "1200 × 900" in large["caption"]
