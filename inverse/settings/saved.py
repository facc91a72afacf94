"""Settings as plain data: what is written, and what of other programs' and older data is understood."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import inverse
from inverse.denoisers.cards import EMBEDDED
from inverse.errors import ParameterError
from inverse.operators import TASKS
from inverse.operators.chain import in_order, link
from inverse.parameters import Parameters, Registry, shown
from inverse.settings.fields import DEGRADED, THEN, Setting
from inverse.solvers import SOLVERS
from inverse.solvers.defaults import GENERAL
from inverse.solvers.presets import default_solver_for, default_task
from inverse.solvers.qualities import QUALITY
from inverse.text import visible

SCHEMA = 2
OLDER = {"stop_at_noise": False, "start": "pseudo-inverse"}
"""What solvers did before schema 2, when there was no parameter for it: an old picture comes out as it was."""
UNHEARD_OF = {"pyramid": False}
"""Settings of which files say nothing that were written before there were such: how runs went then."""
BESIDE = ("inverse", "schema", "task", "solver", "quality", "stopped_at", "sample")
"""Keys that are no settings, or not plain values."""


def written(values: Mapping[str, Any]) -> dict[str, Any]:
    """Plain data of the fields of `Settings`. An auxiliary picture and further damages are left out where none is."""
    plain = {name: plain_data(value) for name, value in values.items() if value or name not in ("auxiliary", "then")}
    return {"inverse": inverse.__version__, "schema": SCHEMA, **plain}


def plain_data(value: Any) -> Any:
    """A value of a setting as JSON has it: tasks by their names and parameters."""
    if isinstance(value, Parameters):
        return {"name": value.name, "parameters": value.to_dict()}
    return [plain_data(each) for each in value] if isinstance(value, tuple) else value


def understood(data: Any, specs: Mapping[str, Setting]) -> tuple[dict[str, Any], list[str]]:
    """Arguments of `Settings.create`, of the settings in `specs`, and sentences on what could not be honoured.

    Raises:
        ParameterError: as `Settings.from_dict`.
    """
    if not isinstance(data, Mapping) or not {"schema", "task", "solver"} & set(data):
        raise ParameterError("These are no settings of this program. Use its JSON, its link or a PNG that it saved.")
    schema = data.get("schema", SCHEMA)
    if isinstance(schema, bool) or not isinstance(schema, int) or not 1 <= schema <= SCHEMA:
        raise ParameterError(
            f"These settings have the schema {shown(schema, 20)}, and this version reads {SCHEMA}. Update the program."
        )
    unknown = [name for name in data if name not in (*specs, *BESIDE)]
    task, task_parameters, left = _part(data, "task", TASKS, default_task(data.get("mode") == DEGRADED))
    then, odd = _further(data.get("then"))
    usual = GENERAL
    if schema >= 2:
        damage = in_order(TASKS.find(task)(), [link(each) for each in then or ()])
        usual = default_solver_for(damage, estimator=data.get("prior", EMBEDDED) == EMBEDDED)
    solver, solver_parameters, right = _part(data, "solver", SOLVERS, usual)
    older = {}
    if schema < 2:
        known = SOLVERS.find(solver).specs()
        older = {name: value for name, value in OLDER.items() if name in known and name not in solver_parameters}
    parameters = older | solver_parameters
    unknown += left + odd + right
    plain = {name: data[name] for name in specs if name in data} | ({"then": then} if then else {})
    if "inverse" in data:  # written by a version of the program, and not by hand
        before = {name: value for name, value in UNHEARD_OF.items() if name not in data}
        plain, older = before | plain, older | before
    for name in [name for name in plain if specs[name].clean_only and plain.get("mode") == DEGRADED]:
        if plain.pop(name) is not None:
            unknown.append(f"{name} of a photo that is degraded already")
    values = {
        **plain, "task": task, "task_parameters": task_parameters, "solver": solver,
        "solver_parameters": parameters,
    }  # fmt: skip
    if "quality" in data:  # a name, which chooses the solver
        values |= {"quality": QUALITY.check("quality", data["quality"])}
        if "solver" not in data or not data["solver"]:
            values["solver"] = None
    return values, _notes(data, unknown, older)


def _further(value: Any) -> tuple[Any, list[str]]:
    """Further damages without parameters that are not known, and the names of those; what is no list stays as it is."""
    if not isinstance(value, list) or not all(isinstance(each, str | Mapping) for each in value):
        return THEN.check("then", value), []
    parts = [_part({"then": each}, "then", TASKS, "") for each in value]
    unknown = [name.replace("then", f"then.{place}", 1) for place, part in enumerate(parts, 1) for name in part[2]]
    return [{"name": name, "parameters": parameters} for name, parameters, _ in parts], unknown


def _part(data: Mapping, key: str, registry: Registry, default: str) -> tuple[str, dict[str, Any], list[str]]:
    """Name, known parameters, and names of what is not known, of the task or the solver."""
    part = data.get(key, default)
    part = {"name": part} if isinstance(part, str) else part
    parameters = part.get("parameters", {}) if isinstance(part, Mapping) else None
    if not isinstance(parameters, Mapping):
        raise ParameterError(f"{key} in these settings must have a name and parameters. Save them again.")
    name = part.get("name", default)
    specs = registry.find(name).specs()
    unknown = [f"{key}.{entry}" for entry in part if entry not in ("name", "parameters")]
    unknown += [f"{key}.parameters.{entry}" for entry in parameters if entry not in specs]
    return name, {entry: value for entry, value in parameters.items() if entry in specs}, unknown


def _notes(data: Mapping, unknown: list[str], older: Mapping[str, Any]) -> list[str]:
    notes = []
    if unknown:
        names = ", ".join(visible(str(name)[:60]) for name in unknown[:12]) + (", …" if len(unknown) > 12 else "")
        notes.append(f"These settings are not known here and were left out: {names}.")
    if older:
        values = ", ".join(f"{name} = {shown(value)}" for name, value in older.items())
        notes.append(f"They are older than some parameters, which are set as it worked then: {values}.")
    version = data.get("inverse")
    if version is not None and version != inverse.__version__:
        notes.append(
            f"They were saved by version {_plain(version, 20)}; this is {inverse.__version__}, so pixels may differ."
        )
    if data.get("sample") is not None:
        notes.append(f"That picture was sample {_plain(data['sample'], 10)} of several; a run draws them all.")
    if data.get("stopped_at") is not None:
        notes.append(f"That picture was stopped at step {shown(data['stopped_at'], 10)}; a run goes on to the end.")
    return notes


def _plain(value: Any, length: int) -> str:
    """The start of a value's text, without quotation marks."""
    return visible(value[:length]) if isinstance(value, str) else shown(value, length)
