"""Errors that a person can act on: every message is a cause followed by a remedy."""

from __future__ import annotations

from typing import Any

from inverse.text import visible


class InverseError(Exception):
    """Base of every error that `inverse` raises on purpose; its text may be shown to the user as it is."""

    def __init__(self, sentence: str) -> None:
        super().__init__(visible(sentence))


class ParameterError(InverseError, ValueError):
    """A parameter is of the wrong type, out of its range, or unknown.

    Attributes:
        parameter: its name, with which the sentence begins; empty where it is about no single one.
    """

    def __init__(self, message: str, parameter: str = "") -> None:
        super().__init__(message)
        self.parameter = parameter


class ImageError(InverseError, ValueError):
    """A file is not an image that can be used safely."""


class ProblemError(InverseError, ValueError):
    """Image, task, solver and prior do not fit together."""


class PriorError(InverseError, RuntimeError):
    """The weights of a prior are missing, damaged or of an unknown kind."""


class CapacityError(InverseError, MemoryError):
    """The memory does not suffice for a picture of this size."""


class OutputError(InverseError):
    """A file cannot be written; what was there before still is."""


class DivergenceError(InverseError, ArithmeticError):
    """A solver produced a non-finite value.

    Attributes:
        last: the last finite `inverse.Step`, or None when the first one failed already.
    """

    def __init__(self, message: str, last: Any = None) -> None:
        super().__init__(message)
        self.last = last
