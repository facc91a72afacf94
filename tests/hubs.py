"""A Hugging Face Hub of one's own: a server on this machine that has the files of a folder, at one commit."""

import hashlib
import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Hub(ThreadingHTTPServer):
    """What it was asked for, and how it answers.

    Attributes:
        files: contents by path in the repository.
        asked: (path, range) of every file that was asked for, in order.
        pieces: bytes after which it waits for `pause` seconds.
        cut: bytes of a file after which the connection breaks; None for never.
        resumes: it honours ranges.
    """

    daemon_threads = True

    def __init__(self, files):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.asked, self.cut, self.resumes, self.pieces, self.pause = files, [], None, True, 2**16, 0.0

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path.startswith("/api/models/"):
            body = json.dumps([listing(name, content) for name, content in self.server.files.items()]).encode()
            return self.answer(200, body)
        name = path.partition("/resolve/")[2].partition("/")[2]
        self.server.asked.append((name or path, self.headers.get("range")))
        content = self.server.files.get(name)
        if content is None:
            return self.answer(404, b"")
        begin = int((self.headers.get("range") or "bytes=0-")[6:-1]) if self.server.resumes else 0
        self.answer(206 if begin else 200, content[begin:])

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.send_header("content-type", "application/json")
        self.end_headers()
        try:
            for at in range(0, len(body), self.server.pieces):
                if self.server.cut is not None and at >= self.server.cut and status in (200, 206) and at:
                    self.connection.close()
                    return
                self.wfile.write(body[at : at + self.server.pieces])
                time.sleep(self.server.pause)
        except OSError:  # it was stopped
            self.close_connection = True


def listing(name, content):
    entry = {"type": "file", "path": name, "size": len(content)}
    git = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    if len(content) < 10_000:
        return {**entry, "oid": git}
    return {
        **entry,
        "oid": git,
        "lfs": {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 9},
    }


@contextmanager
def hub_of(monkeypatch, cache, files):
    """The Hub for this program, with nothing in its cache yet."""
    from huggingface_hub import constants

    server = Hub(files)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    monkeypatch.setattr(constants, "ENDPOINT", server.address)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
