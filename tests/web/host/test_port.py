"""The port that was asked for, or a word about it."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from inverse.web.host import port

ROOT = Path(__file__).parents[3]


@pytest.fixture
def taken():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.mark.parametrize(
    "flag", [pytest.param(False, marks=pytest.mark.thorough, id="variable"), pytest.param(True, id="flag")]
)
def test_a_named_port_that_is_taken_ends_the_program_with_a_sentence(taken, flag):
    variables = {**os.environ, "GRADIO_SERVER_PORT": "" if flag else str(taken), "PYTHONPATH": str(ROOT)}
    command = ["-m", "inverse", "app", "--port", str(taken)] if flag else ["app.py"]
    command = [sys.executable, *command]
    if flag:
        del variables["GRADIO_SERVER_PORT"]
    run = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 1 and f"port {taken} cannot be opened" in run.stderr and "Traceback" not in run.stderr
    assert "open at" not in run.stdout


@pytest.mark.parametrize("text", ["x", "0", "65536", "-1", "8080.5", "9" * 5000])
def test_nonsense_for_a_port_ends_in_a_sentence(monkeypatch, text):
    monkeypatch.setenv("GRADIO_SERVER_PORT", text)
    with pytest.raises(SystemExit, match="from 1 to 65535"):
        port.named()


def test_another_port_than_the_usual_one_is_spoken_of(monkeypatch):
    monkeypatch.delenv("GRADIO_SERVER_PORT", raising=False)
    assert port.remark(7860) == ""
    assert "7860 is taken" in port.remark(7861) and "7861" in port.remark(7861)
    monkeypatch.setenv("GRADIO_SERVER_PORT", "7861")
    assert port.remark(7861) == ""


def test_a_port_that_was_not_named_is_left_to_gradio(monkeypatch):
    monkeypatch.delenv("GRADIO_SERVER_PORT", raising=False)
    assert port.opened(lambda server_port, more: (server_port, more), {"more": 1}) == (None, 1)
    monkeypatch.setenv("GRADIO_SERVER_PORT", "81")
    assert port.opened(lambda server_port: server_port, {}) == 81
    assert port.opened(lambda server_port: server_port, {"server_port": 82}) == 82
