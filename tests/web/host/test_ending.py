"""SIGTERM and Ctrl+C end the program while it computes and streams, at once and with nothing left behind."""

import os
import signal
import socket
import subprocess
import sys

import pytest
from clients import Client, settles

pytest.importorskip("fcntl")

APP = """
import sys

from inverse.web.host import folder

folder.own()  # as `build` does, before Gradio is imported, which reads where its files go

import gradio as gr
import torch

from inverse.web.host import server

server.warm_up = lambda: None


def work():
    weights = torch.randn(64, 64, 3, 3, requires_grad=True)
    while True:  # as a network with a backward pass, in threads of PyTorch's own
        torch.nn.functional.conv2d(torch.randn(1, 64, 96, 96), weights).square().sum().backward()
        yield "x"


with gr.Blocks() as blocks:
    out = gr.Textbox()
    gr.Button().click(work, None, out)
server.launch(blocks, server_name="127.0.0.1", server_port=int(sys.argv[1]))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_busy_program_and_leaves_nothing(number, tmp_path, free_port):
    (tmp_path / "app.py").write_text(APP)
    folder, log = tmp_path / "temporary", tmp_path / "log"
    environment = {**os.environ, "GRADIO_TEMP_DIR": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)}
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, str(tmp_path / "app.py"), str(free_port)],
            env=environment, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        assert settles(lambda: "is open at" in log.read_text() or process.poll() is not None, 120)
        visitor = Client(free_port)
        assert visitor.join(0, [])[0] == 200
        stream = visitor.messages()
        assert any(message["msg"] == "process_generating" for message in stream)
        idle = socket.create_connection(("127.0.0.1", free_port))
        process.send_signal(number)
        assert process.wait(30) == 0
        idle.close()
    finally:
        process.kill()
    assert "terminate called" not in log.read_text() and "Traceback" not in log.read_text(), log.read_text()
    assert not list(folder.iterdir())
