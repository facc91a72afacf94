"""A group of parameters is always valid, and every refusal is a sentence that names the field and its limits."""

import dataclasses
import math
import re
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inverse.errors import ParameterError
from inverse.operators import TASKS
from inverse.parameters import Parameters, Registry, choice, flag, integer, real, redeclared
from inverse.solvers import SOLVERS


@dataclass(frozen=True)
class Sample(Parameters):
    name = "sample"
    width: float = real(2.0, 0.5, 4.0, unit="pixels", help="Width.")
    count: int = integer(3, 1, 9, help="Count.")
    edges: str = choice("reflect", "reflect", "circular", help="Edges.")
    clip: bool = flag(False, help="Clip.")


@dataclass(frozen=True)
class Wider(Sample):
    width: float = redeclared(Sample, "width", 3.0)


def test_a_redeclared_parameter_differs_in_its_default_only():
    assert Wider.defaults() == {**Sample.defaults(), "width": 3.0} and Wider.specs() == Sample.specs()
    with pytest.raises(ParameterError, match="width"):
        Wider(width=5.0)


HOSTILE = [math.nan, math.inf, -math.inf, 1e308, -1, None, [5], {}, "7", b"7", object(), 10**400, 1j]


@pytest.mark.parametrize("field", ["width", "count", "edges", "clip"])
@pytest.mark.parametrize("value", [*HOSTILE, "circular\n", ""])
def test_hostile_values_end_in_a_sentence(field, value):
    with pytest.raises(ParameterError) as caught:
        Sample(**{field: value})
    message = str(caught.value)
    limits = Sample.specs()[field].limits
    assert message.startswith(f"{field} must be {limits}") and re.search(r"\. [A-Z].*\.$", message)
    assert len(message) < 200


@pytest.mark.parametrize(("field", "value"), [("width", True), ("count", True), ("clip", 1), ("count", 2.5)])
def test_lookalikes_are_refused(field, value):
    with pytest.raises(ParameterError, match=field):
        Sample(**{field: value})


@given(width=st.floats(0.5, 4.0), count=st.integers(1, 9))
def test_allowed_values_round_trip(width, count):
    sample = Sample(width=width, count=float(count))
    assert Sample.create(sample.to_dict()) == sample
    assert isinstance(sample.count, int) and sample.count == count


@given(st.text(max_size=20))
def test_text_is_parsed_or_refused(text):
    for name, spec in Sample.specs().items():
        try:
            value = spec.parse(name, text)
        except ParameterError:
            continue
        assert Sample(**{name: value}).to_dict()[name] == value


@pytest.mark.parametrize("text", ["", "1", "yes", "tru", "true "])
def test_a_switch_is_true_or_false_and_no_other_word(text):
    flag = Sample.specs()["clip"]
    assert flag.parse("clip", "True") is True and flag.parse("clip", "false") is False
    with pytest.raises(ParameterError, match=r"^clip must be true or false"):
        flag.parse("clip", text)


def test_unknown_names_are_listed_with_a_suggestion():
    with pytest.raises(ParameterError, match=r"'widht' is not a parameter of sample\. Did you mean 'width'\?"):
        Sample.create({"widht": 1.0})
    with pytest.raises(ParameterError, match="width"):
        Sample().replace(depth=1)


def test_an_instance_cannot_be_made_invalid_later():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Sample().width = 100.0
    with pytest.raises(ParameterError):
        Sample().replace(width=100.0)


def test_registry_refuses_a_second_class_of_one_name():
    registry = Registry("thing")
    registry.register(Sample)
    with pytest.raises(ValueError, match="name of its own"):
        registry.register(Sample)
    for name in ("smaple", None, 3, ["sample"]):
        with pytest.raises(ParameterError, match="Available: sample"):
            registry.find(name)


@pytest.mark.parametrize("kind", [*TASKS.values(), *SOLVERS.values()], ids=lambda kind: kind.name)
def test_registered_groups_say_what_they_are(kind):
    assert kind.title and kind.summary.endswith(".")
    kind()  # the defaults are valid
    for name, spec in kind.specs().items():
        assert spec.help.endswith((".", "?")), name
        assert spec.effect.endswith(".") and len(spec.effect.split()) > 3, f"{name}: what a wrong value looks like"


def test_every_task_is_offered_under_a_heading():
    assert all(kind.group for kind in TASKS.values())


def test_tasks_and_solvers_share_no_parameter_name():
    """The command line has one flag a name."""
    tasks = {name for kind in TASKS.values() for name in kind.specs()}
    solvers = {name for kind in SOLVERS.values() for name in kind.specs()}
    assert not tasks & solvers
