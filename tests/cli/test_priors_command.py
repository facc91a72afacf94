"""`priors` lists, and `priors convert` writes a folder that --prior takes."""

import pytest
import torch
from checkpoints import same
from click.testing import CliRunner
from originals import SMALL, random_weights

from inverse.__main__ import main
from inverse.denoisers import catalog
from inverse.denoisers.cards import PRIORS
from inverse.denoisers.catalog import load_prior
from inverse.settings import Settings
from inverse.settings.carriers import read
from inverse.solvers import SOLVERS


@pytest.fixture
def run(tmp_path, photo, monkeypatch):
    """Runs a command in a folder with a photo and a checkpoint; returns its result."""
    monkeypatch.chdir(tmp_path)
    catalog.forget()
    photo.save("photo.png")
    torch.save(random_weights(**SMALL), "ffhq_10m.pt")
    yield lambda *words: CliRunner().invoke(main, [*words], env={"COLUMNS": "160"})
    catalog.forget()


def words(result):
    return " ".join(result.output.split())


def test_without_a_subcommand_the_priors_are_listed(run):
    result = run("priors")
    assert result.exit_code == 0 and all(name in result.output for name in PRIORS)
    assert run("priors", "nothing").exit_code == 2
    assert "convert" in run("priors", "--help").output and "--half" in run("priors", "convert", "--help").output


@pytest.mark.parametrize("half", [[], ["--half"]], ids=["", "half"])
def test_a_checkpoint_is_converted_and_restores(run, tmp_path, half):
    result = run("priors", "convert", "ffhq_10m.pt", "adm", "--allow-pickle", "--licence", "MIT", *half)
    assert result.exit_code == 0 and "adm is a prior now" in words(result), result.output
    assert "MIT" in (tmp_path / "adm" / "README.md").read_text()
    if not half:
        assert same(load_prior("adm", "cpu"), load_prior("ffhq_10m.pt", "cpu", allow_pickle=True))
    flags = ["--size", "32", "--steps", "2", "--device", "cpu", "--solver", "vml-map", "--task", "deblur-gaussian"]
    restored = run("restore", "photo.png", "-o", "out.png", "--prior", "adm", *flags)
    assert restored.exit_code == 0 and "their own defaults" in words(restored), restored.output
    settings, _ = Settings.from_dict(read((tmp_path / "out.png").read_bytes()))
    assert settings.solver == SOLVERS["vml-map"]().replace(steps=2), "no preset of the embedded prior"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["ffhq_10m.pt", "adm"], "--allow-pickle"), (["nowhere.pt", "adm"], "missing or not a file"),
     (["photo.png", "adm"], "is damaged"), ([".", "adm"], "missing or not a file"),
     (["ffhq_10m.pt", "photo.png", "--allow-pickle"], "is there already"),
     (["ffhq_10m.pt", "nowhere/adm", "--allow-pickle"], "its folder does not exist"),
     (["ffhq_10m.pt", "ffhq_10m.pt/adm", "--allow-pickle"], "is a file")],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_converted_ends_in_a_sentence(run, tmp_path, arguments, said):
    before = sorted(tmp_path.iterdir())
    result = run("priors", "convert", *arguments)
    assert result.exit_code == 1 and said in words(result) and words(result).endswith("."), result.output
    assert sorted(tmp_path.iterdir()) == before


def test_a_checkpoint_is_used_as_it_is_where_a_pickle_is_allowed(run):
    arguments = ["restore", "photo.png", "-o", "out.png", "--prior", "ffhq_10m.pt", "--size", "32", "--steps", "2",
                 "--device", "cpu", "--precision", "bfloat16"]  # fmt: skip
    refused = run(*arguments)
    assert refused.exit_code == 1 and "is a pickle" in words(refused)
    assert run(*arguments, "--allow-pickle").exit_code == 0
    assert load_prior("ffhq_10m.pt", "cpu", "bfloat16", allow_pickle=True).bfloat16


@pytest.mark.parametrize("place", ["nowhere/at/all", "./adm", "/nowhere", "~/adm", "adm.pt", "adm.safetensors"])
def test_a_place_that_is_not_there_is_named(run, place):
    result = run("restore", "photo.png", "-o", "out.png", "--prior", place)
    assert result.exit_code == 1 and "There is no" in words(result) and place in words(result)
