"""Runs in lockstep give what they give alone, end alone, and stop together."""

import gc
import threading
import time
import weakref

import pytest
import torch
from toys import SIGMA_Y, Wrapped, quick, setup

from inverse.batch.lockstep import Runner, lockstep
from inverse.errors import CapacityError, DivergenceError, ProblemError
from inverse.randomness import generator
from inverse.solvers import SOLVERS, Step
from inverse.solvers.calls import Pause

PIXELS = 16 * 16


def runners(solvers, problem, made=None):
    prior, operator, y = problem
    for index, solver in enumerate(solvers):
        if made is not None:
            made.append(index)
        yield Runner(index, solver.process(prior, operator, y, SIGMA_Y, [generator(index)]), prior, PIXELS)


def together(solvers, problem, pixels):
    """Steps of every run by its index, how each ended, and in which order."""
    steps, ends = {}, {}
    for runner, event in lockstep(runners(solvers, problem), pixels):
        assert runner.index not in ends
        if isinstance(event, Step):
            steps.setdefault(runner.index, []).append(event)
        else:
            ends[runner.index] = event
    return steps, ends


@pytest.mark.parametrize("width", [1, 3, 100])
def test_all_solvers_in_lockstep_are_what_they_are_alone(width):
    """Whatever they are, as long as they are, and however many fit: forward and backward passes are shared."""
    solvers = [quick(name) for name in SOLVERS] + [quick("dps", steps=13, step_size=0.5)]
    problem = setup("deblur-gaussian", torch.float32)
    steps, ends = together(solvers, problem, width * PIXELS)
    assert set(ends) == set(range(len(solvers))) and set(ends.values()) == {None}
    for index, solver in enumerate(solvers):
        prior, operator, y = problem
        alone = list(solver.solve(prior, operator, y, SIGMA_Y, [generator(index)]))
        assert [(s.index, s.sigma, s.nfe, s.vjp) for s in steps[index]] == [
            (s.index, s.sigma, s.nfe, s.vjp) for s in alone
        ]
        for one, other in zip(steps[index], alone, strict=True):
            torch.testing.assert_close(one.x0_hat, other.x0_hat, rtol=0, atol=1e-5)


def test_inner_work_can_be_ended_among_others():
    problem = setup("saturation")
    solvers = [SOLVERS["daps"](steps=3, gradient_steps=40), quick("dps")]
    events = lockstep(runners(solvers, problem), 9 * PIXELS, pauses=True)
    seen = [(runner.index, type(event)) for (runner, event), _ in zip(events, range(20), strict=False)]
    events.close()
    # One pass for both, and then the inner steps of the first, one by one.
    assert seen == [(0, Pause)] * 20
    assert not any(isinstance(event, Pause) for _, event in lockstep(runners(solvers, problem), 9 * PIXELS))


def test_passes_are_shared_as_far_as_pixels_reach():
    solvers = [quick("diffpir")] * 5
    for width, passes in ((1, 50), (2, 30), (5, 10)):
        prior, operator, y = setup("deblur-gaussian")
        prior = Wrapped(prior)
        together(solvers, (prior, operator, y), width * PIXELS)
        assert len(prior.sigmas) == passes


def test_a_run_that_ends_makes_room_for_the_next_one():
    solvers = [quick("diffpir", steps=n) for n in (30, 5, 5)]
    _, ends = together(solvers, setup(), 2 * PIXELS)
    assert list(ends) == [1, 2, 0]


def test_runs_are_made_when_there_is_room():
    made = []
    problem = setup()
    events = lockstep(runners([quick("diffpir")] * 9, problem, made), 2 * PIXELS)
    next(events)
    assert len(made) <= 3
    events.close()


def test_an_error_ends_one_run_only():
    problem = setup("deblur-gaussian")
    bad = quick("vml-map-published")
    object.__setattr__(bad, "step_size", 1e9)
    refused = quick("diffpir")
    good = quick("dps")
    steps, ends = together([good, bad, good], problem, 9 * PIXELS)
    assert isinstance(ends[1], DivergenceError) and ends[0] is None and ends[2] is None
    assert len(steps[0]) == len(steps[2]) == good.total
    prior, _, y = problem
    impossible = setup("saturation")[1]
    pair = [
        Runner(0, refused.process(prior, impossible, y, SIGMA_Y, [generator(0)]), prior, PIXELS),
        Runner(1, good.process(prior, impossible, y, SIGMA_Y, [generator(0)]), prior, PIXELS),
    ]
    ends = {runner.index: event for runner, event in lockstep(pair, 9 * PIXELS) if not isinstance(event, Step)}
    assert isinstance(ends[0], ProblemError) and ends[1] is None


@pytest.mark.parametrize("after", [1, 2, 5])
def test_closing_frees_every_run_at_once_and_leaves_no_thread(after):
    problem, threads = setup(), threading.active_count()
    members = list(runners([quick(name) for name in SOLVERS], problem))
    events = lockstep(members, 9 * PIXELS)
    held = [weakref.ref(next(events)[1].x) for _ in range(after)]
    events.close()
    assert all(list(member.process) == [] for member in members[:9])
    del members
    gc.collect()
    assert [ref() for ref in held] == [None] * after
    assert threading.active_count() == threads and torch.is_grad_enabled()


def test_a_batch_that_the_memory_cannot_hold_is_halved():
    class Small(Wrapped):
        def denoise(self, x, sigma):
            if len(x) > 2:
                raise torch.OutOfMemoryError("out of memory")
            return super().denoise(x, sigma)

    prior, operator, y = setup()
    solvers = [quick("diffpir"), quick("dps"), quick("diffpir"), quick("diffpir")]
    _, ends = together(solvers, (Small(prior), operator, y), 9 * PIXELS)
    assert set(ends.values()) == {None} and len(ends) == 4

    class Full(Wrapped):
        def denoise(self, x, sigma):
            raise torch.OutOfMemoryError("out of memory")

    _, ends = together(solvers, (Full(prior), operator, y), 9 * PIXELS)
    assert len(ends) == 4 and all(isinstance(end, CapacityError) for end in ends.values())


def test_seconds_are_shares_of_what_has_passed():
    problem = setup()
    members = list(runners([quick("diffpir")] * 3, problem))
    start = time.perf_counter()
    for _ in lockstep(members, 9 * PIXELS):
        pass
    assert 0 < sum(member.seconds for member in members) <= time.perf_counter() - start
