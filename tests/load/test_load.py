"""Load and abuse against `app.py` with its default settings, in its own process: `make test-load`.

Each prints what it measured; everybody is served or refused, and the server returns to where it was.
"""

import base64
import io
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from clients import Client, settles
from PIL import Image

pytestmark = pytest.mark.load
ROOT = Path(__file__).parents[2]
JOBS = int(os.environ.get("LOAD_JOBS") or 1000)
RETURN = 150
"""Seconds within which memory returns: a session without a page is kept for 60, and its messages for 30 before."""


class App:
    """`python app.py` on a free port, with a temporary folder that nobody else uses."""

    def __init__(self, folder, log):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder, self.log = folder, log
        environment = {**os.environ, "GRADIO_SERVER_PORT": str(self.port), "GRADIO_TEMP_DIR": str(folder)}
        self.process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=log.open("w"), stderr=subprocess.STDOUT
        )
        if not settles(lambda: "is open at" in log.read_text(), 600):
            self.process.kill()
            pytest.fail(log.read_text())
        self.config = Client(self.port).config()
        self.components = {part["id"]: part for part in self.config["components"]}
        named = {part["props"].get("elem_id"): part["id"] for part in self.config["components"]}
        self.run = next(
            job for job in self.config["dependencies"]
            if set(job["outputs"]) == {named["status"], named["viewer"]} and named["seed"] in job["inputs"]
        )  # fmt: skip
        self.brought = next(
            job for job in self.config["dependencies"] if "load" in [kind for _, kind in job["targets"]]
        )
        self.received = next(
            job for job in self.config["dependencies"]
            if (named["photo"], "upload") in [tuple(target) for target in job["targets"]]
        )  # fmt: skip

    def data(self, job=None, **changes):
        """What the page would send, with `changes` by element."""
        parts = [self.components[part] for part in (job or self.run)["inputs"]]
        name = [part["props"].get("elem_id") or "" for part in parts]
        values = [None if part["type"] == "state" else part["props"].get("value") for part in parts]
        return [changes.get(key.replace("-", "_"), value) for key, value in zip(name, values, strict=True)]

    def tiny(self, **changes):
        """A job of two steps on a small picture."""
        return self.data(size=32, solver="ddnm", task="denoise", solver_ddnm_steps=2, **changes)

    def visitor(self):
        """Somebody who opened the page, which brings an example photo."""
        visitor = Client(self.port)
        opened = {"data": [], "fn_index": self.brought["id"], "session_hash": visitor.session}
        assert visitor.post("/gradio_api/run/predict", opened)[0] == 200
        return visitor

    def serve(self, data, visitor=None):
        """A visitor that does a job and reads all of it; (the last message, seconds until the first answer)."""
        visitor = visitor or self.visitor()
        begun = time.monotonic()
        status, said = visitor.join(self.run["id"], data)
        seconds = time.monotonic() - begun
        return (visitor.outcome() if status == 200 else {"refused": status, **said}), seconds

    @property
    def megabytes(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) // 1024

    @property
    def files(self):
        return sum(path.is_file() for path in self.folder.rglob("*"))

    @property
    def threads(self):
        return len(list(Path(f"/proc/{self.process.pid}/task").iterdir()))

    @property
    def waiting(self):
        return Client(self.port).ask("GET", "/gradio_api/queue/status")[1]

    def at_rest(self):
        """Its memory is what it was when the app was warm, but for a little that Python and PyTorch learned since."""
        return self.megabytes < self.rest + 30

    def serves(self):
        """Somebody new is served."""
        answer = self.serve(self.tiny())[0]
        return answer.get("success") is True or print(answer)

    def end(self):
        self.process.terminate()
        return self.process.wait(30)


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    parent = tmp_path_factory.mktemp("app")
    made = App(parent / "temporary", parent / "log")
    try:
        for _ in range(20):
            assert made.serves()  # everything is loaded and warm
        made.rest = made.megabytes
        yield made
    finally:
        made.end()
    assert not list(made.folder.iterdir()), "SIGTERM removes the folder"


@pytest.fixture
def measured(capsys):
    def say(**figures):
        with capsys.disabled():
            print("\n   ", ", ".join(f"{name} {value}" for name, value in figures.items()), end="")

    return say


def test_fifty_clients_at_once(app, measured):
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: app.serve(app.tiny()), range(50)))
    served = [answer for answer, _ in answers if answer.get("success")]
    told = [answer for answer, _ in answers if answer.get("refused") == 503]
    slowest = max(seconds for _, seconds in answers)
    measured(served=len(served), told=len(told), slowest_answer=f"{slowest:.2f} s")
    assert len(served) + len(told) == 50 and len(served) >= 16
    assert all(answer["detail"].endswith(".") for answer in told)
    assert settles(lambda: b'"queue_size":0' in app.waiting) and app.serves()


def test_a_thousand_jobs_in_a_row(app, measured):
    files, threads, begun = app.files, app.threads, time.monotonic()
    for _ in range(JOBS):
        assert app.serve(app.tiny())[0].get("success")
    seconds = (time.monotonic() - begun) / JOBS
    most = app.megabytes
    returned = settles(app.at_rest, RETURN)
    measured(
        jobs=JOBS, each=f"{seconds:.2f} s", memory=f"{app.rest} -> {most} -> {app.megabytes} MB",
        files=f"{files} -> {app.files}", threads=f"{threads} -> {app.threads}",
    )  # fmt: skip
    assert returned and app.files <= files and app.threads <= threads + 20


def test_a_thousand_uploads(app, measured):
    files = app.files
    buffer = io.BytesIO()
    Image.effect_noise((256, 256), 90).save(buffer, "PNG")
    for index in range(JOBS):
        status, said = Client(app.port).upload(buffer.getvalue() + b"%d" % index, f"<b>{index}.png")
        assert status == 200 and b"<b>" not in said
    measured(uploads=JOBS, files=f"{files} -> {app.files}", memory=f"{app.rest} -> {app.megabytes} MB")
    assert app.files <= files + JOBS + 1 and app.serves() and settles(app.at_rest, RETURN)


def test_eight_visitors_with_eight_colours_get_their_own(app, measured):
    def visit(index):
        colour, visitor = tuple((index >> bit & 1) * 200 + 20 for bit in range(3)), Client(app.port)
        buffer = io.BytesIO()
        Image.new("RGB", (64, 64), colour).save(buffer, "PNG")
        path = json.loads(visitor.upload(buffer.getvalue())[1])[0]
        visitor.join(app.received["id"], app.data(app.received, photo={"path": path}))
        assert visitor.outcome()["success"]
        visitor.join(app.run["id"], app.tiny(sigma_y=0.01))
        last = visitor.outcome()
        source = last["output"]["data"][1]["frame"]["x0"][0]
        seen = Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))).convert("RGB").resize((1, 1))
        return max(abs(a - b) for a, b in zip(colour, seen.getpixel((0, 0)), strict=True))

    with ThreadPoolExecutor(8) as pool:
        worst = max(pool.map(visit, range(8)))
    measured(largest_difference=f"{worst} of 255")
    assert worst < 40


def test_clients_that_leave_stop_reading_or_never_listen(app, measured):
    files = app.files
    long = app.data(size=256, solver_vml_map_steps=1000)
    begun = time.monotonic()
    streams = []
    for index in range(12):
        visitor = app.visitor()
        if visitor.join(app.run["id"], long)[0] != 200 or index % 3 == 0:
            continue  # never listens
        stream = visitor.listen()
        if index % 3 == 1:
            stream.close()
        else:
            streams.append(stream)  # stops reading
    assert settles(lambda: b'"queue_size":0' in app.waiting and app.serves(), 300)
    seconds = time.monotonic() - begun
    for stream in streams:
        stream.close()
    most = app.megabytes
    returned = settles(app.at_rest, RETURN)
    measured(
        queue_free_after=f"{seconds:.0f} s", memory=f"{app.rest} -> {most} -> {app.megabytes} MB",
        files=f"{files} -> {app.files}",
    )  # fmt: skip
    assert returned and app.files <= files


def test_slow_and_broken_uploads_leave_nothing(app, measured):
    files = app.files
    head = b"POST /gradio_api/upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    part = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
    broken = []
    for _ in range(50):
        stream = socket.create_connection(("127.0.0.1", app.port))
        stream.sendall(head + b"Content-Length: 1000000\r\n\r\n" + part + b"x" * 50_000)
        broken.append(stream)
    for stream in broken[:25]:
        stream.close()
    answers = [_answered(stream) for stream in broken[25:]]
    measured(slow=len(answers), told=sum(b" 408 " in answer for answer in answers), files=f"{files} -> {app.files}")
    assert all(b" 408 " in answer for answer in answers) and app.files == files


def _answered(stream):
    stream.settimeout(60)
    with stream:
        return stream.recv(200)


def test_the_rest_of_the_app_answers_while_the_device_works(app, measured):
    done = threading.Event()

    def work():
        app.serve(app.data())
        done.set()

    threading.Thread(target=work).start()
    waits = []
    while not done.wait(0.2) and len(waits) < 50:
        begun = time.monotonic()
        assert Client(app.port).ask("GET", "/theme.css")[0] == 200
        waits.append(time.monotonic() - begun)
    measured(answers=len(waits), median=f"{sorted(waits)[len(waits) // 2]:.3f} s", slowest=f"{max(waits):.2f} s")
    assert done.wait(120)
