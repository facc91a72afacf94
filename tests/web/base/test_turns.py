"""Heavy work beside the device: how many at once, one a session, and the newest of what is alike."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import gradio as gr
import pytest
from clients import Client, settles

from inverse.errors import ProblemError
from inverse.web.base import limits, turns
from inverse.web.base.turns import Superseded, Turns
from inverse.web.host import received, server


class Work:
    """Notes who works; everybody works until told to stop."""

    def __init__(self):
        self.turns, self.now, self.most, self.done, self.stop = Turns(), [], 0, [], asyncio.Event()

    async def do(self, session, name="", newest=False):
        async with self.turns.turn(session, newest):
            self.now.append(session)
            self.most = max(self.most, len(self.now))
            assert len({*self.now}) == len(self.now), "one a session"
            await self.stop.wait()
            await asyncio.sleep(0)
            self.now.remove(session)
            self.done.append(name or session)

    def start(self, *arguments, **settings):
        return asyncio.ensure_future(self.do(*arguments, **settings))


async def rest():
    for _ in range(10):
        await asyncio.sleep(0)


def test_so_many_work_at_once_and_everybody_in_the_end():
    async def play():
        work = Work()
        tasks = [work.start(f"session {index % 20}", str(index)) for index in range(60)]
        await rest()
        assert len(work.now) == turns.AT_ONCE
        work.stop.set()
        await asyncio.gather(*tasks)
        assert work.most == turns.AT_ONCE and len(work.done) == 60 and work.done[:2] == ["0", "1"]
        assert not work.turns.working and not work.turns.waiting

    asyncio.run(play())


def test_a_session_with_many_keeps_nobody_waiting():
    async def play():
        work = Work()
        many = [work.start("many") for _ in range(20)]
        await rest()
        other = work.start("other")
        await rest()
        assert sorted(work.now) == ["many", "other"]
        work.stop.set()
        await asyncio.gather(*many, other)

    asyncio.run(play())


def test_a_newer_preview_takes_the_place_of_one_that_waits_and_of_nothing_else():
    async def play():
        work = Work()
        first = work.start("a", "first", newest=True)
        await rest()
        photo, second, third = work.start("a", "photo"), work.start("a", "second", True), work.start("a", "third", True)
        other = work.start("b", "other", newest=True)
        await rest()
        with pytest.raises(Superseded):
            await second
        work.stop.set()
        await asyncio.gather(first, photo, third, other)
        assert sorted(work.done) == ["first", "other", "photo", "third"]

    asyncio.run(play())


def test_whoever_leaves_makes_room():
    async def play():
        work = Work()
        tasks = [work.start(f"session {index}") for index in range(5)]
        await rest()
        for task in (tasks[0], tasks[3]):  # one works, one waits
            task.cancel()
        await rest()
        assert len(work.turns.working) == turns.AT_ONCE and len(work.turns.waiting) == 1
        work.stop.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert not work.turns.working and not work.turns.waiting

    asyncio.run(play())


def test_more_than_can_wait_are_told(monkeypatch):
    monkeypatch.setattr(turns, "MOST_WAITING", 3)

    async def play():
        work = Work()
        tasks = [work.start(f"session {index}") for index in range(5)]
        await rest()
        with pytest.raises(ProblemError, match="Try again"):
            await work.do("late")
        work.stop.set()
        await asyncio.gather(*tasks)

    asyncio.run(play())


class Page:
    """A page with one preview, which takes until it is told that it is done."""

    def __init__(self, port):
        self.port, self.begun, self.go_on = port, [], threading.Event()
        with received.Blocks() as self.blocks:
            text, out = gr.Textbox(), gr.Textbox()
            gr.Button().click(turns.heavy(partial(self.preview), newest=True), text, out, queue=False)
            gr.Button().click(lambda text: text, text, out, queue=False)
        server.launch(self.blocks, server_name="127.0.0.1", server_port=port, prevent_thread_lock=True)

    def preview(self, text):
        self.begun.append(text)
        assert self.go_on.wait(60)
        return text

    @contextmanager
    def released(self):
        """Afterwards nothing is held up: a test that fails in here must not wait for its own threads."""
        try:
            yield
        finally:
            self.go_on.set()

    def ask(self, text, session="a", function=0):
        body = {"data": [text], "fn_index": function, "session_hash": session}
        return Client(self.port).post("/gradio_api/run/predict", body)


@pytest.fixture
def page(free_port, monkeypatch):
    monkeypatch.setattr(server, "warm_up", lambda: None)
    made = Page(free_port)
    yield made
    made.go_on.set()
    made.blocks.close(verbose=False)


def test_of_many_previews_of_a_page_only_the_first_and_the_newest_are_made(page):
    with ThreadPoolExecutor(12) as pool, page.released():
        first = pool.submit(page.ask, "first")
        assert settles(lambda: page.begun == ["first"])
        later = []
        for index in range(10):
            later.append(pool.submit(page.ask, str(index)))
            assert settles(lambda count=index: sum(task.done() for task in later) == count)
        assert page.ask("light", function=1)[1]["data"] == ["light"], "what is light does not wait"
        page.go_on.set()
        answers = [task.result() for task in [first, *later]]
    assert page.begun == ["first", "9"]
    assert [status for status, _ in answers] == [200] * 11
    assert answers[0][1]["data"] == ["first"] and answers[-1][1]["data"] == ["9"]
    assert all(said["data"] == [{"__type__": "update"}] for _, said in answers[1:-1]), "nothing changes on the page"


def test_those_that_wait_take_no_thread(page):
    count = limits.current().threads + 5
    with ThreadPoolExecutor(count) as pool, page.released():
        asked, line = [], page.blocks.turns
        for index in range(count):
            asked.append(pool.submit(page.ask, "x", f"session {index}"))
            come = settles(lambda number=index: len(line.waiting) + len(line.working) == number + 1)
            assert come, [task.exception() or task.result() for task in asked if task.done()]
        assert page.ask("light", function=1)[1]["data"] == ["light"]
        assert len(page.begun) == turns.AT_ONCE
        page.go_on.set()
        assert all(task.result()[1]["data"] == ["x"] for task in asked)
