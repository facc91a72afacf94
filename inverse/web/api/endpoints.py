"""The functions for programs as endpoints, of which Gradio makes the API page, its clients, and MCP tools."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import gradio as gr

from inverse.solvers.defaults import default_solver
from inverse.solvers.presets import DEFAULT_DEGRADED_TASK, DEFAULT_TASK
from inverse.web.api.api import degrade, diagnose, estimate_kernel, restore, solvers, sweep
from inverse.web.api.treating import treatments
from inverse.web.base.gradio_internals import descriptions, functions
from inverse.web.base.turns import heavy
from inverse.web.jobs.waiting import DEVICE


def publish(blocks: gr.Blocks) -> None:
    """Adds the endpoints to the page."""
    busy = [heavy(degrade), heavy(diagnose), heavy(estimate_kernel)]
    queues: tuple[tuple[Callable, dict[str, Any]], ...] = (
        (degrade, {"concurrency_limit": 2}),
        (diagnose, {"concurrency_limit": 2}),
        (estimate_kernel, {"concurrency_limit": 1}),
        (restore, {"concurrency_id": DEVICE, "concurrency_limit": 1}),
        (sweep, {"concurrency_id": DEVICE, "concurrency_limit": 1}),
        (treatments, {"concurrency_id": DEVICE, "concurrency_limit": 1}),
        (solvers, {"concurrency_limit": None}),
    )
    for function, queue in queues:
        with blocks:
            event = gr.api(
                heavy(_plain(function)) if function in busy else _plain(function),
                api_name=function.__name__,
                **queue,
            )
        # The page that explains the endpoints shows these, and not the docstring.
        handler = functions(blocks)[event["id"]]
        for component, (name, words) in zip(handler.inputs, descriptions(function).items(), strict=True):
            component.label = name
            component.api_info()["additional_description"] = words
        for component, name in zip(handler.outputs[::-1], ("record", "picture"), strict=False):
            component.label = name


def _plain(function: Callable) -> Callable:
    """The function with its examples filled in, and the types that Gradio understands in its signature.

    It takes one output for a whole `Iterator`, and MCP knows a file only where it is not one of several types; that a
    parameter may be left out is said by its default.
    """
    hints = get_type_hints(function)
    result = hints.pop("return")
    if get_origin(result) is Iterator:
        (result,) = get_args(result)
    signature = inspect.signature(function)
    parameters = [
        parameter.replace(annotation=_required(hints[name])) for name, parameter in signature.parameters.items()
    ]
    examples = {
        "TASK": DEFAULT_TASK,
        "DEGRADED": DEFAULT_DEGRADED_TASK,
        "SOLVER": default_solver(DEFAULT_DEGRADED_TASK),
    }
    for place, name in examples.items():
        function.__doc__ = (function.__doc__ or "").replace(f'"{place}"', f'"{name}"')
    function.__signature__ = signature.replace(parameters=parameters, return_annotation=result)
    function.__annotations__ = {name: _required(hint) for name, hint in hints.items()} | {"return": result}
    return function


def _required(hint: Any) -> Any:
    return next(kind for kind in get_args(hint) if kind is not type(None)) if isinstance(hint, UnionType) else hint
