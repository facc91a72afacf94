"""Controls made from specifications: one group a task or solver, and back from the page to a dict of values."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import gradio as gr

from inverse.batch.sweep import FURTHER
from inverse.errors import ParameterError
from inverse.parameters import Choice, Flag, Integer, Parameters, Real, Spec
from inverse.settings import Settings
from inverse.web.elements.number import number
from inverse.web.elements.select import select

Values = Mapping[gr.Component, Any]
"""What Gradio hands to a handler whose inputs are a set: values by component."""


ACRONYMS = {"nfe", "ode", "sde", "ve", "vp"}
TITLES = {"sigma_y": "Noise", "size": "Shorter side", "steps": "Noise levels"}


def label(name: str) -> str:
    """A name for people: 'sigma_max' -> 'Sigma max', 'ode_steps' -> 'ODE steps'; that of a task's own too."""
    name = name.removeprefix("task.")
    if match := FURTHER.fullmatch(name):
        return f"Damage {int(match[1]) + 1}: {label(match[2])}"
    if name in TITLES:
        return TITLES[name]
    words = [word.upper() if word in ACRONYMS else word for word in name.split("_")]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


@contextmanager
def in_plain_words() -> Iterator[None]:
    """A sentence on a parameter calls it what the page calls it."""
    try:
        yield
    except ParameterError as error:
        if not error.parameter:
            raise
        title = label(error.parameter)
        raise ParameterError(title + str(error).removeprefix(error.parameter)) from None


def control(spec: Spec, value: Any, *, name: str, elem_id: str) -> gr.Component:
    """The control of one parameter."""
    if isinstance(spec, Real | Integer):
        return number(spec, value, name=name, label=label(name), elem_id=elem_id)
    if isinstance(spec, Choice):
        words = {option: label(option) for option in spec.options}
        return select(spec, value, name=name, label=label(name), words=words, elem_id=elem_id)
    if isinstance(spec, Flag):
        info = " ".join(filter(None, [spec.help, spec.effect]))
        return gr.Checkbox(value, label=label(name), info=info, elem_id=elem_id, interactive=True)
    raise TypeError(f"no control for {type(spec).__name__}")


def setting(
    name: str, value: float | None, *, spec: Real | Integer | None = None, slider: bool = True,
    also: tuple[float, str] = (0, ""), without: str = "",
) -> gr.HTML:  # fmt: skip
    """The control of a run's setting that is a number, as `Settings` declares it.

    Args:
        name: of the setting.
        value: where it starts.
        spec: a narrower range than its own.
        slider, also, without: as for `number`.
    """
    known = dataclasses.replace(spec or Settings.specs()[name].spec, unit="")  # which its name says
    assert isinstance(known, Real | Integer)
    return number(known, value, name=name, label=label(name), elem_id=name, slider=slider, also=also, without=without)


@dataclass(frozen=True)
class Group:
    """The controls of one task or solver, in a column that is shown while it is chosen."""

    kind: type[Parameters]
    column: gr.Column
    controls: dict[str, gr.Component]

    def updates(self, parameters: Mapping[str, Any]) -> dict[gr.Component, Any]:
        """What sets the controls to these parameters."""
        return {self.controls[name]: gr.update(value=value) for name, value in parameters.items()}


@dataclass(frozen=True)
class Groups:
    """All groups of a registry, of which one is visible."""

    groups: dict[str, Group]

    @classmethod
    def create(cls, prefix: str, registry: Mapping[str, type[Parameters]], start: Parameters) -> Groups:
        """Builds the columns in the layout's current place.

        Args:
            prefix: of element ids.
            registry: tasks or solvers by name.
            start: the visible one, with its values.
        """
        groups = {}
        for name, kind in registry.items():
            values = start.to_dict() if name == start.name else kind.defaults()
            groups[name] = _group(f"{prefix}-{name}", kind, values, visible=name == start.name)
        return cls(groups)

    @property
    def components(self) -> list[gr.Component]:
        return [component for group in self.groups.values() for component in group.controls.values()]

    @property
    def columns(self) -> list[gr.Column]:
        return [group.column for group in self.groups.values()]

    def read(self, name: str, values: Values) -> dict[str, Any]:
        """Parameters of the named group."""
        return {parameter: values[each] for parameter, each in self.groups[name].controls.items()}

    def show(self, name: str) -> dict[gr.Column, Any]:
        """What makes one column visible and hides the others."""
        return {group.column: gr.update(visible=key == name) for key, group in self.groups.items()}


def _group(prefix: str, kind: type[Parameters], values: Mapping[str, Any], visible: bool) -> Group:
    specs = kind.specs()
    controls = {}
    classes = ["inv-group", "inv-single"] if len(specs) == 1 else ["inv-group"]
    with gr.Column(visible=visible, elem_classes=classes) as column:
        for advanced in (False, True):
            names = [name for name, spec in specs.items() if spec.advanced == advanced]
            if names:
                place = gr.Accordion("Advanced", open=False, elem_classes="inv-advanced") if advanced else nullcontext()
                with place:
                    for name in names:
                        controls[name] = control(specs[name], values[name], name=name, elem_id=f"{prefix}-{name}")
    return Group(kind, column, {name: controls[name] for name in specs})
