"""What was measured of solvers, as pages of the app: the judge's table and the findings, made of docs/.

They are the project's own Markdown, which the browser gets as HTML, and figures beside it; nothing else of docs/ is
given out.
"""

from __future__ import annotations

from functools import cache

from markdown_it import MarkdownIt
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from inverse import resources
from inverse.web.base.files import source

FOLDER = "measured/"
JUDGE_PAGE, FINDINGS_PAGE = f"{FOLDER}judge", f"{FOLDER}findings"
"""Addresses, relative to the page."""
_PAGES = {JUDGE_PAGE: resources.JUDGE, FINDINGS_PAGE: resources.FINDINGS}


class Documents:
    """ASGI middleware that serves them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(scope.get("root_path", "")).lstrip("/") if scope["type"] == "http" else ""
        found = document(path) if path.startswith(FOLDER) else None
        if found is None:
            await self.app(scope, receive, send)
            return
        content, kind = found
        await Response(content, media_type=kind)(scope, receive, send)


@cache
def document(path: str) -> tuple[bytes, str] | None:
    """The content and the kind of a page or a figure at an address; None where there is none."""
    if path in _PAGES:
        return _page(_PAGES[path].read_text(encoding="utf-8")).encode(), "text/html; charset=utf-8"
    figures = {f"{FINDINGS_PAGE}/{file.name}": file for file in resources.FINDINGS.with_suffix("").glob("*.svg")}
    return (figures[path].read_bytes(), "image/svg+xml") if path in figures else None


def _page(text: str) -> str:
    title = text.partition("\n")[0].lstrip("# ")
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    body = body.replace("<table>", '<div tabindex="0"><table>').replace("</table>", "</table></div>")
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width"><title>{title}: inverse</title><style>{source("base/documents.css")}</style>'
        f"</head><body><main>{body}</main></body></html>"
    )
