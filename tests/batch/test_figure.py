"""Figures for print: every run that is finished is in them, with its figures and a caption, as SVG and as PNG."""

import io
from xml.etree import ElementTree

import pytest
from PIL import Image, ImageFont

from inverse.batch.figure import SCALE, SMALL, WIDTH, check_ending, fitting, of_comparison, of_sweep, wrapped
from inverse.batch.sweep import Sweep, axis
from inverse.errors import OutputError
from inverse.results.record import METRICS, Record
from inverse.settings import Settings
from inverse.settings.carriers import read

SVG = "{http://www.w3.org/2000/svg}"
SETTINGS = Settings.create(task="denoise", solver="diffpir", size=32)
SWEEP = Sweep(SETTINGS, (axis(SETTINGS, "steps", "10,12,14"), axis(SETTINGS, "guidance_scale", "0.5,2")))


def record(at, **changes):
    quality = dict.fromkeys(METRICS) | {"psnr": 20.0 + at, "residual": 1.0}
    return Record(quality=quality, nfe=10, cost=10.0, image=Image.new("RGB", (40, 30), (9 * at, 0, 0)), **changes)


def texts(figure):
    drawn = ElementTree.fromstring(figure.svg())
    return [part.text for part in drawn.iter(f"{SVG}text")], list(drawn.iter(f"{SVG}image"))


def test_a_sweep_has_every_finished_cell_its_axes_and_all_that_is_the_same_in_words():
    figure = of_sweep(SWEEP, {0: record(0), 4: record(4), 5: record(5)}, "psnr")
    said, pictures = texts(figure)
    assert len(pictures) == 3 and said.count("not finished") == 3
    assert {"steps", "10", "12", "14", "guidance_scale 0.5", "guidance_scale 2", "20.00 dB", "25.00 dB"} <= set(said)
    assert "DiffPIR" in figure.caption and "steps 1" not in figure.caption and "guidance" not in figure.caption
    assert " ".join(said).endswith(figure.caption), "all of it is drawn"


def test_the_best_one_is_framed():
    bold = [
        part.text
        for part in ElementTree.fromstring(of_sweep(SWEEP, {0: record(0), 4: record(4)}, "psnr").svg()).iter(
            f"{SVG}text"
        )
        if part.get("font-weight")
    ]
    assert bold == ["24.00 dB"]


def test_a_comparison_names_who_did_it_what_it_took_and_how_each_was_set():
    others = [Settings.create(task="denoise", solver=name, size=32) for name in ("dps", "ddrm", "dmap", "daps", "cse")]
    titles = [run.solver.title for run in others]
    figure = of_comparison(titles, others, {at: record(at) for at in range(5)})
    said, pictures = texts(figure)
    assert len(pictures) == 5 and set(titles) <= set(said) and said.count("10 passes") == 5
    assert all(
        f"{title}: steps {run.solver.steps}" in figure.caption for title, run in zip(titles, others, strict=True)
    )
    assert len({part.get("y") for part in pictures}) == 2, "four abreast"


@pytest.mark.parametrize("records", [{0: record(0)}, {0: Record(failure="It failed.")}])
def test_the_png_is_as_wide_as_a_page_of_text_and_carries_the_settings(records):
    figure = of_sweep(SWEEP, records, "psnr")
    content = figure.png()
    with Image.open(io.BytesIO(content)) as sheet:
        assert sheet.size == (WIDTH * SCALE, figure.height * SCALE)
        assert sheet.width / sheet.info["dpi"][0] * 25.4 == pytest.approx(180, abs=1)
    assert Settings.from_dict(read(content))[0] == SETTINGS


def test_words_stay_within_their_room():
    long = "one " * 60 + "m" * 30
    font = ImageFont.load_default(size=SMALL)
    assert all(font.getlength(line) <= 300 for line in wrapped(long, 300)) and " ".join(wrapped(long, 300)) == long
    assert font.getlength(fitting(long, 90)) <= 90 and fitting(long, 90).endswith("…")
    assert fitting("short", 90) == "short"


def test_a_file_is_of_the_kind_that_its_name_says(tmp_path):
    figure = of_sweep(SWEEP, {0: record(0)}, "psnr")
    figure.write(tmp_path / "a.svg")
    figure.write(tmp_path / "a.PNG")
    assert (tmp_path / "a.svg").read_text(encoding="utf-8") == figure.svg()
    assert Image.open(tmp_path / "a.PNG").format == "PNG"
    with pytest.raises(OutputError, match="an SVG or a PNG"):
        check_ending(tmp_path / "a.jpg")
