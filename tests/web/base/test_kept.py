"""What sessions keep is counted in bytes and bounded; what a run needs goes with the run."""

import contextlib
from datetime import datetime
from types import SimpleNamespace

import gradio as gr
import pages
import pytest
import torch
from fastapi import HTTPException
from pages import sent
from PIL import Image

from inverse import web
from inverse.restoration import degrade
from inverse.solvers import Step
from inverse.web.base import held, limits, sessions
from inverse.web.base.limits import Limits
from inverse.web.base.sessions import Sessions
from inverse.web.jobs import running
from inverse.web.jobs.running import Latest
from inverse.web.page.starts import Starts


def test_pictures_tensors_and_text_are_counted_once_wherever_they_lie():
    picture, y = Image.new("RGB", (100, 50)), torch.zeros(3, 1000)
    assert held.kept(picture) == 15_000 and held.kept(y) == held.kept(y[:1]) == 12_000 and held.kept("x" * 500) == 500
    assert held.kept({"a": [picture, picture], "b": (y, {"c": y[1:]})}) == 27_000
    nested = []
    nested.append(nested)
    assert held.kept([nested, None, 5, object()]) == 0


def test_a_runs_measurement_is_counted(photo):
    problem = degrade(photo, "phase-retrieval")
    latest = Latest(problem=problem, asked={"photo": photo})
    pixels = photo.width * photo.height * 3
    assert held.kept(latest) >= problem.y.nbytes + problem.truth.nbytes + pixels


class Run:
    """The handler of a run that has come to its first step."""

    def __init__(self, page, photo, monkeypatch, failing=False):
        self.page, self.latest, self.failing = page, Latest(), failing
        monkeypatch.setattr(running, "stream", self._stream)
        values = {**sent(page, task="phase-retrieval", solver="vml-map"), page.photo: photo, page.latest: self.latest}
        self.updates = pages.after(page, page.run, "click")(values)
        while self.latest.step is None:
            next(self.updates)
        self.measured = self.latest.problem.y.nbytes
        assert self.bytes > self.measured

    def _stream(self, problem, *_, **__):
        truth = problem.truth
        for index in range(1, 4):
            yield Step(index, 3, 0.5, truth, truth, index, 0, lambda _: torch.tensor([0.1]))
            if self.failing:
                raise RuntimeError

    def end(self):
        with pytest.raises(gr.Error) if self.failing else contextlib.nullcontext():
            list(self.updates)

    def stop(self):
        """The last picture, as Stop shows it."""
        return pages.behind(self.page, self.page.stop, "click")(self.latest, Starts())[self.page.viewer]["frame"]

    @property
    def bytes(self):
        return held.kept(self.latest)


@pytest.mark.parametrize("failing", [False, True])
def test_nothing_of_a_run_that_ended_or_failed_stays_with_the_session(page, photo, monkeypatch, failing):
    run = Run(page, photo, monkeypatch, failing)
    run.end()
    assert run.bytes < 1000


@pytest.mark.parametrize("ends", ["closed", "of itself"])
@pytest.mark.parametrize("first", ["the run", "stop"])
def test_stop_shows_the_last_picture_and_then_nothing_stays(page, photo, monkeypatch, first, ends):
    """It comes while the run goes on, or when it was closed for it already."""
    run = Run(page, photo, monkeypatch)

    def end():
        run.latest.stopping = ends == "of itself" or run.latest.stopping
        run.updates.close() if ends == "closed" else run.end()

    if first == "the run":
        end()
        assert run.stop()
    else:
        assert run.stop()
        assert run.bytes > run.measured, "the run still needs it"
        end()
    assert run.bytes < 1000


def holding(megabytes):
    return SimpleNamespace(state_data={1: Image.new("RGB", (1024, 1024 * megabytes // 3 + 1)), 2: None})


def test_sessions_that_keep_most_go_first_and_one_with_a_job_stays(monkeypatch):
    monkeypatch.setattr(limits, "current", lambda: Limits(kept=64))
    holder = Sessions()
    for name, megabytes in (("busy", 40), ("small", 5), ("large", 30), ("other", 6)):
        holder.session_data[name], holder.time_last_used[name] = holding(megabytes), datetime.now()
        holder.page_opened(name)
    holder.forget_idle(busy={"busy"})
    assert set(holder.session_data) == {"busy", "small", "other"} and list(holder.gone) == ["large"]
    with pytest.raises(HTTPException, match="410"):
        holder["large"]
    holder.forget_idle(busy={"busy"})
    assert len(holder.session_data) == 3, "what fits stays"


def test_a_long_name_is_neither_given_a_session_nor_remembered():
    blocks = web.build()
    holder = Sessions()
    holder.set_blocks(blocks)
    with pytest.raises(HTTPException) as caught:
        holder["a" * (sessions.LONGEST_NAME + 1)]
    assert caught.value.status_code == 400 and not holder.session_data and not holder.gone
    assert holder["a" * sessions.LONGEST_NAME] is not None
