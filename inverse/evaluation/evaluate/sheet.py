"""Pictures of a run on one sheet: a line a task, with the original, what was measured, and every solver's result."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from inverse.evaluation.evaluate.results import PICTURES
from inverse.evaluation.evaluate.summary import Cell
from inverse.results.record import METRICS

BELOW = 30
"""Height of the words below a picture."""


def sheet(folder: Path, cells: Sequence[Cell], digest: str, side: int = 160) -> Image.Image | None:
    """The sheet of one photo, by its digest; None where no pictures of it were kept.

    Args:
        folder: of the run.
        cells: of one prior.
        side: of a picture.
    """
    lines: dict[str, dict[str, tuple[list[str], str]]] = {}
    for cell in cells:
        for job, line in cell.good:
            if job.digest == digest and line["pictures"]:
                figures = ", ".join(
                    METRICS[name].said(line[name]) for name in ("psnr", "ssim") if line[name] is not None
                )
                lines.setdefault(cell.task, {})[cell.solver] = line["pictures"], f"{figures}, {line['seconds']:.0f} s"
    solvers = list(dict.fromkeys(solver for row in lines.values() for solver in row))
    if not lines:
        return None
    font = ImageFont.load_default(11)
    made = Image.new("RGB", ((len(solvers) + 2) * (side + 4), len(lines) * (side + BELOW)), "white")
    draw = ImageDraw.Draw(made)

    def place(column: int, row: int, name: str, text: str) -> None:
        left, top = column * (side + 4), row * (side + BELOW)
        with Image.open(folder / PICTURES / name) as picture:
            made.paste(picture.convert("RGB").resize((side, side), Image.Resampling.LANCZOS), (left, top))
        draw.multiline_text((left + 2, top + side + 1), text, "black", font, spacing=1)

    for row, (task, found) in enumerate(lines.items()):
        original, measured, *_ = next(iter(found.values()))[0]
        place(0, row, original, "original")
        place(1, row, measured, task.replace(", ", "\n", 1))
        for solver, (names, figures) in found.items():
            place(2 + solvers.index(solver), row, names[2], f"{solver}\n{figures}")
    return made
