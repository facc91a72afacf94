"""A bare client of the app, for tests that load or attack it: it does only what it is told to."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

API = "/gradio_api"


class Client:
    """One visitor.

    Args:
        port: of the app on this machine.
        session: a new one by default.
    """

    def __init__(self, port: int, session: str | None = None) -> None:
        self.port = port
        self.session = session or uuid.uuid4().hex[:11]

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Any:
        """(status, body) of a request."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def config(self) -> dict[str, Any]:
        return json.loads(self.ask("GET", "/config")[1])

    def post(self, path: str, data: Any) -> tuple[int, Any]:
        """(status, decoded answer) of a request with JSON."""
        status, body = self.ask("POST", path, json.dumps(data).encode(), {"content-type": "application/json"})
        return status, json.loads(body)

    def join(self, function: int, data: list[Any]) -> tuple[int, Any]:
        """Asks for a job."""
        job = {"data": data, "fn_index": function, "session_hash": self.session}
        return self.post(f"{API}/queue/join", job)

    def listen(self, timeout: float = 60) -> http.client.HTTPConnection:
        """Opens the stream of messages, and reads nothing."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        connection.request("GET", f"{API}/queue/data?session_hash={self.session}")
        return connection

    def messages(self, connection: http.client.HTTPConnection | None = None) -> Iterator[dict[str, Any]]:
        """Messages as they come, to the end of the stream."""
        connection = connection or self.listen()
        answer = connection.getresponse()
        try:
            while line := answer.readline():
                if line.startswith(b"data: "):
                    message = json.loads(line[6:])
                    yield message
                    if message["msg"] == "close_stream":
                        return
        finally:
            connection.close()

    def outcome(self) -> dict[str, Any]:
        """The message that ends the job that was asked for."""
        ends = ("process_completed", "unexpected_error")
        (outcome,) = [message for message in self.messages() if message["msg"] in ends]  # the stream read to its end
        return outcome

    def upload(self, content: bytes, name: str = "photo.png") -> Any:
        """(status, body) of an upload."""
        head = f'--b\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
        body = head.encode() + content + b"\r\n--b--\r\n"
        return self.ask("POST", f"{API}/upload", body, {"content-type": "multipart/form-data; boundary=b"})


def settles(condition: Any, seconds: float = 20) -> bool:
    """Whether a condition comes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())
