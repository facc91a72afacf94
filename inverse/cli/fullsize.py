"""`restore --full-size`: a photo at its own resolution."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image
from rich.progress import BarColumn, Progress, TimeRemainingColumn

from inverse.cli.terminal import Description, Terminal
from inverse.denoisers.base import Denoiser
from inverse.errors import ParameterError
from inverse.fullsize.files import save
from inverse.fullsize.restore import FullSize, finished
from inverse.imaging import originals
from inverse.imaging.files import printable
from inverse.settings import Settings


def check(settings: Settings, *shown: Path | None) -> None:
    """Refuses flags that do not go together; `shown` are files of steps and of the measurement.

    Raises:
        ParameterError: with a sentence on which.
    """
    if settings.full_size and any(shown):
        raise ParameterError("--full-size shows no steps and no measurement. Leave --save-frames and the like out.")


def restore(
    console: Terminal, photo: Path, auxiliary: Image.Image | None, settings: Settings, denoiser: Denoiser,
    output: Path,
) -> dict[str, Any]:  # fmt: skip
    """Says what it will take, restores, and writes a file of the photo's own size and depth.

    Returns what there is to tell of it, as plain data.
    """
    original = originals.load(photo, settings.keep_metadata)
    work = FullSize(original, settings, denoiser, auxiliary)
    height, width = original.size
    console.print(f"{settings.task.title}, {settings.solver.title}, at full size")
    for note in (*original.notes, *work.plan.notes):
        console.print(note)
    console.print(f"{printable(Path(photo.name))}: {width} x {height} pixels; {work.forecast.words}")
    with Progress(Description(), BarColumn(), TimeRemainingColumn(), console=console) as progress:
        bar = progress.add_task("", total=1.0)
        restored = finished(work.run(), lambda seen: progress.update(bar, completed=seen.share, description=seen.words))
        progress.update(bar, completed=1.0)
    made = restored.settings if auxiliary is None else restored.settings.with_auxiliary(auxiliary)
    for note in save(restored, output, made):
        console.print(note)
    console.print(f"{printable(output)}: {work.plan.counted}, {restored.seconds:.1f} s")
    return {"seconds": round(restored.seconds, 2), work.plan.kind: len(work.plan.parts)}
