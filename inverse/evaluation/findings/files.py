"""Where findings go: a page, and beside it a folder of figures and tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from inverse.evaluation.findings.figures import figures
from inverse.evaluation.findings.measuring import Findings
from inverse.evaluation.findings.page import key, to_markdown
from inverse.evaluation.findings.tables import table
from inverse.imaging.files import replace_atomically, unwritable, write_text

FORMATS = ("svg", "png", "csv")
PAGE, FIGURES = "findings.md", "findings"


def write(folder: Path, studies: Sequence[Findings], formats: Sequence[str] = FORMATS) -> list[Path]:
    """Writes findings.md, and figures and tables into the folder findings beside it; returns what was written.

    Args:
        folder: is made if it is not there.
        formats: of `FORMATS`; the page shows SVG, or PNG where there is none.

    Raises:
        OutputError: a file cannot be written.
    """
    place = folder / FIGURES
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(place, error) from error
    written, shown = [], {}
    ending = next((each for each in ("svg", "png") if each in formats), None)
    for found in studies:
        charts = figures(found)
        for name, chart in charts.items():
            stem = place / f"{key(found)}-{name}"
            if "svg" in formats:
                write_text(stem.with_suffix(".svg"), chart.svg())
                written.append(stem.with_suffix(".svg"))
            if "png" in formats:
                image = chart.bitmap()
                replace_atomically(stem.with_suffix(".png"), image.save)
                written.append(stem.with_suffix(".png"))
        if ending:
            shown[key(found)] = [f"{FIGURES}/{key(found)}-{name}.{ending}" for name in charts]
        if "csv" in formats:
            write_text(place / f"{key(found)}.csv", table(found))
            written.append(place / f"{key(found)}.csv")
    write_text(folder / PAGE, to_markdown(studies, shown))
    return [*written, folder / PAGE]
