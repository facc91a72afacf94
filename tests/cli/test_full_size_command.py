"""`restore --full-size`: the photo's own size and bytes, what it takes said before, and refusals in sentences."""

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from inverse.__main__ import main
from inverse.fullsize import damage
from inverse.imaging import originals
from inverse.settings import Settings, snippets
from inverse.settings.carriers import read


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    y, x = np.mgrid[:200, :230]
    pixels = np.stack([x, y, (x + y) // 2], -1).astype(np.uint8)
    missing = np.zeros((200, 230), bool)
    missing[100:103, 40:190] = True
    Image.fromarray(np.where(missing[..., None], 255, pixels).astype(np.uint8)).save("scan.png")
    Image.fromarray(missing).save("mask.png")
    Image.fromarray(missing).resize((115, 100)).save("small.png")
    Image.fromarray(missing[:, :100]).save("other.png")
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(main, [str(each) for each in arguments])


def test_a_scratch_is_repaired_and_nothing_else(folder):
    result = run("restore", "scan.png", "-o", "out.png", "--task", "inpaint-mask", "--mask", "mask.png", "--full-size")
    assert result.exit_code == 0, result.output
    assert "230 x 200 pixels" in result.output and "windows" in result.output and "GB of memory" in result.output
    found, before = (originals.load(name).pixels.astype(int) for name in ("out.png", "scan.png"))
    missing = np.asarray(Image.open("mask.png"))
    outside = ~damage.grown(missing)
    assert np.array_equal(found[outside], before[outside])
    truth = np.stack([*np.mgrid[:200, :230][::-1], sum(np.mgrid[:200, :230]) // 2], -1)
    assert np.abs(found - truth)[missing].mean() < 3
    settings, _ = Settings.from_dict(read((folder / "out.png").read_bytes()))
    assert (settings.solver.name, settings.solver.steps) == ("cse", 1), "the quick one"
    assert settings.full_size and settings.degraded and settings.sigma_y is not None and settings.auxiliary
    assert "--full-size" in snippets.command_line(settings)
    assert "restore_full_size(" in snippets.python(settings)
    again = run("restore", "scan.png", "-o", "again.png", "--settings", "out.png")
    assert again.exit_code == 0, again.output
    assert np.array_equal(originals.load("again.png").pixels, originals.load("out.png").pixels)


def test_a_mask_of_another_size_is_fitted_with_a_word_and_of_another_shape_refused(folder):
    words = ["restore", "scan.png", "-o", "out.png", "--task", "inpaint-mask", "--full-size", "--mask"]
    fitted = run(*words, "small.png")
    assert fitted.exit_code == 0 and "115x100 and was fitted" in fitted.output.replace("\n", " "), fitted.output
    other = run(*words, "other.png")
    assert other.exit_code != 0 and "another shape" in other.output


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["--clean"], "degraded already"), (["--size", "64"], "at its own size"), (["--samples", "2"], "one sample"),
        (["--task", "inpaint-mask"], "needs a mask"), (["--save-frames", "frames"], "shows no steps"),
    ],
)  # fmt: skip
def test_what_does_not_go_with_it_is_refused(folder, words, part):
    result = run("restore", "scan.png", "-o", "out.png", "--task", "denoise", "--full-size", *words)
    assert result.exit_code == 1 and part in result.output.replace("\n", " "), result.output
    assert not (folder / "out.png").exists()
    alone = run("restore", "scan.png", "-o", "out.png", "--keep-metadata")
    assert alone.exit_code == 1 and "Set full_size too (--full-size)" in alone.output
