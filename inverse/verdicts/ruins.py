"""Restorations that did not work, and the most probable reason. Nothing else is said of them."""

from __future__ import annotations

from collections.abc import Iterator

from inverse.operators.noise import SHARPENED
from inverse.verdicts import remedies
from inverse.verdicts.case import Case
from inverse.verdicts.finding import BAD, Finding, Remedy

ELSEWHERE = 0.4
"""Share of the photo's contrast that is not explained."""
FAR = 4.0
"""Times the noise that the photo is missed by."""
IMPOSSIBLE = 0.03
"""Share of values beyond black and white."""
ROUGH = 5.0
"""Times the steps between pixels of the photo; of a blurred one times its width squared, by which it lowers points."""
PATTERN = 2.4
"""The same times the width, from which a blur was undone with less noise than there is: 0.9 to 1.85 with right
settings, at four photos and widths of 1.2 and 2; 3 to 8, and 6 to 16 dB less, with 1.4 times the noise assumed. Not
where no edges tell a width: stars, which are points, are rougher than that."""
WAVES = 4.0
"""Times the swing beyond edges from which ripples are all that is seen."""
GRAIN, RAISED = 0.08, 1.3
"""Noise in the result, on [-1, 1], and how many times it is that of the photo."""
TORN = 0.3
"""Step at the rim of what was filled in."""
GAUDY = 0.6
"""Distance from grey of guessed colours."""


def ruin(case: Case) -> Finding | None:
    """Why it did not work; None where it may have."""
    return next((Finding("ruined", BAD, f"This did not work: {why}.", remedy) for why, remedy in _reasons(case)), None)


def _reasons(case: Case) -> Iterator[tuple[str, Remedy | None]]:
    """The most probable ones first, each with what may help."""
    signs, again = case.signs, remedies.standard(case.settings)
    if not signs.finite:
        yield "values in it are no numbers. Its steps were most probably too large", again
    wild = signs.impossible > IMPOSSIBLE or signs.roughness > ROUGH * max(1.0, case.photo.width or 0.0) ** 2
    raised = signs.grain > GRAIN and signs.grain > RAISED * case.photo.noise
    other = "it shows something else than the photo. Most probably the method did not get far enough, or its steps"
    if signs.unexplained > ELSEWHERE:
        yield f"{other} were too large", again
    if signs.seam > TORN:
        yield "what was filled in does not fit what is around it", again
    if case.overdone and (wild or raised or signs.in_noise > FAR or signs.ripples > WAVES):
        yield f"it is full of ripples. Most probably {case.blame}", remedies.width(case.task, case.photo.found_width)
    width, told = case.photo.width, case.photo.found_width is not None
    if width is not None and told and not case.overdone and signs.roughness > PATTERN * max(1.0, width):
        more = remedies.noise(max(2 * case.sigma_y, SHARPENED), case.sigma_y)
        yield "it is covered with a pattern. Most probably the photo has more noise than was assumed", more
    if raised:
        more = remedies.noise(max(case.photo.noise, 2 * case.sigma_y), case.sigma_y)
        why = "it has more grain than the photo. Most probably the photo has more noise than was assumed"
        if case.wider:
            more = remedies.both(more, remedies.width(case.task, case.photo.found_width))
            why = f"{why}, and a larger blur"
        yield why, more
    if signs.in_noise > FAR:
        yield f"{other} were too large", again
    if wild:
        yield (
            "it has far stronger contrasts than the photo. Most probably something else happened to the photo than was "
            "said, or the steps were too large",
            again,
        )
    if case.colourless and signs.colourfulness > GAUDY:
        yield "its colours are gaudier than those of photographs", again
