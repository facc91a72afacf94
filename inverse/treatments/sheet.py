"""The part as it was and as each treatment leaves it, side by side on paper."""

from __future__ import annotations

from collections.abc import Sequence

from inverse.batch.figure import Cell, Figure
from inverse.treatments.trial import Trial, Tried


def figure(trial: Trial, tried: Sequence[Tried]) -> Figure:
    """A figure with a name below each picture, and a caption that says what each of them does.

    A PNG of it carries the present settings.
    """
    (left, top, right, bottom), (width, height) = trial.box, trial.whole
    cells = [
        Cell(trial.photo, ["As it is", ""]),
        *(Cell(each.image, [each.treatment.name, each.note]) for each in tried),
    ]
    said = " ".join(f"{each.treatment.name}: {each.treatment.words}" for each in tried)
    place = f"Columns {left} to {right} and rows {top} to {bottom} of {width} \u00d7 {height} pixels."
    return Figure([[Cell(trial.photo, ["As it is", ""]), *cells]], f"{place} {said}", trial.treatments[0].settings)
