"""What a client sends is looked at before Gradio does anything with it: every file in it must have been uploaded here.

Gradio itself would fetch a link, and its refusal of a path names a folder of the server.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import unquote

import gradio as gr

from inverse.errors import ImageError, ParameterError
from inverse.web.base.guards import spoken_errors, uploaded
from inverse.web.base.turns import Superseded, Turns, turn_of

SERVED = "/gradio_api/file="
"""What stands before the path in the address of an uploaded file, by which MCP clients name it."""
MAX_DEPTH = 32


class Blocks(gr.Blocks):
    """A page whose handlers see no file but uploads, and whose clients see no error but our sentences."""

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *arguments: Any, **settings: Any) -> Any:
        with spoken_errors():
            if len(inputs) != len(block_fn.inputs):
                raise ParameterError(
                    f"{len(inputs)} values came, and {len(block_fn.inputs)} are expected. Send null for the others."
                )
            return await super().preprocess_data(block_fn, [checked(value) for value in inputs], *arguments, **settings)

    @cached_property
    def turns(self) -> Turns:
        return Turns()

    async def call_function(
        self, block_fn: Any, processed_input: list[Any], iterator: Any = None, requests: Any = None,
        *arguments: Any, **settings: Any,
    ) -> dict[str, Any]:  # fmt: skip
        """Calls a handler; heavy ones in turn, and one that is superseded changes nothing on the page."""
        newest = turn_of(block_fn.fn)
        if newest is None:
            return await super().call_function(block_fn, processed_input, iterator, requests, *arguments, **settings)
        try:
            with spoken_errors():
                async with self.turns.turn(requests.session_hash, newest):
                    return await super().call_function(
                        block_fn, processed_input, iterator, requests, *arguments, **settings
                    )
        except Superseded:
            unchanged = {block_fn.outputs[0]: gr.skip()}
            return {"prediction": unchanged, "duration": 0.0, "is_generating": False, "iterator": None}


def checked(value: Any, depth: int = 0) -> Any:
    """The value, in which the addresses of uploaded files are replaced by their paths.

    Raises:
        ImageError: something in it names another file, or is nested too deeply to be one of our values.
    """
    if depth > MAX_DEPTH:
        raise ImageError("This value is nested too deeply. Send what the page or the API description asks for.")
    if isinstance(value, list):
        return [checked(entry, depth + 1) for entry in value]
    if not isinstance(value, dict):
        return value
    if "path" in value and "meta" in value:
        return {"path": str(uploaded(_local(value["path"]))), "meta": {"_type": "gradio.FileData"}}
    return {name: checked(entry, depth + 1) for name, entry in value.items()}


def _local(path: Any) -> Any:
    """The path in an address that this server gave to an uploaded file; anything else as it is."""
    if isinstance(path, str) and path.startswith(("http://", "https://")) and SERVED in path:
        return unquote(path.split(SERVED, 1)[1])
    return path
