"""What sessions keep is counted in bytes and bounded; what a run needs goes with the run."""

from datetime import datetime
from types import SimpleNamespace

import pytest
import torch
from fastapi import HTTPException
from PIL import Image

from inverse import web
from inverse.restoration import degrade
from inverse.web import events, held, limits, running, sessions
from inverse.web.limits import Limits
from inverse.web.sessions import Sessions


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


@pytest.fixture(scope="module")
def page():
    from inverse.web import layout

    made = layout.build()
    events.wire(made)
    return made


@pytest.mark.parametrize("ends", ["by itself", "stopped", "failed"])
def test_nothing_of_a_run_stays_with_the_session(page, photo, monkeypatch, ends):
    held_during = []
    problem = degrade(photo, "denoise")

    def restore(prepare, latest):
        latest.problem, latest.view, latest.step = problem, {}, object()
        held_during.append(held.kept(latest))
        yield None, {"phase": "running"}
        if ends == "failed":
            raise RuntimeError
        if ends == "stopped":
            monkeypatch.setattr(running, "finished", lambda *_: (None, {}))
            events._stop(page, latest)

    monkeypatch.setattr(running, "restore", restore)
    latest = running.Latest()
    run = events._run(page)({page.latest: latest, page.photo: photo, page.auxiliary: {}})
    if ends == "failed":
        with pytest.raises(RuntimeError):
            list(run)
    else:
        list(run)
    assert held_during[0] > problem.y.nbytes > held.kept(latest)


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
