"""Runs in processes of their own: the same results, and a run that fails or is stopped ends nobody else."""

import multiprocessing
import pickle
from dataclasses import replace
from multiprocessing.connection import wait

import pytest
import torch
from PIL import Image

from inverse.batch.processes import in_processes
from inverse.batch.runs import run_all
from inverse.errors import DivergenceError, ParameterError
from inverse.settings import Settings
from inverse.solvers import SOLVERS

QUICK = Settings.create(task="denoise", solver="dps", solver_parameters={"steps": 10}, size=32)


@pytest.fixture
def photo():
    return Image.effect_noise((40, 36), 60).convert("RGB")


def test_results_are_those_of_one_process_and_a_diverging_run_is_a_record(photo):
    wild = replace(QUICK, solver=SOLVERS["vml-map-published"](steps=5))
    object.__setattr__(wild.solver, "step_size", 1e9)  # beyond its range
    runs = [QUICK, wild, replace(QUICK, seed=1)]
    found = {each.index: each.record for each in in_processes(runs, photo, processes=2)}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        alone = {each.index: each.record for each in run_all(runs, photo) if each.record}
    finally:
        torch.set_num_threads(threads)
    assert set(found) == {0, 1, 2}
    for index, record in found.items():
        assert record.failure == alone[index].failure
        assert {**record.figures, "seconds": 0} == {**alone[index].figures, "seconds": 0}
        assert (record.image and record.image.tobytes()) == (alone[index].image and alone[index].image.tobytes())
    assert "diverged" in found[1].failure and not found[2].failure


def test_closing_ends_the_processes(photo):
    before = set(multiprocessing.active_children())
    long = replace(QUICK, solver=QUICK.solver.replace(steps=1000))
    progresses = in_processes([QUICK, long, long], photo, processes=2)
    assert next(progresses).index == 0
    children = set(multiprocessing.active_children()) - before
    progresses.close()
    # by the sentinel and not by `is_alive`: the pool's own thread waits for its processes too, and while that thread
    # has heard of an end and not yet written it down, a process that is gone passes for alive
    assert children and all(wait([child.sentinel], 60) for child in children)


@pytest.mark.parametrize("error", [DivergenceError("It diverged.", "a step"), ParameterError("x is wrong.", "x")])
def test_errors_are_the_same_after_pickling(error):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error) and again.args == error.args and vars(again) == vars(error)
