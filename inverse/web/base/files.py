"""Styles and scripts of the page: where they lie, and how the browser gets them.

Scripts are modules, which import each other by name; the page needs nothing from another host. An address holds a
digest of them all, so that a browser may keep them, and a page never mixes those of two versions.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

WEB = Path(__file__).resolve().parents[1]
FAVICON = WEB / "base" / "favicon.svg"


@cache
def scripts() -> dict[str, bytes]:
    """Every module by its path: "elements/kit.js"."""
    found = [file for file in sorted(WEB.glob("*/*.js")) if file.name != "head.js"]  # which is part of the page
    return {file.relative_to(WEB).as_posix(): file.read_bytes() for file in found}


@cache
def folder() -> str:
    """The address below which the modules are served, relative to the page."""
    return f"inverse-{hashlib.sha256(b''.join(scripts().values())).hexdigest()[:16]}/"


def styles() -> str:
    """One style for Gradio: the page's, what the elements share, then each element's own."""
    own = sorted(file.name for file in (WEB / "elements").glob("*.css") if file.name != "kit.css")
    return "".join(source(name) for name in ("base/page.css", *(f"elements/{name}" for name in ("kit.css", *own))))


def source(path: str) -> str:
    """The text of a file of the web app."""
    return (WEB / path).read_text(encoding="utf-8")


class Scripts:
    """ASGI middleware that serves the modules."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(scope.get("root_path", "")).lstrip("/") if scope["type"] == "http" else ""
        content = scripts().get(path.removeprefix(folder())) if path.startswith(folder()) else None
        if content is None:
            await self.app(scope, receive, send)
            return
        kept = {"cache-control": "public, max-age=31536000, immutable"}
        await Response(content, media_type="text/javascript", headers=kept)(scope, receive, send)
