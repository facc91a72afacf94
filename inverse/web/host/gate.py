"""What is let through to Gradio: which addresses, how large a body may be, who may ask and for which session."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inverse.web.base import limits
from inverse.web.base.sessions import LONGEST_NAME, Sessions
from inverse.web.host.answers import NOT_UNDERSTOOD, Answer, Refusal, header
from inverse.web.host.origins import Names

log = logging.getLogger(__name__)

API = "/gradio_api/"
OPEN = {
    "api", "app_id", "call", "cancel", "heartbeat", "info", "login_check", "mcp", "openapi.json", "queue", "reset",
    "run", "startup-events", "theme.css", "token", "upload", "upload_progress", "user",
}  # fmt: skip
"""What this app uses below /gradio_api, besides files. The rest of Gradio's is for other apps: a proxy, file servers
for components, editing by a language model, run histories."""
CLOSED = {"deep_link", "dev", "login", "logout", "monitoring", "openapi.json", "proxy", "pwa_icon"}
"""Gradio's addresses outside it that this app has no use for."""
DIRECT = (f"{API}run/", f"{API}api/")
"""Where a handler of the page is called beside the queue."""
NO_SESSION = "This request names no page that it belongs to. Reload the page, or use the API that is described there."
LONGEST_ADDRESS = 16 * 1024
SLOWEST_BODY = 20_000
"""Bytes a second, for a body that takes longer than it may."""


class Gate:
    """ASGI middleware. A body is received whole before Gradio sees it, so that one that breaks off leaves nothing."""

    def __init__(self, app: ASGIApp, names: Names | None = None) -> None:
        self.app = app
        self.names = names or Names()
        self.requests = 0
        self.held = 0
        """Bytes of bodies that are being received or worked on."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1003})
            return
        self.requests += 1
        answer = Answer(send)
        length = 0
        try:
            if self.requests > limits.current().clients:
                raise Refusal(503, "Too many visitors are here just now. Try again in a minute.")
            check_address(scope)
            self.names.check(scope)
            if scope["method"] not in ("GET", "HEAD", "OPTIONS"):
                body = await self._body(scope, receive)
                length = len(body)
                check_session(scope, body)
                receive = _replayed(body, receive)
            with _heartbeat(scope):
                await self.app(scope, receive, answer)
        except Refusal as refusal:
            await answer.refuse(refusal, receive)
        except OSError:
            log.exception("a request failed")
            await answer.refuse(Refusal(503, "The server could not store or read a file. Try again in a minute."))
        except Exception:
            log.exception("a request failed")
            await answer.refuse(Refusal(400, NOT_UNDERSTOOD))
        finally:
            self.requests -= 1
            self.held -= length

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        """The whole body.

        Raises:
            Refusal: it is too large, too slow, its headers contradict each other, or there is no room for it just now.
        """
        allowed, multipart = limits.current(), _is_upload(scope)
        most = allowed.body * 2**20 if multipart else allowed.json * 1024
        said = header(scope, b"content-length") or b"0"
        if not said.isdigit() or len(said) > 20 or int(said) > most:
            raise _too_large(most)
        parts, length, start = [], 0, time.monotonic()
        try:
            while True:
                left = start + allowed.body_time + length / SLOWEST_BODY - time.monotonic()
                message = await asyncio.wait_for(receive(), max(left, 0.001))
                if message["type"] == "http.disconnect":
                    raise Refusal(400, "The request broke off. Send it again.")
                part = message.get("body", b"")
                length += len(part)
                self.held += len(part)
                if length > most:
                    raise _too_large(most)
                if self.held > allowed.bodies * 2**20:
                    raise Refusal(503, "Too many uploads are on their way just now. Try again in a minute.")
                parts.append(part)
                if not message.get("more_body"):
                    return b"".join(parts)
        except BaseException as error:
            self.held -= length
            if isinstance(error, TimeoutError):
                raise Refusal(408, "The request came too slowly. Try again over a better connection.") from None
            raise


def check_address(scope: Scope) -> None:
    """Refuses what this app does not serve.

    Raises:
        Refusal: 404, or 414 for an address that is too long.
    """
    path = _path(scope)
    if len(scope.get("raw_path") or path) + len(scope.get("query_string", b"")) > LONGEST_ADDRESS:
        raise Refusal(414, "This address is too long. Copy the link again, or load the settings from a file.")
    refusal = Refusal(404, "There is nothing at this address. Open the page itself.")
    if path.startswith(API):
        name = path.removeprefix(API)
        if name.startswith("file="):
            # Gradio would fetch a link on behalf of whoever asks.
            if "://" in unquote(name) or name.removeprefix("file=").lower().startswith(("http:", "https:")):
                raise refusal
        elif name.split("/", 1)[0] not in OPEN:
            raise refusal
        elif name.startswith("heartbeat/") and len(name) > len("heartbeat/") + LONGEST_NAME:
            raise Refusal(400, NO_SESSION)
    elif path.strip("/").split("/", 1)[0].split("=", 1)[0] in CLOSED:
        raise refusal


def check_session(scope: Scope, body: bytes) -> None:
    """Refuses a direct call of a handler without a page's session, for which Gradio would build a whole one.

    Raises:
        Refusal: 400.
    """
    if not _path(scope).startswith(DIRECT):
        return
    try:
        session = json.loads(body).get("session_hash")
    except (ValueError, AttributeError, RecursionError):
        session = None
    if not isinstance(session, str) or not 0 < len(session) <= LONGEST_NAME:
        raise Refusal(400, NO_SESSION)


def _path(scope: Scope) -> str:
    return scope["path"].removeprefix(scope.get("root_path", ""))


def _is_upload(scope: Scope) -> bool:
    """Whether the body may hold files: only Gradio's upload puts them on disk instead of reading them as JSON."""
    kind = header(scope, b"content-type").lower()
    return kind.startswith(b"multipart/") and _path(scope).rstrip("/") == f"{API}upload"


class _heartbeat:
    """Tells the sessions that a page is open while its heartbeat stream is."""

    def __init__(self, scope: Scope) -> None:
        head, _, self.session = scope["path"].rpartition("/")
        state = getattr(scope.get("app"), "state_holder", None)
        self.sessions = state if head.endswith(f"{API}heartbeat") and isinstance(state, Sessions) else None

    def __enter__(self) -> None:
        if self.sessions is not None:
            self.sessions.page_opened(self.session)

    def __exit__(self, *_: object) -> None:
        if self.sessions is not None:
            self.sessions.page_closed(self.session)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Gives the body at once, then whatever else the connection says."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _too_large(most: int) -> Refusal:
    size = f"{most // 2**20} MB" if most >= 2**20 else f"{most // 1024} kB"
    return Refusal(413, f"This request is too large; the limit is {size}. Save the photo smaller.")
