"""The door: oversized, slow and odd requests, addresses that do not exist, and what a failure looks like outside."""

import asyncio
import json
import logging
import time

import pytest

from inverse.web.base import limits
from inverse.web.base.limits import Limits
from inverse.web.host import answers
from inverse.web.host.answers import Refusal
from inverse.web.host.gate import Gate, check_address
from inverse.web.host.origins import Names

MULTIPART = [(b"content-type", b"multipart/form-data; boundary=a")]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(limits, "current", lambda: Limits(body=1, json=16, body_time=1, clients=10, bodies=16))
    monkeypatch.setattr(answers, "DRAIN", 0.05)
    # A server that another test opened in this process may have said the same words a moment ago.
    monkeypatch.setattr(logging.getLogger("inverse.web.host.gate"), "filters", [])


async def echo(scope, receive, send):
    """Answers with the length of the body that it was given."""
    message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"%d" % len(message["body"])})


def request(app=echo, chunks=(b"",), *, method="POST", path="/gradio_api/upload", headers=(), pause=0.0, at=None):
    """(status, body) that a client gets; `chunks` is what it sends, None that it leaves."""

    async def ask():
        coming, sent = iter(chunks), []

        async def receive():
            await asyncio.sleep(pause)
            chunk = next(coming, None)
            if chunk is None:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": chunk, "more_body": True}

        async def whole():
            message = await receive()
            return {**message, "more_body": False} if "body" in message and len(chunks) == 1 else message

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": method, "path": path, "headers": list(headers), "query_string": b""}
        await (at or Gate(app))(scope, whole, send)
        status = next((m["status"] for m in sent if "status" in m), None)
        return status, b"".join(m.get("body", b"") for m in sent)

    return asyncio.run(ask())


def said(answer):
    return json.loads(answer[1])["detail"]


def test_bodies_up_to_the_limit_pass():
    assert request(chunks=[b"x" * 16 * 1024]) == (200, b"16384")
    assert request(chunks=[b"x" * 2**20], headers=MULTIPART) == (200, b"1048576")


def never(scope, receive, send):
    pytest.fail("Gradio was asked")


@pytest.mark.parametrize(("headers", "limit"), [([], 16 * 1024), (MULTIPART, 2**20)])
def test_larger_bodies_are_refused_before_gradio_sees_them(headers, limit):
    lengths = [(b"content-length", b"%d" % (limit + 1))]
    for answer in (
        request(never, [b"x" * (limit + 1)], headers=headers),
        request(never, [b"x" * 999] * (limit // 999 + 2), headers=headers),  # says no length
        request(never, [b"x"], headers=[*headers, *lengths]),
        request(never, [b"x"], headers=[*headers, (b"content-length", b"-1")]),
        request(never, [b"x"], headers=[*headers, (b"content-length", b"9" * 5000)]),
    ):
        assert answer[0] == 413 and "too large" in said(answer)


JSON = [(b"content-type", b"application/json")]


@pytest.mark.parametrize("headers", [JSON + MULTIPART, MULTIPART + JSON, MULTIPART * 2])
def test_a_header_that_comes_twice_is_not_believed(headers):
    """Of two, Starlette takes the first: a body of JSON would be let in as large as a photo."""
    for length in (1, 20 * 1024):
        answer = request(never, [b"x" * length], headers=headers)
        assert answer[0] == 400 and said(answer)
    lengths = [(b"content-length", b"1"), (b"content-length", b"2")]
    assert request(never, [b"x"], headers=[*JSON, *lengths])[0] == 400


@pytest.mark.parametrize(
    "path", ["queue/join", "run/restore", "call/restore", "mcp/", "upload_progress", "upload/x", ""]
)
def test_only_an_upload_may_be_as_large_as_a_photo(path):
    """Elsewhere the body is read as JSON, whatever it says that it is."""
    assert request(never, [b"x" * 20 * 1024], headers=MULTIPART, path=f"/gradio_api/{path}")[0] in (404, 413)
    for upload in ("/gradio_api/upload", "/gradio_api/upload/"):
        assert request(chunks=[b"x" * 20 * 1024], headers=MULTIPART, path=upload)[0] == 200


def test_a_body_that_drips_is_cut_off_and_its_room_is_given_back():
    door = Gate(never)
    begun = time.perf_counter()
    answer = request(chunks=[b"x"] * 1000, pause=0.2, headers=MULTIPART, at=door)
    assert answer[0] == 408 and 1 <= time.perf_counter() - begun < 1000 * 0.2
    assert door.held == door.requests == 0


def test_a_body_that_comes_steadily_may_take_longer():
    """Five times 10 kB in 1.5 s: it is told that it broke off, at its end, and not that it was slow."""
    assert "broke off" in said(request(never, [b"x" * 10_000] * 5, pause=0.3, headers=MULTIPART))


@pytest.mark.parametrize("app", ["echo", "failing", "five_hundred", "full_disk"])
def test_the_room_of_a_body_is_given_back_when_it_was_answered(app):
    door = Gate(globals()[app])
    request(chunks=[b"x" * 1000], headers=MULTIPART, at=door)
    assert door.held == door.requests == 0


def test_a_client_that_leaves_in_the_middle_leaves_nothing():
    door = Gate(never)
    request(chunks=[b"x" * 1000, None], headers=MULTIPART, at=door)
    assert door.held == door.requests == 0


def test_many_bodies_at_once_are_told_to_come_back(monkeypatch):
    door = Gate(never)
    door.held = 16 * 2**20
    assert request(chunks=[b"x"], headers=MULTIPART, at=door)[0] == 503
    assert door.held == 16 * 2**20


def test_many_requests_at_once_are_told_to_come_back():
    door = Gate(echo)
    door.requests = 10
    answer = request(at=door)
    assert answer[0] == 503 and "minute" in said(answer) and door.requests == 10


async def failing(scope, receive, send):
    raise KeyError("/home/secret/file.py")


async def five_hundred(scope, receive, send):
    body = json.dumps({"error": None, "path": "/home/secret"}).encode()
    await send({"type": "http.response.start", "status": 500, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


async def our_error(scope, receive, send):
    await send({"type": "http.response.start", "status": 500, "headers": []})
    await send({"type": "http.response.body", "body": b'{"error": "steps must be from 1 to 5."}'})


async def full_disk(scope, receive, send):
    raise OSError(28, "No space left on device", "/home/secret")


def test_no_failure_inside_shows_outside(caplog):
    for app, status in ((failing, 400), (five_hundred, 400), (full_disk, 503)):
        answer = request(app)
        assert answer[0] == status and said(answer).endswith(".") and b"secret" not in answer[1]
    assert "secret" in caplog.text, "the log has the details"
    assert said(request(our_error)) == "steps must be from 1 to 5."


SERVED = ("", "config", "assets/a.js", "favicon.ico", "theme.css", "gradio_api/upload", "gradio_api/queue/join",
          "gradio_api/info", "gradio_api/file=/tmp/a/b.png", "gradio_api/heartbeat/abc")  # fmt: skip
CLOSED = ("proxy=http://x.hf.space/", "component_server", "vibe-edit", "runs", "file=http://127.0.0.1/",
          "file=HTTPS://x", "file=https:/x", "file=ftp://x", "file=http%3A//x", "process_recording", "dev/reload",
          "deep_link", "stream/a/b", "", "file/etc")  # fmt: skip


def test_only_this_apps_addresses_are_served():
    def status(path, query=b""):
        try:
            check_address({"path": path, "query_string": query, "headers": []})
        except Refusal as refusal:
            return refusal.status
        return 200

    for path in SERVED:
        assert status(f"/{path}") == 200, path
    for path in CLOSED:
        assert status(f"/gradio_api/{path}") == 404, path
    assert status("/monitoring/summary") == status("/login") == 404
    assert status("/", b"c=" + b"a" * 10_000) == 200
    assert status("/", b"c=" + b"a" * 1_000_000) == 414
    assert status("/" + "a" * 1_000_000) == 414


def test_what_is_not_served_never_reaches_gradio():
    for path in CLOSED:
        assert request(never, method="GET", path=f"/gradio_api/{path}")[0] == 404, path
    assert request(never, method="GET", path="/" + "a" * 1_000_000)[0] == 414


def test_websockets_are_closed():
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(Gate(never)({"type": "websocket", "path": "/"}, None, send))
    assert sent == [{"type": "websocket.close", "code": 1003}]


DIRECT = ("run/predict", "run/preview/", "api/predict")


@pytest.mark.parametrize("path", DIRECT)
@pytest.mark.parametrize(
    "body",
    [{"data": [], "fn_index": 0}, {"session_hash": None}, {"session_hash": ""}, {"session_hash": "a" * 101},
     {"session_hash": 5}, {"session_hash": ["a"]}, [], None, "a"],
)  # fmt: skip
def test_a_handler_called_without_a_session_never_reaches_gradio_which_would_build_one(path, body):
    answer = request(never, [json.dumps(body).encode()], path=f"/gradio_api/{path}")
    assert answer[0] == 400 and said(answer).endswith(".")


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 15_000, b"\xff"])
def test_a_call_that_is_no_json_is_refused(body):
    assert request(never, [body], path="/gradio_api/run/predict")[0] == 400


def test_calls_with_a_session_and_jobs_for_the_queue_pass():
    body = json.dumps({"data": [], "session_hash": "abc"}).encode()
    assert request(chunks=[body], path="/gradio_api/run/predict")[0] == 200
    assert request(chunks=[b"{}"], path="/gradio_api/call/restore")[0] == 200, "the queue names a session itself"


def test_a_heartbeat_of_a_long_name_is_refused():
    assert request(never, method="GET", path="/gradio_api/heartbeat/" + "a" * 101)[0] == 400


def test_a_foreign_page_and_a_foreign_name_never_reach_gradio():
    door = Gate(never, Names(anywhere=False))
    foreign = [(b"host", b"localhost:7860"), (b"origin", b"https://evil.example")]
    for method in ("POST", "GET", "OPTIONS"):
        answer = request(method=method, headers=[*MULTIPART, *foreign], at=door)
        assert answer[0] == 403 and "another website" in said(answer)
    answer = request(method="GET", headers=[(b"host", b"evil.example:7860")], at=door)
    assert answer[0] == 403 and "APP_HOSTS" in said(answer)
