"""Hyper-parameters declared once: range, default, unit and help, from which UI, CLI and validation are made.

A group of parameters is a frozen dataclass that derives from `Parameters`:

    @dataclass(frozen=True)
    class Blur(Parameters):
        std: float = real(2.0, 0.1, 20.0, unit="pixels", help="Width of the Gaussian.")

An instance is always valid: construction raises `ParameterError` with a sentence that names the field and its range.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Self, TypeVar, cast

from inverse.errors import ParameterError


@dataclass(frozen=True)
class Spec:
    """What is known about one parameter besides its name and default.

    Attributes:
        help: one sentence on what the parameter does.
        effect: what too low and too high look like.
        unit: unit of the value, empty for pure numbers.
        advanced: True for a parameter that a first-time user need not see.
        symbol: what formulas call it, as a docstring writes it ("zeta"); empty where they use its name.
    """

    help: str
    effect: str = ""
    unit: str = ""
    advanced: bool = False
    symbol: str = ""

    @property
    def limits(self) -> str:
        raise NotImplementedError

    def check(self, name: str, value: Any) -> Any:
        """Returns the value in its canonical type; raises ParameterError when it is not allowed."""
        raise NotImplementedError

    def parse(self, name: str, text: str) -> Any:
        """Reads a value typed by a person, then checks it."""
        return self.check(name, text)

    def refuse(self, name: str, value: Any) -> ParameterError:
        sentence = f"{name} must be {self.limits}, and {shown(value)} is not. Choose a value in that range."
        return ParameterError(sentence, parameter=name)


def shown(value: Any, length: int = 40) -> str:
    """The start of a value's text, for a sentence that refuses it."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits; lists within lists within lists
        text = f"a {type(value).__name__}"
    return text if len(text) <= length else text[: length - 3] + "..."


def _is_number(value: Any) -> bool:
    """bool is a number in Python and "7" is one in JavaScript; both are mistakes here."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


class Number(Spec):
    """What real and whole numbers share."""

    def parse(self, name: str, text: str) -> Any:
        try:
            return self.check(name, float(text))
        except ValueError:
            raise self.refuse(name, text) from None


@dataclass(frozen=True)
class Real(Number):
    low: float = -math.inf
    high: float = math.inf
    log: bool = False

    @property
    def limits(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}" + (f" ({self.unit})" if self.unit else "")

    def check(self, name: str, value: Any) -> float:
        if not _is_number(value) or not self.low <= value <= self.high:
            raise self.refuse(name, value)
        return float(value)


@dataclass(frozen=True)
class Integer(Number):
    low: int = 0
    high: int = 2**31

    @property
    def limits(self) -> str:
        return f"a whole number from {self.low} to {self.high}" + (f" ({self.unit})" if self.unit else "")

    def check(self, name: str, value: Any) -> int:
        if not _is_number(value) or not self.low <= value <= self.high or value != int(value):
            raise self.refuse(name, value)
        return int(value)


@dataclass(frozen=True)
class Choice(Spec):
    options: tuple[str, ...] = ()

    @property
    def limits(self) -> str:
        return "one of " + ", ".join(self.options)

    def check(self, name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in self.options:
            raise self.refuse(name, value)
        return value


@dataclass(frozen=True)
class Flag(Spec):
    @property
    def limits(self) -> str:
        return "true or false"

    def check(self, name: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise self.refuse(name, value)
        return value

    def parse(self, name: str, text: str) -> bool:
        if text.lower() not in ("true", "false"):
            raise self.refuse(name, text)
        return text.lower() == "true"


@dataclass(frozen=True)
class Text(Spec):
    shortest: int = 0
    longest: int = 200

    @property
    def limits(self) -> str:
        return f"a text of {self.shortest} to {self.longest} characters"

    def check(self, name: str, value: Any) -> str:
        if not isinstance(value, str) or not self.shortest <= len(value) <= self.longest:
            raise self.refuse(name, value)
        return value


def real(
    default: float, low: float, high: float, *,
    help: str, effect: str = "", unit: str = "", log: bool = False, advanced: bool = False, symbol: str = "",
) -> Any:  # fmt: skip
    """A dataclass field for a real number in [low, high]; `log` when it is best explored by factors."""
    words = {"help": help, "effect": effect, "unit": unit, "advanced": advanced, "symbol": symbol}
    return _field(default, Real(**words, low=low, high=high, log=log))


def integer(
    default: int, low: int, high: int, *,
    help: str, effect: str = "", unit: str = "", advanced: bool = False, symbol: str = "",
) -> Any:  # fmt: skip
    """A dataclass field for a whole number in [low, high]."""
    words = {"help": help, "effect": effect, "unit": unit, "advanced": advanced, "symbol": symbol}
    return _field(default, Integer(**words, low=low, high=high))


def choice(default: str, *options: str, help: str, effect: str = "", advanced: bool = False) -> Any:
    """A dataclass field for one of several words."""
    return _field(default, Choice(help=help, effect=effect, options=options, advanced=advanced))


def flag(default: bool, *, help: str, effect: str = "", advanced: bool = False) -> Any:
    """A dataclass field for a switch."""
    return _field(default, Flag(help=help, effect=effect, advanced=advanced))


def redeclared(base: type[Parameters], name: str, default: Any) -> Any:
    """A dataclass field that a base class declares, with another default."""
    return _field(default, base.specs()[name])


def _field(default: Any, spec: Spec) -> Any:
    return dataclasses.field(default=default, metadata={"spec": spec})


@dataclass(frozen=True)
class Parameters:
    """Base of every group of hyper-parameters. See the module's docstring.

    Attributes:
        name: what the command line and saved settings call it.
        title: what people read.
        summary: one sentence for people.
        group: heading under which menus offer it; empty for none.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    group: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for name, spec in self.specs().items():
            object.__setattr__(self, name, spec.check(name, getattr(self, name)))

    @classmethod
    def specs(cls) -> dict[str, Spec]:
        """The specification of every parameter, in declaration order."""
        return {f.name: f.metadata["spec"] for f in dataclasses.fields(cls)}

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        return {f.name: f.default for f in dataclasses.fields(cls)}

    @classmethod
    def create(cls, values: Mapping[str, Any]) -> Self:
        """Like the constructor, but an unknown name ends in a sentence that lists the known ones.

        Raises:
            ParameterError: a name is unknown or a value is not allowed.
        """
        known = cls.specs()
        for name in values:
            if name not in known:
                raise ParameterError(_unknown(f"a parameter of {cls.name or cls.__name__}", str(name), known))
        return cls(**values)

    def replace(self, **changes: Any) -> Self:
        """A copy with some values changed and everything checked again."""
        return type(self).create({**self.to_dict(), **changes})

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def changed(self, usual: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The values that are not the usual ones, which are the defaults when None."""
        usual = self.defaults() if usual is None else usual
        return {name: value for name, value in self.to_dict().items() if value != usual[name]}


def named(values: Any, whose: str) -> Mapping[str, Any]:
    """Values by their names, none for None; ParameterError where they are anything else, however empty it is."""
    if not isinstance(values, Mapping | None):
        raise ParameterError(
            f"The parameters of the {whose} are {shown(values)}. Give names and values, or leave it out."
        )
    return {} if values is None else values


T = TypeVar("T", bound=type[Parameters])
C = TypeVar("C", bound=type[Parameters])


class Registry(dict[str, T], Generic[T]):
    """Classes by name, in the order in which they should be offered."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def register(self, cls: C) -> C:
        """Class decorator; the class says its own `name`."""
        if not cls.name or cls.name in self:
            raise ValueError(f"{self.kind} {cls!r} needs a name of its own")
        self[cls.name] = cast(T, cls)
        return cls

    def find(self, name: Any) -> T:
        """The class of that name.

        Raises:
            ParameterError: there is none; the message lists the names that exist.
        """
        if not isinstance(name, str) or name not in self:
            raise ParameterError(_unknown(f"a {self.kind}", name if isinstance(name, str) else shown(name), self))
        return self[name]


def _unknown(what: str, name: str, known: Mapping[str, Any]) -> str:
    name = name if len(name) <= 40 else name[:37] + "..."
    close = difflib.get_close_matches(name, known, n=1)
    remedy = f"Did you mean {close[0]!r}? " if close else ""
    return f"{name!r} is not {what}. {remedy}Available: {', '.join(known) or 'none'}."
