"""Load and abuse against `app.py` with its default settings, in its own process: `make test-load`.

Each prints what it measured; everybody is served or refused, and the server returns to where it was.
"""

import base64
import io
import json
import os
import socket
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
        visitor.join(app.run["id"], app.data(size=32, solver="ddnm", task="denoise", solver_ddnm_steps=4, sigma_y=0.01))
        last = visitor.outcome()
        source = last["output"]["data"][1]["frame"]["x0"][0]
        seen = Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))).convert("RGB").resize((1, 1))
        return max(abs(a - b) for a, b in zip(colour, seen.getpixel((0, 0)), strict=True))

    with ThreadPoolExecutor(8) as pool:
        worst = max(pool.map(visit, range(8)))
    measured(largest_difference=f"{worst} of 255")
    assert worst < 20


def test_clients_that_leave_stop_reading_or_never_listen(app, measured):
    files = app.files
    long = app.long(256)
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
    head = b"POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
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
