"""Captions: what tells two runs apart is in them, and what varies within a figure is not."""

from dataclasses import replace

import pytest

from inverse.batch.sweep import sweepable, with_value
from inverse.parameters import Choice, Flag, Integer, Real, Text
from inverse.settings import DEGRADED, Settings
from inverse.settings.caption import caption, of_solver
from inverse.solvers import SOLVERS

SETTINGS = Settings.create(task="deblur-gaussian", solver="dmap", size=64, then=["jpeg"])


def another(spec, value):
    """An allowed value that is not this one."""
    if isinstance(spec, Choice):
        return next(each for each in spec.options if each != value)
    if isinstance(spec, Flag):
        return not value
    if isinstance(spec, Text):
        return f"somebody/other@{'0' * 40}"
    assert isinstance(spec, Integer | Real)
    return spec.low if value != spec.low else min(spec.high, spec.low + 1)


@pytest.mark.parametrize("name", sweepable(SETTINGS))
def test_a_caption_tells_two_runs_apart_unless_what_differs_is_varied(name):
    spec = sweepable(SETTINGS)[name]
    plain = name.rpartition(".")[2]
    owner = next(each for each in (SETTINGS.solver, SETTINGS.task, *SETTINGS.then, SETTINGS) if hasattr(each, plain))
    other = with_value(SETTINGS, name, another(spec, getattr(owner, plain)))
    assert caption(SETTINGS) != caption(other)
    assert caption(SETTINGS, [name]) == caption(other, [name])


def test_it_is_sentences_with_the_damage_the_seed_and_every_parameter_of_the_solver():
    words = caption(replace(SETTINGS, seed=7))
    assert SETTINGS.task.title in words and SETTINGS.then[0].title in words and "seed 7" in words
    assert all(f"{name} " in words for name in SOLVERS["dmap"].specs())
    assert words.endswith(".") and "prior embedded" in words
    assert caption(Settings.create(mode=DEGRADED, task="super-resolution")).startswith("Damaged photo: ")
    assert of_solver(SOLVERS["ddnm"]()).count("ddnm") == 0, "by its title"
