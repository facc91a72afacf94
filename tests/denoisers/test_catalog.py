"""Priors by name: what is loaded, what is downloaded, and what the table of them says."""

import os
import re
import shutil

import pytest
import torch
from checkpoints import COMMIT, WEIGHTS, same, tiny
from click.testing import CliRunner
from diffusers import DDIMScheduler, DDPMPipeline, DDPMScheduler, UNet2DModel
from safetensors.torch import load_file, save_file

from inverse.__main__ import main
from inverse.denoisers import catalog
from inverse.denoisers.cards import DDPM, PRIORS, Card, kind_of
from inverse.denoisers.catalog import EMBEDDED, load_prior
from inverse.denoisers.embedded import EDMDenoiser
from inverse.denoisers.hub import find
from inverse.denoisers.unet import UNetDenoiser, load_unet
from inverse.errors import ParameterError, PriorError
from inverse.evaluation import tune
from inverse.settings import Settings
from inverse.settings.carriers import read
from inverse.solvers import SOLVERS, presets
from inverse.solvers.presets import preset

pytestmark = pytest.mark.usefixtures("nothing_kept")


# What is loaded


def test_a_folder_a_pipeline_and_a_trained_file_are_priors(flat, tmp_path):
    DDPMPipeline(tiny(), DDIMScheduler()).save_pretrained(tmp_path / "whole", safe_serialization=True)
    one, other = load_prior(str(flat), "cpu"), load_prior(str(tmp_path / "whole"), "cpu")
    assert isinstance(one, UNetDenoiser) and same(one, other)
    shutil.copy(EMBEDDED, tmp_path / "prior.safetensors")
    for place in (tmp_path / "prior.safetensors", tmp_path):
        assert isinstance(load_prior(str(place), "cpu"), EDMDenoiser)


def cached(monkeypatch, tmp_path, source, prior):
    """Lays the files out as the Hub's cache does: blobs, and a snapshot of links to them. Offline."""
    home = tmp_path / "cache" / f"models--{prior.repository.replace('/', '--')}"
    snapshot = home / "snapshots" / prior.revision
    snapshot.mkdir(parents=True)
    (home / "blobs").mkdir()
    for path in source.iterdir():
        shutil.copy(path, home / "blobs" / f"blob-{path.name}")
        (snapshot / path.name).symlink_to(os.path.relpath(home / "blobs" / f"blob-{path.name}", snapshot))
    offline(monkeypatch, tmp_path)
    return snapshot


def offline(monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


@pytest.mark.parametrize("name", ["ddpm-cat-256", "google/ddpm-cat-256", f"someone/else@{COMMIT}"])
def test_a_published_prior_comes_from_the_cache_of_the_hub(flat, tmp_path, monkeypatch, name):
    cached(monkeypatch, tmp_path, flat, find(name))
    assert same(load_prior(name, "cpu"), load_unet(flat))


def test_another_commit_in_the_cache_is_not_taken(flat, tmp_path, monkeypatch):
    cached(monkeypatch, tmp_path, flat, Card("cat", DDPM, repository="google/ddpm-cat-256", revision=COMMIT))
    with pytest.raises(PriorError, match="cannot be reached"):
        load_prior("ddpm-cat-256", "cpu")


@pytest.mark.parametrize("name", ["ddpm-cat-256", f"someone/else@{COMMIT}"])
def test_offline_the_sentence_says_how_to_download_ahead(tmp_path, monkeypatch, name):
    offline(monkeypatch, tmp_path)
    with pytest.raises(PriorError, match=r"hf download \S+ --revision [0-9a-f]{40} --local-dir FOLDER; then .*\.$"):
        load_prior(name, "cpu")


def test_half_a_download_is_not_taken(flat, tmp_path, monkeypatch):
    snapshot = cached(monkeypatch, tmp_path, flat, PRIORS["ddpm-cat-256"])
    (snapshot / WEIGHTS).unlink()
    with pytest.raises(PriorError, match="hf download"):
        load_prior("ddpm-cat-256", "cpu")


# The table


def test_every_published_prior_is_pinned_and_an_app_offers_no_pickle():
    for name, card in PRIORS.items():
        assert card.name == name and card.kind in catalog.LOADERS and card.kind == catalog.kind_at(name)
        assert card.title and card.trained_on and card.good_for and card.licence and card.megabytes and card.parameters
        assert bool(card.repository) == bool(re.fullmatch(r"[0-9a-f]{40}", card.revision)) == (name != "embedded")
        assert not card.repository or (card.revision in card.link and card.revision in card.command)
        assert card.offered != card.pickled
        if card.pickled:
            with pytest.raises(PriorError, match="--allow-pickle"):
                load_prior(name, "cpu")
    assert PRIORS["embedded"].offered


def test_the_card_of_the_embedded_prior_tells_the_truth():
    card, prior = PRIORS["embedded"], load_prior("embedded", "cpu", "float32")
    assert prior.kind == card.kind and round(EMBEDDED.stat().st_size / 1e6) == card.megabytes
    assert round(sum(value.numel() for value in prior.network.parameters()) / 1e6, 1) == card.parameters


def test_adding_a_prior_is_adding_a_card(flat, tmp_path, monkeypatch):
    card = Card("mine", DDPM, good_for="mine", repository="me/mine", revision=COMMIT, licence="MIT")
    monkeypatch.setitem(PRIORS, "mine", card)
    cached(monkeypatch, tmp_path, flat, card)
    assert same(load_prior("mine", "cpu"), load_unet(flat)) and load_prior("mine", "cpu").kind == DDPM
    assert "me/mine" not in CliRunner().invoke(main, ["priors"]).output
    assert " mine " in CliRunner().invoke(main, ["priors"], env={"COLUMNS": "160"}).output
    with pytest.raises(ParameterError, match=r"one of embedded, .*, mine, OWNER"):
        load_prior("nothing", "cpu")


def test_the_kind_of_a_prior_is_known_before_it_is_loaded(flat, tmp_path):
    trained = tmp_path / "trained"
    trained.mkdir()
    shutil.copy(EMBEDDED, trained / "prior.safetensors")
    for place in (trained, trained / "prior.safetensors", flat):
        assert catalog.kind_at(place) == catalog.kind_at(str(place)) == load_prior(str(place), "cpu").kind
    assert catalog.kind_at(f"someone/else@{COMMIT}") == catalog.kind_at(f"else@{COMMIT}") == DDPM
    assert catalog.kind_at("prior.safetensors") == catalog.kind_at("a\0b") == "embedded"
    assert kind_of(str(flat)) == kind_of("x" * 9999) == "embedded" and kind_of("ddpm-cat-256") == DDPM, (
        "nothing is opened"
    )


@pytest.mark.parametrize("name", ["someone/else", "someone/else@main", "google/unknown@v1", "a/b@" + "A" * 40])
def test_a_repository_needs_a_commit(name):
    with pytest.raises(PriorError, match=r"is no folder here, and names no commit.*COMMIT"):
        load_prior(name, "cpu")


@pytest.mark.parametrize("name", ["nowhere/at/all", "./adm", "../adm", "/nowhere/adm", "~/adm", "adm.pt", "C:/adm/x"])
def test_a_place_that_is_not_there_is_called_one(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ParameterError, match=r"There is no .*\. Check its name.*\.$"):
        load_prior(name, "cpu")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "nothing",
        "../../etc",
        "a/b/c",
        "https://x.org/a",
        "x" * 9999,
        "a\0b",
        f"../x@{COMMIT}",
        "/dev/null",
        "a/ b@1",
    ],
)
def test_what_is_no_prior_ends_in_a_sentence(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ParameterError, PriorError), match=r"\.$"):
        load_prior(name, "cpu")


def test_the_command_lists_the_table():
    result = CliRunner().invoke(main, ["priors"], env={"COLUMNS": "160"})
    assert result.exit_code == 0
    for name, prior in PRIORS.items():
        (line,) = [line for line in result.output.splitlines() if line.strip().startswith(f"{name} ")]
        assert prior.good_for in line and prior.licence in line and ("--allow-pickle" in line) == prior.pickled


def test_the_command_line_says_when_presets_are_of_another_kind(flat, tmp_path, photo):
    photo.save(tmp_path / "photo.png")
    words = ["restore", str(tmp_path / "photo.png"), "-o", str(tmp_path / "out.png"), "--size", "16", "--steps", "3"]
    words += ["--task", "inpaint-box", "--solver", "vml-map", "--device", "cpu"]
    for more, said in (([], False), (["--prior", str(flat)], True), (["--prior", str(EMBEDDED)], False)):
        result = CliRunner().invoke(main, words + more)
        assert result.exit_code == 0, result.output
        assert ("their own defaults" in " ".join(result.output.split())) == said
        settings, _ = Settings.from_dict(read((tmp_path / "out.png").read_bytes()))
        expected = SOLVERS["vml-map"]() if said else preset("inpaint-box", "vml-map")
        assert settings.solver == expected.replace(steps=3)


def test_the_search_writes_the_table_of_another_kind(flat, tmp_path):
    file = tmp_path / "table.toml"
    words = ["ddrm", "--task", "denoise", "--measure", "--prior", str(flat), "--table", str(file)]
    result = CliRunner().invoke(tune.main, words)
    assert result.exit_code == 0, result.output
    (row,) = presets.read(file)["ddrm"].values()
    assert row.settings == {} and row.psnr and row.whole


def test_shards_and_half_precision_are_read(flat, sharded, tmp_path):
    assert same(load_unet(sharded), load_unet(flat))
    DDPMPipeline(tiny(), DDIMScheduler()).save_pretrained(tmp_path / "one", safe_serialization=True, variant="fp16")
    assert [file.name for file in (tmp_path / "one/unet").glob("*.safetensors")] == [WEIGHTS.replace(".", ".fp16.")]
    assert same(load_unet(tmp_path / "one"), load_unet(flat))
    DDPMPipeline(tiny(), DDIMScheduler()).save_pretrained(tmp_path / "half", safe_serialization=True, variant="fp16")
    tiny().save_pretrained(tmp_path / "half/unet", max_shard_size="20KB", variant="fp16")
    (tmp_path / "half/unet/diffusion_pytorch_model.fp16.safetensors").unlink()
    assert same(load_unet(tmp_path / "half"), load_unet(flat))


def test_old_names_of_attention_are_known(tmp_path):
    torch.manual_seed(0)
    blocks = {"down_block_types": ("DownBlock2D", "AttnDownBlock2D"), "up_block_types": ("AttnUpBlock2D", "UpBlock2D")}
    network = UNet2DModel(
        layers_per_block=1, block_out_channels=(8, 16), norm_num_groups=4, attention_head_dim=8, **blocks
    )
    network.save_pretrained(tmp_path)
    DDPMScheduler().save_pretrained(tmp_path)
    today, tensors = load_unet(tmp_path), load_file(tmp_path / WEIGHTS)
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    for new, before in old.items():
        tensors = {name.replace(new, before): value for name, value in tensors.items()}
    assert any("proj_attn" in name for name in tensors)
    save_file(tensors, tmp_path / WEIGHTS)
    assert same(load_unet(tmp_path), today)


def test_a_prior_that_was_trained_on_is_read_anew(tmp_path, monkeypatch):
    file, elsewhere = tmp_path / "prior.safetensors", tmp_path / "elsewhere"
    shutil.copy(EMBEDDED, file)
    first = load_prior(str(file))
    assert load_prior(str(file)) is first
    catalog.forget()
    assert load_prior(str(file)) is not first
    shutil.copy(EMBEDDED, tmp_path / "next")
    os.utime(tmp_path / "next", ns=(1, 1))
    (tmp_path / "next").replace(file)
    assert load_prior(str(file)) is not first
    elsewhere.mkdir()
    shutil.copy2(file, elsewhere / file.name)
    monkeypatch.chdir(tmp_path)
    here = load_prior(file.name)
    monkeypatch.chdir(elsewhere)
    assert load_prior(file.name) is not here


def test_a_file_that_is_not_there_is_no_repository():
    with pytest.raises(ParameterError, match="no file"):
        load_prior("runs/prior.safetensors")
