"""What has to be in the head of the page before anything is painted.

Gradio's own `head=` and `css=` are put there by its JavaScript, when the page has been painted a few times already.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inverse.web.base.files import folder, scripts, source

END = b"</head>"


class Head:
    """ASGI middleware that ends the head of the page with our own style and script."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        early = "".join(f'<link rel="modulepreload" href="{folder()}{name}">' for name in scripts())
        script = f'<script data-modules="{folder()}">{source("base/head.js")}</script>'
        self.ours = f"<style>{source('base/head.css')}{source('base/views.css')}</style>{early}{script}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        page = scope["type"] == "http" and scope["method"] == "GET"
        if not page or scope["path"].removeprefix(scope.get("root_path", "")) not in ("", "/"):
            await self.app(scope, receive, send)
            return
        start: Message = {}
        body = b""

        async def extended(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
            if message["type"] != "http.response.body":
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            content = body.replace(END, self.ours + END, 1)
            headers = [(key, value) for key, value in start["headers"] if key.lower() != b"content-length"]
            await send({**start, "headers": [*headers, (b"content-length", b"%d" % len(content))]})
            await send({"type": "http.response.body", "body": content})

        await self.app(scope, receive, extended)
