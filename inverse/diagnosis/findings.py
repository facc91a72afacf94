"""What was found to be wrong with a photo, and the settings that it means."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from PIL import Image, ImageChops

from inverse.diagnosis.jpeg_file import JpegFile
from inverse.diagnosis.kinds import EXPECTED, HAPPENED, NOT_BY_ITSELF, TITLES, usual
from inverse.errors import ParameterError
from inverse.operators import Task, make_task, noise
from inverse.settings import DEGRADED, Settings


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: a key of `TITLES`.
        words: what was found, a sentence.
        damage: the task that undoes it, as far as the photo tells its parameters; None where none does.
    """

    kind: str
    words: str
    damage: Task | None = None

    @property
    def title(self) -> str:
        return TITLES[self.kind]

    @property
    def expectation(self) -> str:
        """What may be expected of a restoration."""
        return EXPECTED[self.kind]


@dataclass(frozen=True)
class Diagnosis:
    """What was found.

    Attributes:
        size: (W, H) of the photo, upright.
        sigma_y: standard deviation of its noise, on [-1, 1], at least 0.01.
        blur: std in pixels of a Gaussian that blurs as much; None where no edges tell.
        jpeg: how its file was saved; None where that is no JPEG.
        findings: by `TITLES`' order.
        masks: what is missing, and what may be scratched, mode L, 255 there, by kind.
    """

    size: tuple[int, int]
    sigma_y: float
    blur: float | None
    jpeg: JpegFile | None
    findings: tuple[Finding, ...]
    masks: Mapping[str, Image.Image] = field(default_factory=dict)

    @property
    def mask(self) -> Image.Image | None:
        """What may be missing or scratched, as one mask; None where nothing is."""
        return self._mask(self.masks)

    def _mask(self, kinds: Collection[str]) -> Image.Image | None:
        found = [self.masks[kind] for kind in kinds if kind in self.masks]
        return reduce(ImageChops.lighter, found) if found else None

    @property
    def kinds(self) -> list[str]:
        return [each.kind for each in self.findings]

    @property
    def suggested(self) -> list[str]:
        """Kinds that were found and that are worth a restoration by themselves."""
        whole = [kind for kind in self.kinds if kind not in NOT_BY_ITSELF]
        # A photo that is repaired where it is damaged keeps all other pixels, and enlarged it would not.
        return [kind for kind in whole if kind != "small" or not {"missing", "scratched"} & set(whole)]

    def settings(self, kinds: Collection[str] | None = None) -> Settings:
        """Settings that restore what is said to be wrong: those suggested when None. Nothing wrong is light denoising.

        Kinds that were not found have the parameters that are usual.

        Raises:
            ParameterError: a kind is unknown.
        """
        wrong = self.suggested if kinds is None else kinds
        for kind in wrong:
            if kind not in TITLES:
                raise ParameterError(
                    f"{kind!r} is nothing that is known to be wrong with photos. Use {', '.join(TITLES)}."
                )
        chain: list[Task] = []
        for kind in HAPPENED:
            if kind in wrong and not (kind == "scratched" and "missing" in wrong):
                own = next((each.damage for each in self.findings if each.kind == kind), None)
                chain.append(own or usual(kind))
        first, *then = chain or [make_task("denoise")]
        sigma_y = max(self.sigma_y, noise.SHARPENED) if "blurry" in wrong else self.sigma_y
        made = Settings.create(mode=DEGRADED, task=first, then=then, sigma_y=round(sigma_y, 3))
        return made.with_auxiliary(self._mask(wrong))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, without the mask."""
        return {
            "width": self.size[0],
            "height": self.size[1],
            "sigma_y": round(self.sigma_y, 4),
            "blur": None if self.blur is None else round(self.blur, 2),
            "jpeg": self.jpeg
            and {
                "quality": self.jpeg.quality,
                "exact": self.jpeg.exact,
                "subsampling": self.jpeg.subsampling,
                "tables": [table.tolist() for table in self.jpeg.tables],
            },
            "findings": [
                {"kind": each.kind, "title": each.title, "words": each.words, "expectation": each.expectation}
                for each in self.findings
            ],
            "suggested": self.suggested,
        }
