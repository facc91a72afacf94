"""docs/full-size-measured.md: the tables of what was measured, and crops.

python -m inverse.evaluation.full_size.page --photos DIR docs/full-size-measured.md
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import click
import cv2
import numpy as np
from PIL import Image

from inverse.evaluation.full_size.measure import Measured, measured
from inverse.evaluation.full_size.scenes import SCENES
from inverse.imaging.files import replace_atomically, write_text

SIDE = 240
"""Of a crop, in pixels, at the photo's own size."""
SHOWN = ("scratched-1", "scratched-12", "blocky", "blurry", "shaken", "small")
"""Scenes of which there are crops."""
HEAD = """# Photos at full size, measured

`python -m inverse.evaluation.full_size.page --photos DIR docs/full-size-measured.md` makes this page. Each photo is a
mosaic of small photographs that the prior was not trained on (DIR holds those that are listed in
[ATTRIBUTION.tsv](../assets/prior/ATTRIBUTION.tsv), of which 123 were kept out), because none of them is large: scans
are enlarged twice and have grain of 3 levels, the others are at their own size. The damage is simulated, so that the
truth is known. What is restored is what `inverse restore --full-size` makes of the photo and the mask or the task,
with nothing else set; OpenCV's `inpaint` (radius 3) gets the same mask, the other classical methods the same operator
and the noise that is estimated. Where nobody knows the blur, the photo tells it to all of them (`--estimate-kernel`),
and PSNR is that over the best shift. BM3D is its authors' package `bm3d`.

PSNR in dB inside the damage; the best of a line in bold. Seconds are those of the processor on one thread, less what
the command takes for a photo of 64 x 64 pixels, and so is the memory: the peak above that. The machine was shared.
"""


def page(found: Sequence[Measured], pictures: dict[str, str]) -> str:
    """The page as Markdown; `pictures` are addresses of strips of crops, by scene."""
    holes = [each for each in found if each.scene.mask is not None]
    whole = [each for each in found if each.scene.mask is None]
    parts = [HEAD]
    if holes:
        parts += ["## Where a part is missing\n", _table(holes), _untouched(holes), _crops(holes, pictures)]
    if whole:
        parts.append("## Where all of it is damaged\n")
    for each in whole:
        parts += [_table([each]), _part(each), _crops([each], pictures)]
    return "\n".join(part for part in parts if part)


def _table(found: Sequence[Measured]) -> str:
    """A line a scene, a column a method."""
    methods = list(dict.fromkeys(method for each in found for method in each.psnr))
    columns = [*methods, "processor, here", *(f"processor, {method}" for method in found[0].seconds), "memory, here"]
    lines = [_line(["photo", *columns]), "|---|" + "---:|" * len(columns)]
    for each in found:
        best = max(each.psnr.values())
        figures = [f"**{each.psnr[m]:.2f}**" if each.psnr[m] == best else f"{each.psnr[m]:.2f}" for m in methods]
        times = [f"{each.usage.seconds:.0f} s", *(f"{seconds:.1f} s" for seconds in each.seconds.values())]
        lines.append(_line([each.scene.title, *figures, *times, f"{max(0, each.usage.bytes) / 1e9:.2f} GB"]))
    return "\n".join(lines) + "\n"


def _untouched(found: Sequence[Measured]) -> str:
    counts = [each.untouched for each in found if each.untouched]
    words = "; ".join(f"{same:,} of {count:,}" for count, same in counts)
    return f"Pixels outside the mask and the one pixel around it that are the same: {words}.\n"


def _part(each: Measured) -> str:
    rows, columns = each.compared
    width, height = columns.stop - columns.start, rows.stop - rows.start
    if (height, width) == each.scene.truth.shape[:2]:
        return ""
    return f"PSNR of the middle {width} x {height} pixels, which is what the others were given.\n"


def _crops(found: Sequence[Measured], pictures: dict[str, str]) -> str:
    lines = []
    for each in found:
        if each.scene.name in pictures:
            words = f"{each.scene.title}: {', '.join(_shown(each))}"
            lines.append(f"![{words}]({pictures[each.scene.name]})\n\n{words}.\n")
    return "\n".join(lines)


def _shown(each: Measured) -> list[str]:
    """What the crops show, in their order: the photo, ours, the best of the others if there are any, the truth."""
    first, ours, *others = each.psnr
    return [first, ours, *sorted(others, key=lambda method: -each.psnr[method])[:1], "truth"]


def strip(each: Measured) -> Image.Image:
    """Crops side by side, where the damage is thickest but not all there is, or in the middle."""
    truth, inside = each.scene.truth[each.compared], each.scene.mask
    top, left = (max(0, length - SIDE) // 2 for length in truth.shape[:2])
    if inside is not None:
        share = cv2.blur(inside.astype(np.float32), (SIDE, SIDE))[SIDE // 2 : -SIDE // 2, SIDE // 2 : -SIDE // 2]
        top, left = (int(each) for each in np.unravel_index(np.abs(share - 0.06).argmin(), share.shape))
    shown = _shown(each)
    made = Image.new("RGB", (len(shown) * (SIDE + 4) - 4, SIDE), "white")
    for number, name in enumerate(shown):
        crop = {**each.pictures, "truth": truth}[name][top : top + SIDE, left : left + SIDE]
        made.paste(Image.fromarray(crop), (number * (SIDE + 4), 0))
    return made


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


@click.command()
@click.option("--photos", required=True, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--scene", "scenes", multiple=True, type=click.Choice(list(SCENES)), help="Repeatable. Default: all.")
@click.argument("output", type=click.Path(path_type=Path, dir_okay=False))
def main(photos: Path, scenes: tuple[str, ...], output: Path) -> None:
    """Measures, and writes the page and its pictures beside it."""
    found, pictures = [], {}
    for name in scenes or SCENES:
        with tempfile.TemporaryDirectory() as folder:
            each = measured(SCENES[name](photos), Path(folder))
        click.echo(f"{each.scene.title}: {each.psnr}, {each.usage}, {each.untouched}")
        if name in SHOWN:
            pictures[name] = f"{output.stem}-{name}.jpg"
            path = output.with_name(pictures[name])
            replace_atomically(path, lambda temporary, each=each: strip(each).save(temporary, quality=85))
        each.pictures.clear()
        found.append(each)
        write_text(output, page(found, pictures))


if __name__ == "__main__":
    main()
