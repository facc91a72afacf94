"""`inverse app`."""

from __future__ import annotations

import os
from importlib.util import find_spec

import click


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65_535), help="Where to serve it; refused when it is taken. Default: 7860, or the "
    "next that is free.",
)  # fmt: skip
def app(port: int | None) -> None:
    """Opens the app in the browser."""
    if find_spec("gradio") is None:
        raise click.ClickException("The app needs Gradio, which is not installed: pip install 'gradio==6.31.0'.")
    if port is not None:
        os.environ["GRADIO_SERVER_PORT"] = str(port)
    from inverse import web

    web.launch(web.build())
