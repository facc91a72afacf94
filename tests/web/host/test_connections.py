"""Connections of a real uvicorn server: heads that never end, many at once, clients that stop reading, and the log."""

import asyncio
import contextlib
import logging
import socket
import threading
import time

import pytest
import uvicorn
from clients import Client, settles

from inverse.web.base import limits
from inverse.web.base.limits import Limits
from inverse.web.host import connections
from inverse.web.host.connections import Connections, Seldom, counted_address, room_for


async def app(scope, receive, send):
    """A word, or at /stream small frames for ever."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while scope["path"] == "/stream":
        await send({"type": "http.response.body", "body": b"x" * 4000, "more_body": True})
        await asyncio.sleep(0.01)
    await send({"type": "http.response.body", "body": b"here"})


class Served:
    """The app at a port, with its connections guarded as those of the page are."""

    def __init__(self, port):
        self.port, self.connections = port, Connections()
        self.server = uvicorn.Server(uvicorn.Config(app, port=port, lifespan="off", log_level="warning"))
        self.server.config.load()
        self.connections.guard(self.server)
        self.thread = threading.Thread(target=asyncio.run, args=(self._serve(),), daemon=True)
        self.thread.start()
        assert settles(lambda: self.server.started)

    async def _serve(self):
        self.loop, watch = asyncio.get_running_loop(), asyncio.create_task(self.connections.watch())
        await self.server.serve()
        watch.cancel()

    def connect(self, words=b"GET / HTTP/1.1\r\nHost: localhost\r\n"):
        made = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        made.sendall(words)
        return made

    def serves(self):
        return Client(self.port).ask("GET", "/") == (200, b"here")

    @property
    def count(self):
        return len(self.connections.lines)


@pytest.fixture
def allowed(monkeypatch):
    found = {"head": 1, "abandoned": 2, "connections": 30}
    monkeypatch.setattr(limits, "current", lambda: Limits(**found))
    monkeypatch.setattr(connections, "LOOK_EVERY", 0.1)
    return found


@pytest.fixture
def served(allowed, free_port):
    made = Served(free_port)
    yield made
    made.server.should_exit = made.server.force_exit = True
    made.thread.join(10)


def ended(connection):
    """Whether the server closed it."""
    connection.settimeout(0.01)
    with contextlib.suppress(TimeoutError):
        try:
            return connection.recv(1000) == b""
        except ConnectionError:
            return True
    return False


def test_who_comes_in_the_instant_in_which_it_listens_anew_is_not_lost(served, allowed):
    allowed |= {"head": 100, "abandoned": 100}
    time.sleep(0.2)  # until it has done so itself

    async def meanwhile():
        made = served.connect()
        await asyncio.sleep(0)  # it is accepted after this step, and becomes a connection after the next
        await served.connections._take_few()
        return made

    held = [asyncio.run_coroutine_threadsafe(meanwhile(), served.loop).result(20) for _ in range(3)]
    assert settles(lambda: served.count == 3, 5) and not any(map(ended, held))


@pytest.mark.parametrize("words", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\n"])
def test_a_head_that_never_ends_is_closed_and_others_are_served_meanwhile(served, words):
    held = [served.connect(words) for _ in range(5)]
    assert served.serves() and not any(map(ended, held))
    assert settles(lambda: all(map(ended, held)), 5)
    assert served.count == 0 and served.serves()


def test_a_head_that_drips_is_closed_all_the_same(served):
    dripping = served.connect(b"GET / HTTP/1.1\r\n")
    closed = threading.Event()

    def drip():
        with contextlib.suppress(OSError):
            while True:
                dripping.sendall(b"X: y\r\n")
                time.sleep(0.1)
        closed.set()

    threading.Thread(target=drip, daemon=True).start()
    assert closed.wait(10)


def test_the_second_request_of_a_connection_is_timed_too(served):
    connection = served.connect(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert settles(lambda: b"here" in connection.recv(1000), 5)
    connection.sendall(b"GET / HTTP/1.1\r\n")
    assert settles(lambda: ended(connection), 5)


def test_a_stream_that_is_read_goes_on(served):
    stream = served.connect(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
    end = time.monotonic() + 4  # beyond both limits
    while time.monotonic() < end:
        assert stream.recv(10_000)
    stream.close()


def test_a_client_that_stops_reading_small_frames_is_let_go(served):
    """Its machine takes 128 kB or so for it, and then nothing."""
    stream = served.connect(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert settles(lambda: served.count == 1)
    assert settles(lambda: served.count == 0, 15)
    stream.close()


def test_beyond_the_bound_the_one_goes_that_waits_longest_and_newcomers_are_served(served, allowed):
    allowed["head"] = 100
    held = [served.connect() for _ in range(30)]
    assert settles(lambda: served.count == 30)
    assert served.serves() and ended(held[0])
    held += [served.connect() for _ in range(5)]
    assert settles(lambda: all(map(ended, held[:5])), 5)
    assert served.serves() and served.count <= 30 and not ended(held[-1])


def test_requests_in_progress_are_never_closed_for_a_newcomer(served, allowed):
    allowed |= {"head": 100, "abandoned": 100}
    streams = [served.connect(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n") for _ in range(30)]
    assert settles(lambda: sum(map(connections.has_request, served.connections.lines)) == 30)
    working = {*served.connections.lines}
    newcomer = served.connect(b"")
    assert settles(lambda: ended(newcomer), 5) and {*served.connections.lines} == working
    for stream in streams:
        stream.close()


def test_an_address_has_a_bound_of_its_own(served, allowed, monkeypatch):
    monkeypatch.setattr(connections, "counted_address", lambda peer: "198.51.100.7")
    allowed |= {"address": 3, "head": 100}
    held = [served.connect() for _ in range(3)]
    assert settles(lambda: served.count == 3)
    assert served.serves() and ended(held[0]) and not ended(held[2])
    for each in held:
        each.close()
    assert settles(lambda: not served.connections.addresses), "nothing is remembered of who has left"


@pytest.mark.parametrize(
    ("peer", "counted"),
    [
        (("8.8.8.8", 5), "8.8.8.8"), (("::ffff:8.8.8.8", 5, 0, 0), "8.8.8.8"),
        (("2a00:1450:4001:829::200e", 5, 0, 0), "2a00:1450:4001:829::/64"), (("127.0.0.1", 5), None),
        (("10.1.2.3", 5), None), (("192.168.0.9", 5), None), (("::1", 5, 0, 0), None), (("fe80::1%a", 5, 0, 2), None),
        ("", None), (None, None), (("a name", 1), None),
    ],
)  # fmt: skip
def test_addresses_behind_which_many_may_be_are_not_counted(peer, counted):
    assert counted_address(peer) == counted


@pytest.mark.parametrize(
    ("soft", "hard", "most"), [(1024, 1024, 896), (256, 256, 128), (256, 4096, 1000), (40, 40, 20)]
)
def test_files_are_left_for_everything_else(monkeypatch, soft, hard, most):
    resource = pytest.importorskip("resource")
    set_to = []
    monkeypatch.setattr(resource, "getrlimit", lambda which: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda which, limits: set_to.append(limits))
    assert room_for(1000) == most
    assert set_to == [(min(hard, 1128), hard)]


def test_the_same_words_come_once_a_minute_into_the_log(monkeypatch, caplog):
    clock = [0.0]
    monkeypatch.setattr(connections.time, "monotonic", lambda: clock[0])
    log = logging.getLogger("test.connections")
    log.addFilter(Seldom())
    for _ in range(1000):
        log.error("socket.accept() out of system resource\nsocket: %s", "fd")
        log.error("another")
    assert len(caplog.records) == 2
    clock[0] = 61
    log.error("another")
    assert len(caplog.records) == 3 and "another (and 999 times" in caplog.text
    for index in range(1000):
        log.error(f"word {index}")
    assert len(log.filters[0].said) <= Seldom.REMEMBERED


def test_what_is_used_of_uvicorns_insides_is_there():
    from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

    config = uvicorn.Config(app)
    config.load()
    assert issubclass(config.http_protocol_class, asyncio.Protocol)
    assert {"transport", "cycle"} <= {
        *H11Protocol.connection_made.__code__.co_names,
        *H11Protocol.__init__.__code__.co_names,
    }
    assert "response_complete" in RequestResponseCycle.__init__.__code__.co_names


def test_few_are_taken_before_they_are_counted(served, monkeypatch):
    """However many come while the loop is busy: those taken and not counted use files that the bound does not know."""
    settles(lambda: len(served.server.servers) == 1 and served.connections.server.started)
    time.sleep(3 * connections.LOOK_EVERY / 10)
    taken, counted, most = [0], [0], [0]
    accept, begun = socket.socket.accept, served.connections.begun

    def accepting(self):
        made = accept(self)
        taken[0] += 1
        most[0] = max(most[0], taken[0] - counted[0])
        return made

    def beginning(protocol):
        counted[0] += 1
        begun(protocol)

    monkeypatch.setattr(socket.socket, "accept", accepting)
    monkeypatch.setattr(served.connections, "begun", beginning)
    busy = threading.Event()
    served.loop.call_soon_threadsafe(busy.wait, 30)
    held = [served.connect(b"") for _ in range(400)]
    busy.set()
    assert settles(lambda: counted[0] >= 400)
    assert connections.AT_A_TIME <= most[0] <= 3 * connections.AT_A_TIME < connections.SPARE
    for each in held:
        each.close()
    assert settles(lambda: served.count == 0) and served.serves()
