"""What sessions keep is counted in bytes and bounded; what a run needs goes with the run."""

from datetime import datetime
from types import SimpleNamespace

import pages
import pytest
import torch
from fastapi import HTTPException
from PIL import Image

from inverse import web
from inverse.restoration import degrade
from inverse.web.base import held, limits, sessions
from inverse.web.base.limits import Limits
from inverse.web.base.sessions import Sessions
from inverse.web.jobs import running
from inverse.web.page.starts import Starts


def test_pictures_tensors_and_text_are_counted_once_wherever_they_lie():
    picture, y = Image.new("RGB", (100, 50)), torch.zeros(3, 1000)
    assert held.kept(picture) == 15_000 and held.kept(y) == held.kept(y[:1]) == 12_000 and held.kept("x" * 500) == 500
    assert held.kept({"a": [picture, picture], "b": (y, {"c": y[1:]})}) == 27_000
    nested = []
    nested.append(nested)
    assert held.kept([nested, None, 5, object()]) == 0


def test_a_runs_measurement_is_counted_and_goes_with_it(photo):
    problem = degrade(photo, "phase-retrieval")
    latest = running.Latest(problem=problem, asked=(photo, None))
    pixels = photo.width * photo.height * 3
    assert held.kept(latest) >= problem.y.nbytes + problem.truth.nbytes + pixels
    latest.release()
    assert held.kept(latest) <= pixels + 1000


class Run:
    """The handler of a run that has come to its first step."""

    def __init__(self, page, photo, monkeypatch, failing=False):
        self.page, self.latest, self.problem = page, running.Latest(), degrade(photo, "denoise")
        self.failing = failing
        monkeypatch.setattr(running, "restore", self._restore)
        monkeypatch.setattr(running, "finished", lambda latest, *_: ({"problem": latest.problem}, {}))
        values = {page.latest: self.latest, page.photo: photo, page.auxiliary: {}}
        self.handler = pages.after(page, page.run, "click")(values)
        next(self.handler)
        assert self.bytes > self.problem.y.nbytes

    def _restore(self, prepare, latest):
        latest.problem, latest.view, latest.step = self.problem, {}, object()
        yield None, {"phase": "running"}
        if self.failing:
            raise RuntimeError

    def stop(self):
        """What Stop shows the last picture of."""
        return pages.behind(self.page, self.page.stop, "click")(self.latest, Starts())[self.page.viewer]["problem"]

    @property
    def bytes(self):
        return held.kept(self.latest)


def test_nothing_of_a_run_that_ended_by_itself_stays_with_the_session(page, photo, monkeypatch):
    run = Run(page, photo, monkeypatch)
    list(run.handler)
    assert run.bytes < 1000


def test_nothing_of_a_run_that_failed_stays(page, photo, monkeypatch):
    run = Run(page, photo, monkeypatch, failing=True)
    with pytest.raises(RuntimeError):
        list(run.handler)
    assert run.bytes < 1000


@pytest.mark.parametrize("ends", ["closed", "of itself"])
@pytest.mark.parametrize("first", ["the run", "stop"])
def test_stop_shows_the_last_picture_and_then_nothing_stays(page, photo, monkeypatch, first, ends):
    """It comes while the run goes on, or when it was closed for it already."""
    run = Run(page, photo, monkeypatch)

    def end():
        run.latest.stopping = ends == "of itself" or run.latest.stopping
        run.handler.close() if ends == "closed" else list(run.handler)

    if first == "the run":
        end()
        assert run.stop() is run.problem
    else:
        assert run.stop() is run.problem
        assert run.bytes > run.problem.y.nbytes, "the run still needs it"
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
