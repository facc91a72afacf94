"""A run as it is streamed: frames by the clock, Stop within a step, errors, and pictures that carry what made them."""

import base64
import time
from dataclasses import replace

import gradio as gr
import pages
import pytest
from pages import sent
from runs import chosen, decoded, run, steps

from inverse.errors import DivergenceError
from inverse.imaging import images
from inverse.operators import TASKS
from inverse.settings import Settings
from inverse.settings.carriers import read
from inverse.solvers.calls import PAUSE
from inverse.verdicts import verdict
from inverse.web.base import limits
from inverse.web.base.limits import Limits
from inverse.web.jobs import frames, running
from inverse.web.jobs.batches import Batch
from inverse.web.jobs.job import Job
from inverse.web.jobs.running import Latest


def test_a_saved_picture_carries_what_made_it(settings, photo, monkeypatch):
    monkeypatch.setattr(running, "stream", steps(settings, photo, 3))
    view, _ = list(run(settings, photo))[-1]
    content = base64.b64decode(view["frame"]["x0"][0].split(",")[1])
    assert Settings.from_dict(read(content)) == (settings, [])


def test_a_run_that_ended_says_what_became_of_it_and_one_that_was_stopped_does_not(settings, photo, monkeypatch):
    monkeypatch.setattr(running, "stream", steps(settings, photo, 3))
    sent = list(run(settings, photo))
    assert all(view["verdict"] is None for view, _ in sent[:-1] if view)
    problem = settings.problem(photo, None)
    assert sent[-1][0]["verdict"] == verdict(problem, problem.truth, settings).to_dict() != []

    monkeypatch.setattr(running, "stream", steps(settings, photo, 200))
    latest = Latest()
    updates = run(settings, photo, latest)
    while latest.step is None:
        next(updates)
    assert latest.stop()[0]["verdict"] is None


@pytest.mark.parametrize("mode", ["clean", "degraded"])
def test_a_damaged_photo_is_compared_with_itself_and_not_with_grey_holes(photo, monkeypatch, mode):
    photo = photo.resize((80, 64))  # of which a clean one is not cropped
    settings = Settings.create(mode=mode, task="inpaint-box", size=64, sigma_y=0.05)
    monkeypatch.setattr(running, "stream", steps(replace(settings, mode="clean"), photo, 3))
    view, _ = list(run(settings, photo))[-1]
    damaged, grey = images.fit(photo, 64), settings.problem(photo, None).measurement
    assert decoded(view["before"]).tobytes() == (damaged if mode == "degraded" else grey).tobytes() != b""
    assert damaged.tobytes() != grey.tobytes()


def test_every_sample_says_which_it_is(settings, photo, monkeypatch):
    several = replace(settings, samples=3)
    monkeypatch.setattr(running, "stream", steps(several, photo, 5))
    frame = list(run(several, photo))[-1][0]["frame"]
    found = [Settings.from_dict(read(base64.b64decode(uri.split(",")[1]))) for uri in frame["x0"]]
    assert [told for told, _ in found] == 3 * [several]
    assert [f"sample {number} of several" in notes[0] for number, (_, notes) in enumerate(found, 1)] == 3 * [True]
    for name in ("mean", "spread"):
        told, notes = Settings.from_dict(read(base64.b64decode(frame[name].split(",")[1])))
        assert told == several and name in notes[0]
    assert len(frame["xt"]) == len(frame["misfit"]) == 3 and "grey levels" in frame["words"]["spread"]
    assert len(set(frame["x0"])) == 3, "each shows its own sample"


def test_sentences_that_are_shown_as_text_are_not_escaped(settings, photo, monkeypatch):
    def refused(*_):
        TASKS.find('<i> & "b"')

    generator, sent = Latest().follow(refused), []
    with pytest.raises(gr.Error, match="&lt;i&gt;"):
        sent.extend(iter(lambda: next(generator), None))
    assert "<i> & " in sent[-1][1]["message"] and "&lt;" not in sent[-1][1]["message"]

    monkeypatch.setattr(Job, "check", refused)
    generator, sent = Batch().begin(Job(settings, photo), {}), []
    with pytest.raises(gr.Error, match="&lt;i&gt;"):
        sent.extend(iter(lambda: next(generator), None))
    assert "<i> & " in sent[-1]["message"] and "&lt;" not in sent[-1]["message"]


def test_first_and_last_frame_are_always_sent_and_the_last_is_exact(settings, photo, monkeypatch):
    monkeypatch.setattr(running, "stream", steps(settings, photo, 500))
    sent = list(run(settings, photo))
    shown = [view["frame"] for view, _ in sent if view and view["frame"]]
    assert shown[0]["index"] == 1 and shown[-1]["index"] == 500
    truth = images.to_image(settings.problem(photo, None).truth)
    assert decoded(shown[-1]["x0"][0]).tobytes() == truth.tobytes()
    view, status = sent[-1]
    assert view["phase"] == status["phase"] == "done" and status["progress"] == 100
    assert view["filename"].endswith(".png") and (view["width"], view["height"]) == truth.size


def test_updates_follow_the_clock_not_the_steps(settings, photo, monkeypatch):
    monkeypatch.setattr(running, "stream", steps(settings, photo, 200, seconds=0.005))
    begun = time.perf_counter()
    sent = list(run(settings, photo))
    seconds = time.perf_counter() - begun
    assert 5 <= len(sent) <= seconds / running.UPDATE_EVERY + 6
    shown = [view for view, _ in sent if view and view["frame"]]
    assert len(shown) <= seconds / running.UPDATE_EVERY + 3


def test_stop_is_heard_at_the_next_step(settings, photo, monkeypatch):
    monkeypatch.setattr(running, "stream", steps(settings, photo, 200))
    latest = Latest()
    updates = run(settings, photo, latest)
    while latest.step is None:
        next(updates)
    seen, latest.stopping = latest.step.index, True
    ((view, status),) = updates
    assert latest.step.index == seen + 1
    assert status["phase"] == view["phase"] == "stopped" and view["frame"]["index"] == seen + 1


def pausing(*_, **options):
    """A run that is within one long step for ever."""
    assert options["pauses"]
    while True:
        yield PAUSE


def test_stop_is_heard_within_a_step(settings, photo, monkeypatch):
    monkeypatch.setattr(running, "stream", pausing)
    latest = Latest()
    updates = run(settings, photo, latest)
    for _ in range(3):
        next(updates)
    latest.stopping = True
    assert [status["phase"] for _, status in updates] == ["stopped"]


def test_the_clock_is_looked_at_within_a_step(settings, photo, monkeypatch):
    monkeypatch.setattr(running, "stream", pausing)
    monkeypatch.setattr(running.limits, "current", lambda: Limits(seconds=1))
    statuses = [status for _, status in run(settings, photo, Latest())]
    assert statuses[-1]["phase"] == "stopped" and "Stopped after 1 seconds" in statuses[-1]["message"]


@pytest.mark.parametrize("yielded", [1, 2])
def test_a_stop_that_the_queue_never_hears_of_ends_the_run(settings, photo, monkeypatch, yielded):
    closed = []
    monkeypatch.setattr(running, "stream", steps(settings, photo, 10**6, seconds=0.01, closed=closed))
    latest = Latest()
    updates = run(settings, photo, latest)
    for _ in range(yielded):
        next(updates)
    latest.stopping = True
    phases = [status["phase"] for _, status in updates]
    assert phases == ["stopped"] and len(closed) == yielded - 1


def test_a_stop_at_the_last_step_is_no_end(settings, photo, monkeypatch):
    latest = Latest()

    def last(*arguments, **options):
        yield from steps(settings, photo, 1)(*arguments, **options)

    monkeypatch.setattr(running, "stream", last)
    monkeypatch.setattr(running.figures, "verdict", lambda *_: setattr(latest, "stopping", True) or "Done.")
    assert [status["phase"] for _, status in run(settings, photo, latest)][-1] == "stopped"


@pytest.mark.parametrize("yielded", [1, 3])
def test_a_stop_that_the_queue_never_hears_of_ends_a_batch(settings, photo, yielded):
    runs = [replace(settings, seed=seed) for seed in range(20)]
    batch = Batch()
    views = batch.begin(Job(settings, photo).several(runs), {})
    for _ in range(yielded):
        next(views)
    batch.stopping = True
    phases = [view["phase"] for view in views]
    assert phases == ["stopped"] and len(batch.done) < len(runs)


def test_one_that_took_long_does_not_put_the_next_off_for_ever():
    clock = frames.Clock(every=0.0, share=0.005, most=1.0)
    clock.spent(10.0)
    assert clock.due <= time.perf_counter() + 1.0


@pytest.mark.parametrize(("cost", "allowed"), [(0.001, 0.25), (1.0, 24.0)])
def test_what_costs_much_comes_seldom(monkeypatch, cost, allowed):
    now = 100.0
    monkeypatch.setattr(frames.time, "perf_counter", lambda: now)
    clock = frames.Clock(every=0.25, share=0.04)
    assert clock.due <= now, "the first comes at once"
    clock.spent(cost)
    assert clock.due - now == pytest.approx(allowed)
    assert cost / (cost + clock.due - now) <= 0.04 + 1e-9


def test_closing_the_run_closes_the_solver_at_once(settings, photo, monkeypatch):
    closed = []
    monkeypatch.setattr(running, "stream", steps(settings, photo, 10**6, seconds=0.001, closed=closed))
    latest = Latest()
    generator = run(settings, photo, latest)
    for view, _ in generator:
        if view and view["frame"]:
            break
    generator.close()
    assert len(closed) == 1, "and not after the rest of its steps, which take a quarter of an hour"
    view, status = latest.stop()
    assert status["phase"] == "stopped" and decoded(view["frame"]["x0"][0]).format == "PNG"


def test_divergence_says_so_and_keeps_the_last_good_frame(settings, photo, monkeypatch):
    def diverged(step):
        return DivergenceError("DPS diverged at step 3. Lower step_size.", step)

    monkeypatch.setattr(running, "stream", steps(settings, photo, 9, fail=(3, diverged)))
    sent, generator = [], run(settings, photo)
    with pytest.raises(gr.Error, match="Lower step_size"):
        sent.extend(iter(lambda: next(generator), None))
    view, status = sent[-1]
    assert status["phase"] == view["phase"] == "failed" and "Lower step_size" in status["message"]
    assert view["frame"]["index"] == 3


def test_a_run_without_a_photo_says_what_to_do(page):
    updates = pages.after(page, page.run, "click")({**sent(page), page.photo: None})
    shown = [next(updates), next(updates)]
    assert shown[-1][page.status]["phase"] == "failed"
    with pytest.raises(gr.Error, match="Choose a photo again"):
        next(updates)


def test_a_run_ends_at_its_time_limit(settings, photo, monkeypatch):
    monkeypatch.setattr(limits, "current", lambda: Limits(seconds=1))
    monkeypatch.setattr(running, "stream", steps(settings, photo, 10**6, seconds=0.01))
    *_, (view, status) = run(settings, photo)
    assert status["phase"] == view["phase"] == "stopped" and "most that a run may take" in status["message"]
    assert view["record"] and view["frame"]["x0"][0].startswith("data:image/png"), "as with Stop, the picture stays"


def test_a_sweep_that_is_refused_leaves_the_one_before_on_the_page(photo):
    old, job = Batch(), Job(chosen(), photo)
    old.begin(job, {})
    asked = Batch(earlier=Batch.shown(old))
    assert Batch.shown(asked) is old and Batch.shown(Batch(earlier=Batch.shown(asked))) is old
    asked.begin(job, {})
    assert Batch.shown(asked) is asked and asked.earlier is None
