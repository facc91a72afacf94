"""`python -m inverse app`."""

from __future__ import annotations

import os
import runpy
from pathlib import Path

import click


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65_535), help="Where to serve it; refused when it is taken. Default: 7860, or the "
    "next that is free.",
)  # fmt: skip
def app(port: int | None) -> None:
    """Opens the app in the browser."""
    if port is not None:
        os.environ["GRADIO_SERVER_PORT"] = str(port)
    runpy.run_path(str(Path(__file__).resolve().parents[2] / "app.py"), run_name="__main__")
