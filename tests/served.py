"""The app in a process of its own, as the tests of load and abuse meet it."""

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from clients import Client, settles

ROOT = Path(__file__).parents[1]


class App:
    """`python app.py` on a free port, with a temporary folder that nobody else uses.

    Args:
        folder: the temporary one.
        log: a file for what it writes.
        files: how many it may have open; None for as many as the system says.
        settings: environment variables.
    """

    def __init__(self, folder, log, files=None, **settings):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder, self.log = folder, log
        environment = {**os.environ, "GRADIO_SERVER_PORT": str(self.port), "GRADIO_TEMP_DIR": str(folder), **settings}
        bounded = ["bash", "-c", f'ulimit -n {files} && exec "$0" "$@"'] if files else []
        self.process = subprocess.Popen(
            [*bounded, sys.executable, "app.py"],
            cwd=ROOT, env=environment, stdout=log.open("w"), stderr=subprocess.STDOUT,
        )  # fmt: skip
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
        self.previewed = next(
            job for job in self.config["dependencies"]
            if (named["seed"], "release") in [tuple(target) for target in job["targets"]]
        )  # fmt: skip
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

    def long(self, size):
        """A job of minutes at 256 pixels."""
        return self.data(size=size, solver="vml-map", solver_vml_map_steps=1000)

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
    def cpu(self):
        """Seconds of the processor that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def open_files(self):
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

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
