"""`python -m inverse app`."""

from __future__ import annotations

import runpy
from pathlib import Path

import click


@click.command()
def app() -> None:
    """Opens the app in the browser."""
    runpy.run_path(str(Path(__file__).resolve().parents[2] / "app.py"), run_name="__main__")
