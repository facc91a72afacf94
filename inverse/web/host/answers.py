"""What a client gets when Gradio does not answer, or fails: a sentence, and nothing from inside."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

from starlette.types import Message, Receive, Scope, Send

DRAIN = 0.7
"""Seconds for which the rest of a refused body is thrown away."""
NOT_UNDERSTOOD = "This request does not fit the page. Reload the page and try again."


class Refusal(Exception):
    """An answer in the place of Gradio's.

    Attributes:
        status: of HTTP.
        sentence: cause and remedy.
    """

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


def header(scope: Scope, name: bytes) -> bytes:
    """What the request says in a header, or nothing.

    Raises:
        Refusal: it says it twice. Of two, Starlette believes the first and others the last.
    """
    said = [value for key, value in scope["headers"] if key == name]
    if len(said) > 1:
        raise Refusal(400, NOT_UNDERSTOOD)
    return said[0] if said else b""


class Answer:
    """What is sent back; a failure of Gradio's becomes a sentence, and once begun an answer is left to end."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.begun = False
        self.failed: int | None = None
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            if message["status"] == 500:
                self.failed = message["status"]
                return
        if self.failed is None:
            await self.send(message)
            return
        if message["type"] != "http.response.body":
            return
        self.body += message.get("body", b"")
        if not message.get("more_body"):
            self.begun, said = False, self.body
            await self.refuse(Refusal(400, _sentence(said)))

    async def refuse(self, refusal: Refusal, receive: Receive | None = None) -> None:
        """Answers with the sentence, unless another answer is on its way already.

        Args:
            refusal: the answer.
            receive: takes what the client still sends for a moment: most read the answer only when they have sent all,
                and a connection that is closed before that loses it.
        """
        if self.begun:
            return
        self.begun = True
        content = json.dumps({"detail": refusal.sentence, "error": refusal.sentence}).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(content)),
            (b"connection", b"close"),
        ]
        await self.send({"type": "http.response.start", "status": refusal.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": content, "more_body": receive is not None})
        if receive is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(_drained(receive), DRAIN)
            await self.send({"type": "http.response.body", "body": b""})


async def _drained(receive: Receive) -> None:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return


def _sentence(body: bytes) -> str:
    """The error that a handler of ours gave, or that there is none."""
    try:
        said = json.loads(body).get("error")
    except (ValueError, AttributeError):
        said = None
    return said if isinstance(said, str) and said else NOT_UNDERSTOOD
