"""What tiny requests cost the server and everybody else: one of them, and the worst sixty at once.

Bounds are relative to what the same server was measured to do in the same test, since machines differ.
"""

import io
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from clients import Client, settles
from PIL import Image
from served import App


pytestmark = pytest.mark.load
MANY = 60


class Bystander:
    """Somebody who asks for a small file again and again while others do something; how long the answers took."""

    def __init__(self, port):
        self.port, self.waits, self.over = port, [], threading.Event()
        self.thread = threading.Thread(target=self._ask)

    def _ask(self):
        while not self.over.wait(0.05):
            begun = time.monotonic()
            assert Client(self.port).ask("GET", "/theme.css")[0] == 200
            self.waits.append(time.monotonic() - begun)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    @property
    def longest(self):
        return max(self.waits)


class Peak:
    """The most memory of the server while something goes on."""

    def __init__(self, app):
        self.app, self.most, self.over = app, 0, threading.Event()
        self.thread = threading.Thread(target=self._look)

    def _look(self):
        while not self.over.wait(0.02):
            self.most = max(self.most, self.app.megabytes)

    def __enter__(self):
        self.before = self.app.megabytes
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    @property
    def more(self):
        return self.most - self.before


def cost(app, ask, count=MANY):
    """(seconds of the processor of one, seconds of a reference of one, its answers, those of many, bystander, peak)."""
    visitor = Client(app.port)
    begun = app.cpu
    for _ in range(20):
        assert visitor.ask("GET", "/theme.css")[0] == 200
    reference = (app.cpu - begun) / 20
    begun = app.cpu
    ones = [ask(0) for _ in range(3)]
    one = (app.cpu - begun) / 3
    begun = app.cpu
    with Bystander(app.port) as bystander, Peak(app) as peak:
        time.sleep(0.3)
        with ThreadPoolExecutor(count) as pool:
            answers = list(pool.map(ask, range(count)))
        time.sleep(0.3)
    return {
        "one": one, "reference": reference, "all": app.cpu - begun, "longest": bystander.longest, "more": peak.more,
        "answers": [*ones, *answers],
    }  # fmt: skip


def shown(found):
    statuses = [answer[0] for answer in found["answers"]]
    return {
        "one": f"{1000 * found['one']:.0f} ms", "reference": f"{1000 * found['reference']:.0f} ms",
        f"{MANY} at once": f"{found['all']:.1f} s of CPU", "others waited": f"{found['longest']:.2f} s",
        "memory": f"+{found['more']} MB", "statuses": {status: statuses.count(status) for status in {*statuses}},
    }  # fmt: skip


def photo_of(size, kind="PNG"):
    buffer = io.BytesIO()
    Image.new("RGB", size, "orange").save(buffer, kind)
    return buffer.getvalue()


def uploaded(app, content):
    return {"path": json.loads(Client(app.port).upload(content)[1])[0], "meta": {"_type": "gradio.FileData"}}


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """An app for pictures of 2048 pixels a side, as one with a GPU is."""
    parent = tmp_path_factory.mktemp("large")
    made = App(parent / "temporary", parent / "log", APP_MAX_SIDE="2048", APP_MAX_WORK="50000")
    try:
        assert made.serves()
        yield made
    finally:
        made.end()


def test_a_request_without_a_session(app, measured):
    body = {"data": [], "fn_index": app.brought["id"]}
    found = cost(app, lambda _: Client(app.port).post("/gradio_api/run/predict", body))
    measured(**shown(found))


def test_a_request_of_a_new_session(app, measured):
    body = {"data": [], "fn_index": app.brought["id"]}

    def ask(_):
        visitor = Client(app.port)
        return visitor.post("/gradio_api/run/predict", {**body, "session_hash": visitor.session})

    measured(**shown(cost(app, ask)))


@pytest.mark.parametrize("path", ["/", "/config", "/gradio_api/info", "/gradio_api/openapi.json"])
def test_an_address(app, measured, path):
    measured(path=path, **shown(cost(app, lambda _: Client(app.port).ask("GET", path), 20)))


def previewer(app, visitor, **changes):
    data = app.data(app.previewed, task="phase-retrieval", task_phase_retrieval_oversampling=4, size=1024, **changes)
    body = {"data": data, "fn_index": app.previewed["id"], "session_hash": visitor.session}
    status, said = visitor.post("/gradio_api/run/predict", body)
    return status, str(said)[:300]


def with_photo(app, content):
    visitor = Client(app.port)
    visitor.join(app.received["id"], app.data(app.received, photo=uploaded(app, content)))
    assert visitor.outcome()["success"]
    return visitor


def test_previews_of_the_dearest_task(app, measured):
    content = photo_of((2048, 2048))
    visitors = [with_photo(app, content) for _ in range(6)]
    begun, at = app.cpu, time.monotonic()
    with Peak(app) as peak:
        print(previewer(app, visitors[0]))
    measured(one=f"{app.cpu - begun:.1f} s of CPU, {time.monotonic() - at:.1f} s, +{peak.more} MB")
    begun, at = app.cpu, time.monotonic()
    with Peak(app) as peak, Bystander(app.port) as bystander, ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda visitor: previewer(app, visitor), visitors))
    measured(
        six=f"{app.cpu - begun:.1f} s of CPU, {time.monotonic() - at:.1f} s, +{peak.more} MB",
        others_waited=f"{bystander.longest:.2f} s",
        answers={answer[0] for answer in answers},
    )


def test_photos_of_forty_megapixels(app, measured):
    content = photo_of((8000, 5000))
    files = [uploaded(app, content + b"%d" % index) for index in range(6)]

    def choose(index):
        visitor = Client(app.port)
        visitor.join(app.received["id"], app.data(app.received, photo=files[index]))
        return visitor.outcome()["success"]

    for count in (1, 6):
        begun, at = app.cpu, time.monotonic()
        with Peak(app) as peak, Bystander(app.port) as bystander, ThreadPoolExecutor(6) as pool:
            assert all(pool.map(choose, range(count)))
        measured(
            kB=len(content) // 1000,
            count=count,
            cpu=f"{app.cpu - begun:.1f} s",
            seconds=f"{time.monotonic() - at:.1f}",
            memory=f"+{peak.more} MB",
            others_waited=f"{bystander.longest:.2f} s",
        )


def test_half_open_connections(tmp_path, measured):
    app = App(tmp_path / "temporary", tmp_path / "log", files=1024)
    try:
        assert app.serves()
        before, written = app.open_files, app.log.stat().st_size
        sockets = []
        for index in range(1500):
            each = socket.create_connection(("127.0.0.1", app.port))
            each.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            sockets.append(each)
        served, begun = [], time.monotonic()
        while time.monotonic() - begun < 40:
            at = time.monotonic()
            try:
                connection = __import__("http.client").client.HTTPConnection("127.0.0.1", app.port, timeout=5)
                connection.request("GET", "/theme.css")
                served.append(connection.getresponse().status == 200 and time.monotonic() - at)
            except OSError:
                served.append(None)
            time.sleep(1)
        log = app.log.stat().st_size - written
        measured(
            files=f"{before} -> {app.open_files}",
            served=f"{sum(each is not None for each in served)} of {len(served)}",
            slowest=max((each for each in served if each), default=None),
            log=f"{log / 1e6:.1f} MB in 40 s",
        )
    finally:
        app.end()


def test_sigterm(tmp_path, measured):
    for busy in (False, True):
        app = App(tmp_path / f"temporary{busy}", tmp_path / f"log{busy}")
        assert app.serves()
        if busy:
            visitor = app.visitor()
            visitor.join(app.run["id"], app.data(size=256, solver_vml_map_steps=1000))
            stream = visitor.listen()
            time.sleep(3)
        begun = time.monotonic()
        status = app.end()
        measured(
            busy=busy,
            ended_after=f"{time.monotonic() - begun:.1f} s",
            status=status,
            terminate="terminate" in app.log.read_text(),
            left=len(list(app.folder.iterdir())),
        )
