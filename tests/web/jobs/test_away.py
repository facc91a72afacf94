"""Pages that leave in the middle of a run and come back, as a real server meets them."""

import contextlib
import re
import socket
import time

import pages
import pytest
from clients import Client, settles
from runs import steps

from inverse.imaging import images
from inverse.resources import EXAMPLES
from inverse.settings import Settings
from inverse.web.base import limits
from inverse.web.base.gradio_internals import queue_of
from inverse.web.base.limits import Limits
from inverse.web.host import server
from inverse.web.jobs import device, running, trail
from inverse.web.jobs.pace import Pace
from inverse.web.jobs.waiting import DEVICE
from inverse.web.page.cards import EXAMPLE

ALLOWED = {"abandoned": 2, "away": 30, "away_in_line": 30, "idle": 600}


def kinds(function):
    return [event for _, event in function["targets"]]


class App:
    """The page on a server, with a run that takes as many steps as it is told, each a twentieth of a second."""

    def __init__(self):
        self.page = pages.built()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        server.launch(self.page.blocks, server_name="127.0.0.1", server_port=self.port, prevent_thread_lock=True)
        self.queue = queue_of(self.page.blocks)
        self.config = Client(self.port).config()
        self.named = {part["props"].get("elem_id"): part["id"] for part in self.config["components"]}
        self.parts = {part["id"]: part for part in self.config["components"]}
        self.closed = []

    def wired(self, wanted):
        (found,) = [each for each in self.config["dependencies"] if wanted(each)]
        return found

    def on(self, name, event):
        """What is called when that happens to an element; Gradio's own part of Stop changes nothing."""
        return self.wired(lambda each: [self.named[name], event] in each["targets"] and each["outputs"])

    @property
    def jobs(self):
        return [job for job in trail._jobs.values() if job.trail.name == "run"]

    @property
    def at_rest(self):
        return not any(self.queue.active_jobs) and len(self.queue) == 0


class Tab(Client):
    """A tab of a browser with the page in it: it presses what a visitor presses, and says what its elements show."""

    def __init__(self, app):
        super().__init__(app.port)
        self.app, self.stream = app, None
        self.shown = {}
        self.pressed, self.stopped, self.back = app.on("run", "click"), app.on("stop", "click"), app.on("again", "play")
        self.begun = app.wired(lambda each: each["trigger_after"] == self.pressed["id"])
        self.asks = app.wired(lambda each: "tick" in kinds(each) and app.named["again"] in each["outputs"])
        self.call(app.wired(lambda each: "load" in kinds(each) and len(each["outputs"]) == 2))  # brings the example

    def data(self, function, **changes):
        parts = [self.app.parts[part]["props"] for part in function["inputs"]]
        return [changes.get(props.get("elem_id"), props.get("value")) for props in parts]

    def call(self, function, **changes):
        """What a handler beside the queue answers, by element; kept in `shown`."""
        asked = {"data": self.data(function, **changes), "fn_index": function["id"], "session_hash": self.session}
        status, said = self.post("/gradio_api/run/predict", asked)
        assert status == 200, said
        self.take(function, said["data"])
        return self.shown

    def take(self, function, data):
        for part, value in zip(function["outputs"], data, strict=True):
            update = isinstance(value, dict) and value.get("__type__") == "update"
            if not update or "value" in value:
                self.shown[self.app.parts[part]["props"].get("elem_id")] = value["value"] if update else value

    def run(self, listen=True):
        """Presses Restore; the token of the run."""
        self.call(self.pressed, size=128)
        assert self.join(self.begun["id"], self.data(self.begun, size=128))[0] == 200
        if listen:
            self.stream = self.listen()
        return self.shown["again"]["tokens"]["run"]

    def leave(self):
        """The tab is closed, or loaded anew."""
        self.stream.close()

    def come(self, token):
        """Comes back to a run."""
        return self.call(self.back, again={"back": {"run": token}})

    def look(self):
        return self.call(self.asks)

    @property
    def phase(self):
        return self.shown.get("status", {}).get("phase")


@pytest.fixture(scope="module")
def app():
    patch = pytest.MonkeyPatch()
    patch.setattr(server, "warm_up", lambda: None)
    patch.setattr(server, "TIDY_EVERY", 0.2)
    patch.setattr(limits, "current", lambda: Limits(**ALLOWED))
    made = App()
    yield made
    made.page.blocks.close(verbose=False)
    patch.undo()


@pytest.fixture(autouse=True)
def rest(app, monkeypatch):
    """Every run has many steps, and is over when its test is."""
    allow(monkeypatch)
    last(app, monkeypatch, 10_000)
    yield
    allow(monkeypatch, away=1, away_in_line=1)
    for mailbox in [*app.queue.pending_messages_per_session.values()]:
        mailbox.asked -= 100
    app.queue.away.pages.clear()
    assert settles(lambda: app.at_rest)


def allow(monkeypatch, **changes):
    monkeypatch.setattr(limits, "current", lambda: Limits(**{**ALLOWED, **changes}))


def last(app, monkeypatch, total):
    """Runs that begin from now on take so many steps."""
    photo, settings = images.load(EXAMPLES / f"{EXAMPLE}.jpg"), Settings.create(mode="clean", size=128, task="denoise")
    app.closed.clear()
    monkeypatch.setattr(running, "stream", steps(settings, photo, total, 0.05, app.closed))


def running_run(app, **settings):
    """A tab whose run goes on, and the run's token."""
    tab = Tab(app)
    token = tab.run(**settings)
    assert settles(lambda: any(job.step for job in app.jobs if job.trail.token == token))
    return tab, token


def step_of(tab):
    return tab.shown["viewer"]["frame"]["index"]


def test_a_run_goes_on_and_the_page_that_comes_back_sees_what_is_new_and_its_end(app, monkeypatch):
    last(app, monkeypatch, 60)
    first, token = running_run(app)
    first.leave()
    second = Tab(app)
    second.come(token)
    assert settles(lambda: second.look().get("viewer", {}).get("frame"))
    seen = step_of(second)
    assert settles(lambda: second.look() and step_of(second) > seen)
    assert second.phase == "running" and second.shown["again"] == {"tokens": {"run": token}}
    # The last picture may be seen a moment before the job is over.
    assert settles(lambda: second.look() and second.shown["again"] == {"tokens": {}})
    view = second.shown["viewer"]
    assert second.phase == "done" and step_of(second) == 60
    assert view["record"] and view["frame"]["x0"][0].startswith("data:image/png")
    (job,) = [job for job in app.jobs if job.trail.token == token]
    assert job.trail.newest and job.problem is None, "the result is kept until the page asks again"
    second.look()
    assert not job.trail.newest


def test_a_run_that_ended_meanwhile_is_shown_as_done(app, monkeypatch):
    last(app, monkeypatch, 10)
    first, token = running_run(app)
    first.leave()
    assert settles(lambda: app.at_rest)
    second = Tab(app)
    second.come(token)
    assert second.look()["viewer"]["phase"] == second.phase == "done" and second.shown["viewer"]["record"]


def test_a_page_that_does_not_come_back_ends_its_run_and_keeps_little(app, monkeypatch):
    allow(monkeypatch, away=1)
    first, token = running_run(app)
    first.leave()
    assert settles(lambda: app.closed and app.at_rest)
    (job,) = [job for job in app.jobs if job.trail.token == token]
    assert job.trail.deserted and job.problem is None and job.step is None and job.view is None
    late = Tab(app)
    late.come(token)
    assert late.look()["viewer"]["record"] and late.phase == "stopped" and "away" in late.shown["status"]["message"]


def test_a_page_that_stays_away_shortly_finds_its_run_again_and_again(app, monkeypatch):
    allow(monkeypatch, away=2)
    tab, token = running_run(app)
    tab.leave()
    for _ in range(4):
        time.sleep(0.8)
        tab = Tab(app)
        tab.come(token)
        tab.look()
    assert tab.phase == "running" and not app.closed


def test_nobody_else_finds_it(app):
    first, token = running_run(app)
    stranger = Tab(app)
    for guess in ("", "0", token[:-1], token.swapcase(), [token], {"token": token}, None, 7, "a" * 10**4):
        assert stranger.come(guess)["status"]["phase"] == "failed"
        stranger.look()
    stranger.call(stranger.back, again={"back": {"full": token, "stop": token, "": token}})
    stranger.look()
    assert "viewer" not in stranger.shown
    for odd in (None, [], "run", {"back": [token]}, {"back": token}):
        stranger.call(stranger.back, again=odd)
    first.leave()


def test_stop_works_from_the_page_that_came_back(app):
    first, token = running_run(app)
    first.leave()
    second = Tab(app)
    second.come(token)
    second.look()
    second.call(second.stopped)
    assert second.phase == "stopped" and second.shown["viewer"]["frame"]["x0"][0].startswith("data:image/png")
    assert settles(lambda: app.closed and app.at_rest)
    assert settles(lambda: second.look() and second.shown["again"] == {"tokens": {}})
    assert second.phase == "stopped"


def test_a_tab_that_stays_is_not_disturbed_by_one_that_comes(app, monkeypatch):
    last(app, monkeypatch, 40)
    first, token = running_run(app, listen=False)
    second = Tab(app)
    second.come(token)
    second.look()
    ended = first.outcome()
    first.take(first.begun, ended["output"]["data"])
    assert first.phase == "done" and first.shown["viewer"]["record"]


def test_a_run_in_line_keeps_its_place_and_begins_though_its_page_was_loaded_anew(app, monkeypatch):
    busy, _ = running_run(app)
    first, other = Tab(app), Tab(app)
    token = first.run()
    assert settles(lambda: len(app.queue.in_line) == 1)
    other.run()
    first.leave()
    second = Tab(app)
    second.come(token)
    assert second.look()["status"] == {**second.shown["status"], "phase": "waiting"}
    assert "Next in line" in second.shown["status"]["message"]
    busy.call(busy.stopped)
    assert settles(lambda: second.look() and second.phase == "running")
    other.leave()


def test_a_run_in_line_is_taken_out_of_it_by_stop_and_when_nobody_comes_back(app, monkeypatch):
    busy, _ = running_run(app)
    first, gone = Tab(app), Tab(app)
    token = first.run()
    gone.run()
    assert settles(lambda: len(app.queue.in_line) == 2)
    first.leave()
    second = Tab(app)
    second.come(token)
    second.call(second.stopped)
    assert settles(lambda: len(app.queue.in_line) == 1)
    second.look()
    assert second.phase == "stopped" and second.shown["again"] == {"tokens": {}}
    allow(monkeypatch, away=1)
    gone.leave()
    assert settles(lambda: not app.queue.in_line)
    busy.leave()


def test_while_others_wait_a_page_may_be_away_for_less_long(app, monkeypatch):
    allow(monkeypatch, away=600, away_in_line=1)
    first, _ = running_run(app)
    first.leave()
    time.sleep(2)
    assert not app.closed, "nobody waits"
    last(app, monkeypatch, 3)
    other = Tab(app)
    other.run(listen=False)
    assert other.outcome()["success"]


def test_a_job_of_a_program_ends_as_before_when_it_leaves(app):
    """It was given no token, so it cannot come back."""
    program = Tab(app)
    assert program.join(program.begun["id"], program.data(program.begun, size=128))[0] == 200
    with contextlib.closing(program.listen()) as stream:
        next(message for message in program.messages(stream) if message["msg"] == "process_generating")
    assert settles(lambda: app.at_rest), "long before its steps are done"


def test_a_run_that_is_over_teaches_the_button_what_the_next_one_takes(app, monkeypatch):
    monkeypatch.setattr(device, "PACE", Pace())
    last(app, monkeypatch, 60)
    tab = Tab(app)
    token = tab.run(listen=False)
    tab.take(tab.begun, tab.outcome()["output"]["data"])
    over = app.wired(lambda each: each["trigger_after"] == tab.begun["id"] and each["trigger_only_on_success"])
    promised = int(re.fullmatch(r"Restore ~(\d+) s", tab.call(over, size=128)["run"]).group(1))
    assert not [job for job in app.jobs if job.trail.token == token and job.trail.newest], "the page has it"
    assert promised == pytest.approx(tab.shown["status"]["seconds"], abs=1)


def test_nothing_is_noted_of_jobs_that_are_over(app, monkeypatch):
    last(app, monkeypatch, 3)
    tab = Tab(app)
    tab.run(listen=False)
    assert tab.outcome()["success"]
    assert settles(lambda: not app.queue.away.heard and not app.queue.away.pages)
    assert DEVICE in app.queue.event_queue_per_concurrency_id
