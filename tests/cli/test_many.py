"""Many photos in one call: names kept, gone on with, none ending the rest; pipes, and records for programs."""

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from inverse.__main__ import main
from inverse.cli import restore as command

QUICK = ["--solver", "vml-map", "--steps", "2", "--gradient-steps", "1", "--device", "cpu", "--size", "16"]


@pytest.fixture
def run(tmp_path, photo, monkeypatch):
    """A command in a folder with `photos/`: a.png, b.JPG, c.gif, and what is none."""
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    for number, name in enumerate(("a.png", "b.JPG", "c.gif")):
        photo.rotate(90 * number, expand=True).save(Path("photos", name), {".JPG": "JPEG"}.get(name[1:]))
    Path("photos/notes.txt").write_text("no photo")
    Path("photos/.hidden.png").write_bytes(b"none")

    def invoke(*arguments, **settings):
        return CliRunner().invoke(main, [str(each) for each in arguments], **settings)

    return invoke


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def test_a_folder_keeps_its_names(run):
    result = run("restore", "photos", "-o", "out", *QUICK)
    assert result.exit_code == 0, result.output
    assert names("out") == ["a.png", "b.JPG", "c.png"] and "3 photos: 3 restored." in result.stderr
    assert {Image.open(Path("out", name)).format for name in names("out")} == {"PNG", "JPEG"}
    alone = run("restore", "photos/a.png", "-o", "alone.png", *QUICK)
    assert alone.exit_code == 0 and Path("alone.png").read_bytes() == Path("out/a.png").read_bytes()


def test_it_goes_on_where_it_was_ended(run):
    run("restore", "photos/a.png", "-o", "out/", *QUICK)
    Path("out").mkdir(exist_ok=True)
    run("restore", "photos/a.png", "-o", "out", *QUICK)
    before = Path("out/a.png").stat().st_mtime_ns
    result = run("restore", "photos", "-o", "out", *QUICK)
    assert "3 photos: 2 restored; 1 there already." in result.stderr
    assert Path("out/a.png").stat().st_mtime_ns == before
    again = run("restore", "photos", "-o", "out", "--overwrite", *QUICK)
    assert "3 photos: 3 restored." in again.stderr and Path("out/a.png").stat().st_mtime_ns > before


def test_one_that_fails_does_not_end_the_rest(run, monkeypatch):
    Path("photos/b.JPG").write_bytes(b"broken")
    original = command._restored

    def faulty(context, photo, output, **values):
        if photo.name == "c.gif":
            raise KeyError("a fault of the program")
        return original(context, photo, output, **values)

    monkeypatch.setattr(command, "_restored", faulty)
    result = run("restore", "photos", "-o", "out", "--json", *QUICK)
    assert result.exit_code == 1 and names("out") == ["a.png"]
    assert "3 photos: 1 restored; 2 failed: photos/b.JPG, photos/c.gif." in " ".join(result.stderr.split())
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [record["status"] for record in records] == ["restored", "failed", "failed"]
    assert "not a picture" in records[1]["error"] and "KeyError" in records[2]["error"]


def test_what_is_wrong_with_the_flags_is_said_once_and_before(run):
    result = run("restore", "photos", "-o", "out", "--task", "none")
    assert result.exit_code == 1 and result.stderr.count("'none' is not a task") == 1 and not Path("out").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["photos", "-o", "photos"], "would be replaced"),
        (["photos", "-o", "out", "--save-frames", "f"], "--save-frames is for a single photo"),
        (["photos/a.png", "-", "-o", "out"], "stands for a single photo"),
        (["photos", "-o", "-"], "stands for a single photo"),
        (["photos/a.png", "-o", "-", "--json"], "both the picture and --json"),
        (["photos/a.png", "-o", "-", "--samples", "2"], "several samples"),
        (["empty", "-o", "out"], "holds no pictures"),
        (["photos", "-o", "photos/a.png"], "need a folder"),
    ],
)
def test_what_cannot_be_is_refused(run, arguments, said):
    Path("empty").mkdir()
    result = run("restore", *arguments)
    assert result.exit_code == 1 and said in " ".join(result.stderr.split()), result.output


def test_names_that_would_be_the_same_are_kept_apart(run, photo):
    Path("more").mkdir()
    photo.save("more/a.png")
    photo.save("photos/a.gif")
    result = run("restore", "photos/a.png", "photos/a.gif", "more/a.png", "photos/a.png", "-o", "out", "--json", *QUICK)
    assert result.exit_code == 0, result.output
    records = [json.loads(line) for line in result.stdout.splitlines()]
    outputs = [Path(record["output"]).name for record in records]
    assert len(set(outputs)) == 3 and sorted(outputs) == names("out") and outputs[:2] == ["a.png", "a.gif.png"]


def test_every_photo_has_the_mask_of_its_name(run, photo):
    Path("masks").mkdir()
    mask = Image.new("L", photo.size)
    mask.paste(255, (5, 5, 30, 20))
    mask.save("masks/a.png")
    flags = ["--task", "inpaint-mask", "--mask", "masks", "--degraded", *QUICK[:-2]]
    result = run("restore", "photos/a.png", "photos/b.JPG", "-o", "out", "--json", *flags)
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 1 and [record["status"] for record in records] == ["restored", "failed"]
    assert "holds no mask called b" in records[1]["error"]


def test_a_record_for_a_single_photo(run):
    result = run("restore", "photos/a.png", "-o", "a.png", "--json", *QUICK)
    (record,) = map(json.loads, result.stdout.splitlines())
    assert record["status"] == "restored" and record["photo"] == "photos/a.png" and record["output"] == "a.png"
    assert record["psnr"] > 5 and record["settings"]["task"]["name"] and record["nfe"] > 0 and record["seconds"] >= 0


def test_pipes(tmp_path, photo):
    """In and out of a real process; what people read goes beside the picture."""
    buffer = io.BytesIO()
    photo.save(buffer, "PNG")
    done = subprocess.run(
        [sys.executable, "-m", "inverse", "restore", "-", "-o", "-", *QUICK], input=buffer.getvalue(),
        capture_output=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    picture = Image.open(io.BytesIO(done.stdout))
    assert picture.format == "PNG" and min(picture.size) == 16 and "inverse" in picture.info
    (tmp_path / "p.png").write_bytes(buffer.getvalue())
    found = CliRunner().invoke(main, ["restore", str(tmp_path / "p.png"), "-o", str(tmp_path / "q.png"), *QUICK])
    assert found.exit_code == 0
    assert np.array_equal(np.asarray(picture), np.asarray(Image.open(tmp_path / "q.png")))


def test_a_degraded_jpeg_comes_back_by_its_own_tables(run, photo):
    photo.save("photos/fine.jpg", quality=91)
    result = run("restore", "photos/fine.jpg", "-o", "fine.jpg", "--degraded", "--task", "denoise", *QUICK[:-2])
    assert result.exit_code == 0, result.output
    assert Image.open("fine.jpg").quantization == Image.open("photos/fine.jpg").quantization
