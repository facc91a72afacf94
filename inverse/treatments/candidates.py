"""Which treatments are worth a try: settings that differ from the present ones in a value or two, under plain names.

Each changes what its name says by more than `VISIBLE` where it is proposed. By how much was measured on the example
photos, damaged in each way; `tests/treatments` holds them to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from inverse.denoisers.cards import EMBEDDED, kind_of
from inverse.diagnosis import Diagnosis
from inverse.diagnosis.signs import GRAINY
from inverse.errors import InverseError
from inverse.operators import Task, make_task
from inverse.operators.chain import LONGEST, in_order
from inverse.operators.super_resolution import Enlarge
from inverse.settings import Settings
from inverse.solvers.presets import fits
from inverse.solvers.qualities import NATURAL, STANDARD, at_quality, offered

MOST = 4
"""Treatments, the present settings included: more than four are no longer compared at a glance."""
VISIBLE = 1.0
"""Levels of 255 by which two pictures differ on average, below which hardly anybody sees it."""
MORE_NOISE = 1.6
"""Times the noise is assumed to be more, or less; x 1.6 changes a denoised photo by 2.3 levels, / 1.6 by 2 to 3."""
WIDER = 1.25
"""Times a blur is assumed to be wider, or narrower: 7 and 3 levels, gradients 1.3 and 0.85 times as strong."""
KEPT = 0.6
"""Of the restoration, where some grain is kept: 4 levels, and the rest of the grain."""
COARSER, SOFT = 0.6, 0.04
"""Times the quality of a JPEG, and sigma_y before it: 3 to 4 levels and gradients 1.05 times as strong, 2 and 0.95."""
AS_SET = "As it is set"


@dataclass(frozen=True)
class Treatment:
    """One way to restore the photo.

    Attributes:
        name: in everyday words.
        words: what it does, a sentence.
        settings: all of them, for the whole photo.
    """

    name: str
    words: str
    settings: Settings


def proposed(settings: Settings, diagnosis: Diagnosis) -> list[Treatment]:
    """The present settings, and up to three others that the photo may need; none where nothing calls for them.

    Args:
        settings: of a photo that is degraded already, with sigma_y.
        diagnosis: what was found to be wrong with it.
    """
    found = {AS_SET: Treatment(AS_SET, "The settings as they are now.", settings)}
    for name, words, other in _others(settings, diagnosis):
        if other != settings and len(found) < MOST:
            found.setdefault(name, Treatment(name, words, other))
    return [*found.values()]


_Others = Iterator[tuple[str, str, Settings]]


def _others(settings: Settings, diagnosis: Diagnosis) -> _Others:
    """What is worth a try, what is needed most first."""
    names = {link.name for link in _links(settings)}
    if "blocky" in diagnosis.kinds and "jpeg" not in names:
        yield from _no_blocks(settings, diagnosis)
    if "small" in diagnosis.kinds:
        yield from _larger(settings)
    yield from _blurs(settings, diagnosis)
    if "inpaint-mask" in names:
        yield from _fillings(settings)
    if "colorize" in names:
        yield from _colours(settings)
    if not settings.damage.keeps_known(settings.sigma_y or 0.0, degraded=True):
        yield from _noise(settings, diagnosis)
    if "jpeg" in names:
        yield from _blocks(settings)
    if any(isinstance(link, Enlarge) for link in _links(settings)):
        yield from _texture(settings)


def _no_blocks(settings: Settings, diagnosis: Diagnosis) -> _Others:
    own = _told(diagnosis, "blocky")
    if own is not None and (other := _with(settings, [*_links(settings), own])):
        quality = own.to_dict()["quality"]
        yield "No blocks", f"Takes it for a JPEG of quality {quality} too, as its file says it was saved.", other


def _larger(settings: Settings) -> _Others:
    links = _links(settings)
    for place, link in enumerate(links):
        if isinstance(link, Enlarge):
            if link.factor == 2:
                other = _replaced(settings, place, link.replace(factor=4))
                yield "Larger", "Enlarges it 4 times a side, and not 2 times.", other
            return
    # What keeps its pixels is not enlarged, and what was saved as a JPEG was small before.
    if {"inpaint-mask", "jpeg"} & {link.name for link in links}:
        return
    twice = make_task("super-resolution", {"factor": 2})
    if other := _with(settings, [*(each for each in links if each.name != "denoise"), twice]):
        yield "Larger", "Enlarges it 2 times a side.", other


def _blurs(settings: Settings, diagnosis: Diagnosis) -> _Others:
    links = _links(settings)
    for place, link in enumerate(links):
        if link.lengths:
            for name, factor, words in (
                ("Sharper", WIDER, f"Assumes a blur {WIDER:g} times as wide, and sharpens more. Edges may ring."),
                ("Softer", 1 / WIDER, "Assumes a narrower blur, and sharpens less."),
            ):
                with suppress(InverseError):  # it is as wide, or as narrow, as can be undone
                    yield name, words, _replaced(settings, place, link.enlarged(factor)[0])
            return
    own = _told(diagnosis, "blurry")
    if own is None or settings.damage.auxiliary == "kernel":
        return
    colours = [each for each in links if each.name == "colorize"]  # which was lost before, as `HAPPENED` says
    if other := _with(settings, [*colours, own, *(each for each in links if each.name not in ("colorize", "denoise"))]):
        yield "Sharper", f"Undoes the blur of about {own.to_dict()['std']:g} pixels that was found, too.", other


def _fillings(settings: Settings) -> _Others:
    sampled = settings
    for name, words, sampled in _texture(settings):
        yield name, words, sampled
    again = replace(sampled, seed=(settings.seed + 1) % 2**32)
    yield "Filled another way", "A sampler with another seed: what is missing is invented anew.", again


def _texture(settings: Settings) -> _Others:
    known = settings.damage, kind_of(settings.prior), settings.prior == EMBEDDED
    solver = at_quality(NATURAL, *known)
    if NATURAL in offered(*known) and solver != settings.solver:
        other = replace(settings, solver=solver)
        yield "More texture", "A sampler, which invents texture as photographs have it.", other


def _colours(settings: Settings) -> _Others:
    other = replace(settings, seed=(settings.seed + 1) % 2**32)
    yield "Other colours", "Another seed, and so another guess of what the colours were.", other


def _blocks(settings: Settings) -> _Others:
    """Of a photo that is taken for a JPEG already."""
    (place,) = [place for place, link in enumerate(_links(settings)) if link.name == "jpeg"]
    jpeg = _links(settings)[place]
    with suppress(InverseError):  # it is as low as can be
        lower = jpeg.replace(quality=round(COARSER * jpeg.to_dict()["quality"]))
        yield (
            "Sharper",
            "Takes it for a JPEG of lower quality, and invents more of what that lost.",
            _replaced(settings, place, lower),
        )
    softer = replace(settings, sigma_y=max(SOFT, round(MORE_NOISE * (settings.sigma_y or 0.0), 3)))
    yield "Softer", "Assumes some noise before the JPEG, and smooths more.", softer


def _noise(settings: Settings, diagnosis: Diagnosis) -> _Others:
    """Only where there is grain to speak of: by less, nobody sees what assuming more or less of it does."""
    sigma_y = settings.sigma_y or 0.0
    if "grainy" not in diagnosis.kinds and sigma_y < GRAINY:
        return
    more = replace(settings, sigma_y=min(round(sigma_y * MORE_NOISE, 3), 1.0))
    yield "Less grain", f"Assumes {MORE_NOISE:g} times the noise, and smooths more.", more
    less = replace(settings, sigma_y=round(sigma_y / MORE_NOISE, 3))
    yield "Sharper", "Assumes less noise, and takes more of what is fine for detail.", less
    if settings.strength == 1 and settings.damage.name == "denoise":
        kept = replace(settings, strength=KEPT)
        yield "Keeps more grain", f"Mixes in {1 - KEPT:.0%} of the photo as it is.", kept


def _told(diagnosis: Diagnosis, kind: str) -> Task | None:
    """The task that undoes what was found, as the photo tells it."""
    return next((each.damage for each in diagnosis.findings if each.kind == kind), None)


def _links(settings: Settings) -> list[Task]:
    return [settings.task, *settings.then]


def _replaced(settings: Settings, place: int, link: Task) -> Settings:
    """The same settings with another damage of the same kind at its place."""
    first, *then = [link if at == place else each for at, each in enumerate(_links(settings))]
    return replace(settings, task=first, then=tuple(then))


def _with(settings: Settings, links: list[Task]) -> Settings | None:
    """The same settings with other damages. The solver stays where it can, and has the same quality where it has one.

    None where there would be too many damages.
    """
    if len(links) > LONGEST:
        return None
    first, *then = links
    damage, kind, estimator = in_order(first, then), kind_of(settings.prior), settings.prior == EMBEDDED
    solver = settings.solver
    if settings.quality or not fits(damage, solver.name, kind):
        solver = at_quality(settings.quality or STANDARD, damage, kind, estimator)
    scale = settings.estimator_scale if damage.estimable else Settings.defaults()["estimator_scale"]
    return replace(settings, task=first, then=tuple(then), solver=solver, estimator_scale=scale)
