"""The priors of this app: which its operator offers, whether they can be used now, and how they come into memory."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing
from functools import cache
from typing import Any, NamedTuple

from inverse.denoisers import cards, catalog, hub
from inverse.denoisers.base import Denoiser
from inverse.denoisers.cards import EMBEDDED, PRIORS
from inverse.denoisers.offers import Offer, offers, safe_names
from inverse.errors import InverseError, ParameterError, ProblemError
from inverse.parameters import shown
from inverse.settings import Settings
from inverse.solvers.presets import UNTUNED, remark

log = logging.getLogger(__name__)

VARIABLE = "APP_PRIORS"
"""The environment variable with the priors on offer, between commas: names, OWNER/NAME@COMMIT, paths of one's own."""
LOCAL = ("", "127.0.0.1", "localhost", "::1")
UPDATE_EVERY = 0.25
"""Seconds between two words on a download."""


def wanted(environment: Mapping[str, str]) -> list[str]:
    """What is offered: what the operator names. Otherwise all that is safe, or on the internet the embedded prior only.

    Every prior takes disk, memory and time from everybody, so that who opens an app to others chooses.
    """
    if text := environment.get(VARIABLE, "").strip():
        return [name.strip() for name in text.split(",") if name.strip()]
    return [EMBEDDED] if public(environment) else safe_names()


def public(environment: Mapping[str, str]) -> bool:
    """Whether others than this machine's user reach the app: it is a Space, or listens to other machines."""
    listens = environment.get("GRADIO_SERVER_NAME", "").strip("[]").lower()
    shared = environment.get("GRADIO_SHARE", "").lower() in ("1", "true")
    return bool(environment.get("SPACE_ID")) or listens not in LOCAL or shared


@cache
def offered() -> dict[str, Offer]:
    """The priors of this process, by name, the embedded one first.

    Raises:
        ParameterError: APP_PRIORS names what cannot be offered.
    """
    return offers(wanted(os.environ))


def open_to_others() -> None:
    """The app is reached by others, as the environment did not say: unless its operator chose, embedded only."""
    os.environ.setdefault(VARIABLE, EMBEDDED)
    offered.cache_clear()


def find(name: Any) -> Offer:
    """The prior of that name, or by what settings keep.

    Raises:
        ParameterError: it is not offered here.
    """
    for offer in offered().values():
        if name in (offer.name, offer.identity):
            return offer
    others = ", ".join(offered())
    if isinstance(name, str) and cards.OWN.search(name) and cards.short(name) in offered():
        raise ParameterError(
            f"prior is another {shown(cards.short(name), 60)} than the one here, of other weights. Choose {others}, or "
            "use the command line with those.", "prior",
        )  # fmt: skip
    words = shown(cards.short(name) if isinstance(name, str) else name, 60)
    raise ParameterError(
        f"prior must be one of {others}, and {words} is not offered here. Choose one, or use the command line.", "prior"
    )


def refusal(offer: Offer) -> str:
    """Why it cannot be used now; empty where it can."""
    return "" if offer.name == EMBEDDED else offer.refusal(catalog.best_device())


def usable() -> list[str]:
    """Names of those that can be used now."""
    return [name for name, offer in offered().items() if not refusal(offer)]


def menu() -> list[dict[str, str]]:
    """What a chooser offers: every prior, and of one that cannot be used now the reason."""
    return [
        {
            "name": name, "title": offer.card.title or cards.short(name), "about": offer.about, "group": "",
            "refused": refusal(offer),
        }
        for name, offer in offered().items()
    ]  # fmt: skip


def listed() -> list[dict[str, Any]]:
    """The same as plain data for programs."""
    return [
        {
            "name": name, "settings": offer.identity, "kind": offer.card.kind, "title": offer.card.title,
            "trained_on": offer.card.trained_on, "size": offer.card.size or None, "megabytes": offer.card.megabytes,
            "licence": offer.card.licence, "here": offer.here, "tuned": not remark(offer.card.kind),
            "refused": refusal(offer),
        }
        for name, offer in offered().items()
    ]  # fmt: skip


def check(settings: Settings) -> None:
    """Refuses a run whose prior cannot be used.

    Raises:
        ParameterError, ProblemError: with a sentence.
    """
    offer = find(settings.prior)
    if words := refusal(offer):
        raise ProblemError(f"The prior {cards.short(offer.name)} cannot be used now. {words}")
    if offer.name != EMBEDDED and settings.guides:
        needs = settings.solver.needs_estimator
        what = f"{settings.solver.title} needs" if needs else "An estimator scale above 0 takes"
        raise ProblemError(
            f"{what} the conditional estimator, which belongs to the embedded prior. Choose that prior, or "
            f"{'another solver' if needs else 'a scale of 0'}."
        )


class Download(NamedTuple):
    """What to say of a download on its way."""

    words: str
    percent: float


def fetched(names: Iterable[str]) -> Generator[Download, None, None]:
    """Downloads priors that are not here, by the clock; close it to stop, and the next one goes on from there.

    Raises:
        PriorError: it cannot be had.
    """
    for name in dict.fromkeys(names):
        offer, due = find(name), 0.0
        if offer.here:
            continue
        yield Download(f"Asking the Hugging Face Hub for the prior {cards.short(offer.name)}.", 0.0)
        with closing(hub.fetch(offer.card)) as progresses:
            for progress in progresses:
                if time.monotonic() >= due:
                    done, total = (round(size / 1e6) for size in (progress.done, progress.total))
                    words = f"Downloading the prior {cards.short(offer.name)}: {done} of {total} MB."
                    yield Download(words, 100 * progress.done / max(progress.total, 1))
                    due = time.monotonic() + UPDATE_EVERY


def prepare() -> None:
    """Downloads all that is offered; what cannot be had is said in the log, and again to who asks for it."""
    for name in offered():
        try:
            for _ in fetched([name]):
                pass
        except InverseError as error:
            log.warning("%s", error)


def load(name: str) -> Denoiser:
    """The prior that settings name; a large one that was there before goes first."""
    return catalog.load_prior(find(name).place)


def loading(name: str) -> str:
    """What to say before it is loaded; empty where it is in memory."""
    offer = find(name)
    kept = catalog.is_kept(offer.place, catalog.best_device())
    return "" if kept else f"Loading the prior {cards.short(offer.name)}…"


def weight(name: str) -> float:
    """How many times as much a pass of its network takes as one of the embedded prior's, by its size: a guess."""
    card = find(name).card
    return max(card.parameters, 0.01) / PRIORS[EMBEDDED].parameters


def note(settings: Settings, side: int) -> str:
    """What to know of the prior, in a line or two; empty for the embedded one.

    Args:
        settings: what is chosen.
        side: the shorter side of what is restored, in pixels.
    """
    offer = find(settings.prior)
    card = offer.card
    if offer.name == EMBEDDED:
        return ""
    words = [f"{offer.about}."]
    if not offer.here:
        words.append("It is downloaded when a run starts.")
    if card.size and card.attentive and side != card.size:
        words.append(f"It has learned {card.size} × {card.size} pixels, and has attention: at {side} it may do worse.")
    return " ".join([*words, UNTUNED] if remark(card.kind) else words)
