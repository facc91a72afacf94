"""The verdict: which signs mean what, and how that is said."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from inverse.operators.noise import SHARPENED
from inverse.results.problem import Problem
from inverse.settings import Settings
from inverse.verdicts import remedies
from inverse.verdicts.case import Case
from inverse.verdicts.finding import DOUBT, GOOD, Finding, Remedy, Verdict
from inverse.verdicts.ruins import ruin

# Bounds, chosen between what was measured of right and of wrong settings: four photos of 160 and 192 pixels, eleven
# tasks, noise of 0.01 to 0.2, blurs of half to three times the right width, a quarter to four times the right noise.
UNFITTED = 1.5
"""Times the noise by which the photo is missed: 0.4 to 1.2 with right settings, 1.3 to 11 with too wide a blur."""
MISSED = 0.2
"""Share of the photo's contrast that is not explained: up to 0.15, where much noise hides it."""
GRAIN, LEFT = 0.024, 0.35
"""Noise in the result on [-1, 1], and its share of the photo's: 0.01 to 0.02 with right settings, from 0.04 and 0.42 of
the photo's on with half the noise assumed."""
COPIED = 0.75
"""Share of the noise that is fitted: up to 0.6 with right settings, 0.8 with a quarter of the noise, 0.96 after two
steps."""
VISIBLE, GONE = 0.02, 0.0125
"""Noise from which it can be seen, and up to which it cannot."""
LESS_NOISE, STRUCTURE = 1.6, 0.1
"""Times the photo's noise that was assumed, and correlation of the residual: up to 0.05 with right settings, 0.1 to 0.4
with twice to four times the noise, where fine detail is lost; less where nothing is."""
UNCHANGED = 0.006
"""Change on [-1, 1], less than a level of 255; 0.01 and more where light noise was removed."""
WIDE, FEW = 12.0, 1 / 16
"""Pixels of a gap that its rim does not decide, and share of numbers measured. Gaps of 4 to 8 pixels among random ones
reach 32 dB and more, one of 48 pixels 30 dB, half a picture 20 dB."""
COARSE_JPEG = 10
"""Quality of a JPEG up to which it drops what the eye misses."""
DIFFERENT, ALIKE = 0.1, 0.02
"""Share of the picture at which samples differ visibly."""


def verdict(problem: Problem, x0_hat: Tensor, settings: Settings | None = None) -> Verdict:
    """What can honestly be said of a restoration. It never looks at the truth, where there is one.

    Args:
        problem: what was solved.
        x0_hat: the result, (B, 3, H, W) on [-1, 1], one image a sample; each sign counts where it is worst.
        settings: that it was made with, so that no remedy is what was done already.
    """
    case = Case.of(problem, x0_hat, settings)
    if failed := ruin(case):
        return Verdict((failed,))
    doubts = tuple(_doubts(case))
    invented = tuple(_invented(case))
    return Verdict((*_praise(case, doubts, invented), *doubts, *invented, *_spread(case)))


def _doubts(case: Case) -> Iterator[Finding]:
    signs, photo = case.signs, case.photo
    if case.rippled:
        text = f"There are ripples along edges: probably {case.blame}."
        yield Finding("ripples", DOUBT, text, remedies.width(case.task, photo.found_width))
    elif signs.in_noise > UNFITTED or signs.unexplained > MISSED:
        text = "A part of what the photo shows is missing in the result."
        yield Finding("unexplained", DOUBT, text, remedies.standard(case.settings))
    left = signs.grain > GRAIN and signs.grain > LEFT * photo.noise
    grainy = left or (photo.noise >= VISIBLE and signs.copied > COPIED)
    if grainy and not case.keeps_known:
        yield _grain(case)
    # To undo a blur takes as much as that, however little is told.
    told = photo.noise if photo.width is None else max(photo.noise, SHARPENED)
    if case.sigma_y > LESS_NOISE * told and signs.structure > STRUCTURE:
        text = "Fine detail went with the grain: the photo has less noise than was assumed."
        yield Finding("smoothed", DOUBT, text, remedies.noise(told, case.sigma_y))
    if case.wider and not grainy:  # which a larger blur would raise
        text = "It is still soft: the blur is probably larger than was assumed."
        yield Finding("soft", DOUBT, text, remedies.width(case.task, photo.found_width))
    if signs.changed < UNCHANGED:
        if case.noisier:
            text = "Hardly anything changed: the photo has more noise than was assumed."
            yield Finding("unchanged", DOUBT, text, remedies.noise(photo.noise, case.sigma_y))
        else:
            yield Finding("unchanged", DOUBT, "Hardly anything changed.")


def _grain(case: Case) -> Finding:
    if case.strength < 1:
        keep = Remedy("Keep all of the restoration", {"strength": 1.0})
        return Finding("grain", DOUBT, "Grain is left, since only a part of the restoration is kept.", keep)
    level = case.photo.noise if case.noisier else 1.6 * case.sigma_y
    why = "the photo has more noise than was assumed" if case.noisier else "assume more noise to remove it"
    return Finding("grain", DOUBT, f"Grain is left: {why}.", remedies.noise(level, case.sigma_y))


def _praise(case: Case, doubts: tuple[Finding, ...], invented: tuple[Finding, ...]) -> Iterator[Finding]:
    signs, photo = case.signs, case.photo
    if doubts:
        if {each.kind for each in doubts} <= {"ripples", "grain", "soft"} and signs.in_noise <= UNFITTED:
            yield Finding("fitted", GOOD, "The result fits the photo as well as its noise allows.")
        return
    also = ""
    if case.keeps_known:
        also = "; all that was known is as it was"
    elif photo.noise >= VISIBLE and signs.grain <= max(GONE, LEFT * photo.noise):
        also = ", and the grain is gone"
    if invented:
        yield Finding("fitted", GOOD, f"The result fits the photo{also}.")
    else:
        yield Finding("restored", GOOD, f"Restored: the result fits the photo{also}.")


def _invented(case: Case) -> Iterator[Finding]:
    remedy = remedies.spread(case.task) if case.differing is None else None
    look = " See the spread." if case.differing is not None else ""
    if case.photo.gap > WIDE:
        part = "Large parts are" if case.photo.missing > 0.1 else "A part is"
        text = (
            f"{part} invented: {case.photo.missing:.0%} of the photo is missing, and the largest gap is "
            f"{case.photo.gap:.0f} pixels wide.{look}"
        )
        yield Finding("invented", DOUBT, text, remedy)
    elif any(getattr(link, "quality", COARSE_JPEG + 1) <= COARSE_JPEG for link in case.links):
        text = "Fine detail is guessed: a JPEG of this quality has dropped it."
        yield Finding("invented", DOUBT, text)
    elif case.colourless:
        yield Finding("invented", DOUBT, f"The colours are guesses: the photo does not tell them.{look}", remedy)
    elif case.share <= FEW:
        text = f"Fine detail is invented: each pixel of the photo became {1 / case.share:.0f}.{look}"
        yield Finding("invented", DOUBT, text, remedy)


def _spread(case: Case) -> Iterator[Finding]:
    if case.differing is None:
        return
    if case.differing > DIFFERENT:
        text = f"The samples differ visibly in {case.differing:.0%} of the picture: what they show there is invented."
        yield Finding("spread", DOUBT, text)
    elif case.differing < ALIKE:
        yield Finding("spread", GOOD, "The samples show the same almost everywhere.")
