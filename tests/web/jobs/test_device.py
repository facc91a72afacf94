"""Runs on a GPU that a ZeroGPU Space lends: a stand-in for its package runs them in a forked process, as it does."""

import importlib
import multiprocessing
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest
import torch

from inverse.batch.sweep import Sweep, axis
from inverse.errors import DivergenceError, InverseError, ProblemError
from inverse.results.record import Record
from inverse.settings import Settings
from inverse.solvers import Step
from inverse.web.jobs import device
from inverse.web.jobs.batches import Batch
from inverse.web.jobs.job import Job
from inverse.web.jobs.running import Latest
from inverse.web.jobs.trail import known

ROOT = Path(__file__).parents[3]
FORK = multiprocessing.get_context("fork")


class Lender:
    """What `spaces.GPU` does with a generator function: a forked process, everything copied, Stop seen after a yield.

    Attributes:
        asked: seconds of every call.
        closed: how many generators came to their end there.
    """

    def __init__(self):
        self.asked, self.closed = [], FORK.Value("i", 0)

    def GPU(self, task, duration):
        def lent(job):
            self.asked.append(duration(job))
            (results, sender), stop = FORK.Pipe(duplex=False), FORK.Event()
            process = FORK.Process(target=self.work, args=(task, pickle.dumps(job), sender, stop), daemon=True)
            process.start()
            try:
                while True:
                    assert results.poll(60), "the process hangs"
                    kind, value = results.recv()
                    if kind != "item":
                        break
                    yield value
                if kind == "error":
                    raise gr.Error(f"ZeroGPU worker error: {value}")
            except GeneratorExit:
                stop.set()
                while results.recv()[0] == "item":
                    pass
                raise
            finally:
                process.join(60)

        return lent

    def work(self, task, job, sender, stop):
        generator = task(pickle.loads(job))
        try:
            for value in generator:
                if stop.is_set():
                    generator.close()
                    break
                sender.send(("item", value))
            sender.send(("end", None))
        except Exception as error:  # all that the platform says of it
            sender.send(("error", type(error).__name__))
        finally:
            with self.closed:
                self.closed.value += 1


@pytest.fixture
def lender(monkeypatch):
    """The program as it is where a GPU is lent: it looks for that when it is imported."""
    lender, here = Lender(), dict(vars(device))
    monkeypatch.setitem(sys.modules, "spaces", lender)
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    importlib.reload(device)
    yield lender
    monkeypatch.undo()
    vars(device).clear()
    vars(device).update(here)


@pytest.fixture
def settings():
    return Settings.create(
        mode="clean", size=64, task="denoise", sigma_y=0.1, solver="diffpir", solver_parameters={"steps": 4}, seed=3
    )


def restored(settings, photo, latest=None):
    job = Job(settings, photo)
    return (latest or Latest()).follow(lambda: (job, job.problem()))


def test_a_run_gives_the_same_pixels_there_as_here(settings, photo, lender, monkeypatch):
    there, latest = list(restored(settings, photo, kept := Latest())), kept
    monkeypatch.setattr(device, "LENT", False)
    here = list(restored(settings, photo))
    assert there[-1][0]["frame"]["x0"] == here[-1][0]["frame"]["x0"]
    assert latest.step.index == latest.step.total and latest.problem is not None, "the visitor's state came back"
    assert len(lender.asked) == 1 and device.GPU_START < lender.asked[0] <= device.GPU_MOST


def test_stop_ends_the_run_there_and_the_page_has_its_last_picture(photo, lender):
    long = Settings.create(
        mode="clean", size=64, task="denoise", sigma_y=0.1, solver="dps", solver_parameters={"steps": 1000}, seed=3
    )
    latest = Latest()
    updates = restored(long, photo, latest)
    for view, _ in updates:
        if view and view["frame"]:
            break
    updates.close()
    assert lender.closed.value == 1
    view, status = latest.stop()
    assert status["phase"] == "stopped" and view["frame"]["x0"][0].startswith("data:image/png")
    assert 0 < latest.step.index < latest.step.total


def test_a_sweep_comes_back_cell_by_cell_and_can_be_adopted(settings, photo, lender):
    batch, plan = Batch(), Sweep(settings, (axis(settings, "steps", "2,3"),))
    views = list(batch.begin(Job(settings, photo).several(plan.runs), {}, plan))
    assert views[-1]["phase"] == "done" and [cell["index"] for cell in views[-1]["cells"]] == [0, 1]
    assert batch.runs == plan.runs and [record.total for record in batch.done.values()] == [2, 3]
    assert batch.done[1].image.size
    assert len(lender.asked) == 1, "one call for all cells"


def diverging(message, state):
    step = Step(1, 2, 0.5, *[torch.zeros(1, 3, 8, 8)] * 2, 1, 0, lambda _: torch.tensor([0.1]))
    yield step
    raise DivergenceError(message, step)


def failing(state):
    yield 1
    raise KeyError("/home/secret")


class State:
    seen = 0
    stopping = False
    complete = True


def stream(function, *arguments, runs=(), size=(8, 8)):
    return device.stream(function, *arguments, state=State(), runs=list(runs), image_shape=size)


def test_errors_come_back_as_they_are(lender):
    with pytest.raises(DivergenceError, match="Lower step_size") as caught:
        list(stream(diverging, "It diverged. Lower step_size."))
    assert caught.value.last.x.shape == (1, 3, 8, 8) and float(caught.value.last.residual) == pytest.approx(0.1)
    with pytest.raises(KeyError):
        list(stream(failing))


def counting(state):
    for _ in range(3):
        state.seen += 1
        yield os.getpid()


@pytest.mark.parametrize("lent", [True, False])
def test_the_state_is_up_to_date_after_every_update(lender, monkeypatch, lent):
    monkeypatch.setattr(device, "LENT", lent)
    state, seen = State(), []
    for process in device.stream(counting, state=state, runs=[], image_shape=(8, 8)):
        seen.append(state.seen)
        assert (process != os.getpid()) == lent
    assert seen == [1, 2, 3]


@pytest.mark.parametrize("lent", [True, False])
def test_the_runs_end_once_stop_is_asked_for(lender, monkeypatch, lent):
    monkeypatch.setattr(device, "LENT", lent)
    monkeypatch.setattr(device.PACE, "learn", lambda *_: pytest.fail("it learned from a run that was stopped"))
    state = State()
    updates = device.stream(counting, state=state, runs=[], image_shape=(8, 8))
    next(updates)
    state.stopping = True
    assert list(updates) == [] and state.stopping and state.seen == 2
    assert lender.closed.value == lent


@pytest.mark.parametrize("complete", [True, False])
def test_seconds_are_learned_from_complete_runs_only(monkeypatch, complete):
    learned, state = [], State()
    monkeypatch.setattr(device.PACE, "learn", lambda *given: learned.append(given))
    state.complete = complete
    list(device.stream(counting, state=state, runs=[], image_shape=(8, 8)))
    assert len(learned) == complete


def test_a_batch_with_a_failed_run_is_not_complete():
    batch = Batch()
    done = Record(seconds=0.1)
    batch.done = {0: done, 1: done}
    assert batch.complete
    batch.done = {0: done, 1: replace(done, failure="It diverged.")}
    assert not batch.complete
    batch.done, batch.stopping = {0: done}, True
    assert not batch.complete


def test_what_needs_more_than_is_lent_is_refused_before(settings, lender):
    with pytest.raises(ProblemError, match="Choose fewer runs"):
        list(stream(counting, runs=[settings] * 640, size=(2048, 2048)))
    assert not lender.asked


def test_the_estimate_grows_with_steps_size_and_runs(settings, monkeypatch):
    monkeypatch.setattr(device, "LENT", True)
    plain = device.seconds([settings], (256, 256))
    more = settings.solver.replace(steps=40)
    slower = replace(settings, solver=more)
    assert plain < device.seconds([slower], (256, 256)) and plain < device.seconds([settings], (1024, 1024))
    assert plain < device.seconds([settings] * 2, (256, 256)) and "GPU time" in device.promise(plain)


def test_what_is_packed_comes_back(settings, photo):
    problem = settings.problem(photo)
    again = device.unpack(device.pack({"settings": settings, "problem": problem, "photo": photo}))
    assert again["settings"] == settings and type(again["settings"]) is Settings
    assert torch.equal(again["problem"].operator(problem.truth), problem.operator(problem.truth))
    assert again["photo"].tobytes() == photo.tobytes()
    error = device.unpack(device.pack(DivergenceError("It diverged.", 5)))
    assert isinstance(error, InverseError) and error.last == 5 and str(error) == "It diverged."


def test_the_platforms_package_is_used_where_it_lends_and_nowhere_else(tmp_path):
    (tmp_path / "spaces.py").write_text(
        "import sys\n"
        "assert 'torch' not in sys.modules or not sys.modules['torch'].cuda.is_initialized()\n"
        "def GPU(task, duration):\n    print('used')\n    return task\n"
    )
    code = "from inverse.web.jobs import device; print(device.LENT)"
    said = {}
    for lent in ("", "true"):
        variables = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "SPACES_ZERO_GPU": lent}
        run = subprocess.run([sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=True)
        said[lent] = run.stdout.split()
    assert said == {"": ["False"], "true": ["used", "True"]}


def test_what_the_page_knows_of_a_job_stays_here_and_is_not_sent_there(settings, photo, lender):
    """Its elements cannot be copied, and no copy that comes back overwrites what is written here meanwhile."""
    latest, shown = Latest(), []
    assert known(latest, "run")
    latest.trail.show({"status": lambda: "no copy of this can be made"})
    for view, status in restored(settings, photo, latest):
        shown.append((view, status))
        latest.trail.show({"step": len(shown)})
    assert latest.trail.newest["step"] == len(shown) > 2 and latest.step is not None


def test_a_run_there_ends_when_nobody_comes_back_to_it(photo, lender):
    long = Settings.create(
        mode="clean", size=64, task="denoise", sigma_y=0.1, solver="dps", solver_parameters={"steps": 1000}, seed=3
    )
    latest, shown = Latest(), []
    for each in restored(long, photo, latest):
        shown.append(each)
        if each[0] and each[0]["frame"]:
            latest.desert()
    view, status = shown[-1]
    assert lender.closed.value == 1
    assert status["phase"] == "stopped" and "away" in status["message"]
    assert view["frame"]["x0"][0].startswith("data:image/png")
    latest.left(closed=False)
    assert latest.problem is None and latest.step is None and latest.view is None
