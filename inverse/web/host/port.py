"""The port: one that was named is taken or refused, and another one in the place of the usual one is spoken of."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

VARIABLE = "GRADIO_SERVER_PORT"
USUAL = 7860


def named() -> int | None:
    """The port in the environment, or None.

    Raises:
        SystemExit: it is none; its text names the variable.
    """
    text = os.environ.get(VARIABLE, "")
    if not text:
        return None
    if not text.isdecimal() or not 1 <= int(text[:9]) <= 65_535:
        raise SystemExit(f"inverse: {VARIABLE} must be a whole number from 1 to 65535, and {text[:40]!r} is not.")
    return int(text)


def opened(serve: Callable[..., Any], settings: dict[str, Any]) -> Any:
    """What `serve(**settings)` gives, at the port that was named in the settings or the environment, if one was.

    Raises:
        SystemExit: that port cannot be had.
    """
    port = settings.get("server_port") or named()
    try:
        return serve(**{**settings, "server_port": port})
    except OSError as error:
        if port is None:
            raise
        raise SystemExit(
            f"inverse: port {port} cannot be opened: another program has it, or it needs rights. End that program, or "
            f"choose another port: {VARIABLE}={port + 1 if port < 65_535 else USUAL}."
        ) from error


def remark(port: int) -> str:
    """What to say of the port that is used, a sentence and a line end; nothing where it is the expected one."""
    if port == (named() or USUAL):
        return ""
    return f"Port {USUAL} is taken by another program, perhaps by another inverse: this one uses {port}.\n"
