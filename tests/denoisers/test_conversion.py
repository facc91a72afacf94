"""Checkpoints of guided-diffusion as folders of diffusers: written here, and by others for the Hub."""

import hashlib
import json
import math
import re

import pytest
import torch
from checkpoints import WEIGHTS, same
from diffusers import DDPMScheduler, UNet2DModel
from originals import HEAD, SMALL, random_weights
from safetensors.torch import load_file, save_file

from inverse.denoisers import catalog
from inverse.denoisers.cards import ADM
from inverse.denoisers.catalog import load_prior
from inverse.denoisers.conversion import convert
from inverse.denoisers.guided_diffusion import load
from inverse.errors import OutputError, PriorError


@pytest.fixture
def file(tmp_path):
    torch.save(random_weights(**SMALL), tmp_path / "ffhq_10m.pt")
    return tmp_path / "ffhq_10m.pt"


@pytest.fixture
def converted(file, tmp_path):
    convert(file, tmp_path / "adm", allow_pickle=True)
    return tmp_path / "adm"


def estimate(prior):
    with torch.no_grad():
        return prior(torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(1)), 0.7)


def test_the_folder_is_the_same_prior(file, converted):
    prior = load_prior(str(converted), "cpu")
    assert same(prior, load(file, allow_pickle=True)) and catalog.kind_at(converted) == prior.kind == ADM
    assert torch.equal(estimate(prior), estimate(load(file, allow_pickle=True)))


def test_diffusers_reads_the_folder(file, converted):
    theirs, ours = UNet2DModel.from_pretrained(converted), load(file, allow_pickle=True).network
    assert theirs.state_dict().keys() == ours.state_dict().keys()
    assert all(torch.equal(value, ours.state_dict()[name]) for name, value in theirs.state_dict().items())
    scheduler = DDPMScheduler.from_pretrained(converted)
    assert torch.equal(scheduler.betas, torch.linspace(1e-4, 0.02, 1000))


def test_half_precision_halves_the_file_and_is_close(file, converted, tmp_path):
    convert(file, tmp_path / "half", half=True, allow_pickle=True)
    sizes = [(folder / WEIGHTS).stat().st_size for folder in (tmp_path / "half", converted)]
    assert sizes[0] < 0.51 * sizes[1]
    prior = load_prior(str(tmp_path / "half"), "cpu")
    exact = estimate(load_prior(str(converted), "cpu"))
    assert 0 < (estimate(prior) - exact).abs().max() < 1e-2 * exact.abs().max()


def test_the_card_says_where_it_comes_from(file, converted, tmp_path):
    card = (converted / "README.md").read_text(encoding="utf-8")
    assert "ffhq_10m.pt" in card and hashlib.sha256(file.read_bytes()).hexdigest() in card
    assert re.search(r"licence.*\| not stated", card) and str(tmp_path) not in card
    convert(file, tmp_path / "more", licence="MIT", allow_pickle=True)
    assert re.search(r"licence.*\| MIT", (tmp_path / "more/README.md").read_text(encoding="utf-8"))


def test_a_file_that_needs_no_permission_is_converted_too(tmp_path, converted):
    save_file(random_weights(**SMALL), tmp_path / "a.safetensors")
    convert(tmp_path / "a.safetensors", tmp_path / "other")
    assert same(load_prior(str(tmp_path / "other"), "cpu"), load_prior(str(converted), "cpu"))


# All or nothing


def test_what_is_there_is_never_replaced(file, converted, tmp_path):
    before = {path: path.read_bytes() for path in converted.iterdir()}
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for place in (converted, file, tmp_path / "link"):
        with pytest.raises(OutputError, match="is there already"):
            convert(file, place, allow_pickle=True)
    assert before == {path: path.read_bytes() for path in converted.iterdir()}
    with pytest.raises(OutputError, match="its folder does not exist"):
        convert(file, tmp_path / "nowhere" / "adm", allow_pickle=True)
    (tmp_path / "empty").mkdir()
    convert(file, tmp_path / "empty", allow_pickle=True)
    assert (tmp_path / "empty" / WEIGHTS).exists()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full", "Ctrl+C"])
def test_a_conversion_that_is_cut_short_leaves_nothing(file, tmp_path, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr("inverse.denoisers.conversion.save_file", fail)
    with pytest.raises((OutputError, KeyboardInterrupt)):
        convert(file, tmp_path / "adm", allow_pickle=True)
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("value", "words"), [(math.nan, "no numbers"), (1e6, "Convert it without --half"), (None, "not those of")]
)
def test_weights_that_cannot_be_kept_end_in_a_sentence(file, tmp_path, value, words):
    tensors = random_weights(**SMALL)
    if value is None:
        tensors["out.0.weight"], tensors["out.0.bias"] = torch.zeros(31), torch.zeros(33)
    else:
        tensors["middle_block.0.in_layers.2.weight"][0, 0, 0, 0] = value
    torch.save(tensors, file)
    with pytest.raises(PriorError, match=rf"{words}.*\.$"):
        convert(file, tmp_path / "adm", half=True, allow_pickle=True)
    assert not (tmp_path / "adm").exists()


# Conversions of others


@pytest.fixture
def published(converted, tmp_path):
    """As on the Hub: the original rows cut into q, k and v as they are, and words that diffusers has not got."""

    def write(legacy):
        tensors, originals = load_file(converted / WEIGHTS), random_weights(**SMALL)
        where = {"middle_block.1": "mid_block.attentions.0", "input_blocks.9.1": "down_blocks.4.attentions.0"}
        where |= {f"output_blocks.{index}.1": f"up_blocks.0.attentions.{index}" for index in (0, 1)}
        for name, place in where.items():
            for kind in ("weight", "bias"):
                original = originals[f"{name}.qkv.{kind}"].squeeze(-1)
                if not legacy:  # the other order: all of q, then all of k, then all of v
                    original = original.unflatten(0, (2, 3, HEAD)).transpose(0, 1).flatten(0, 2)
                for to, part in zip(("to_q", "to_k", "to_v"), original.chunk(3), strict=True):
                    tensors[f"{place}.{to}.{kind}"] = part.clone()
        folder = tmp_path / "published"
        folder.mkdir()
        save_file(tensors, folder / WEIGHTS)
        config = json.loads((converted / "config.json").read_text())
        del config["attn_norm_num_groups"]
        config |= {"time_embedding_type": "adm", "attention_legacy_order": legacy}
        (folder / "config.json").write_text(json.dumps(config))
        scheduler = {"_class_name": "ADMDDIMScheduler", "num_train_timesteps": 1000, "variance_type": "learned_range"}
        (folder / "scheduler_config.json").write_text(json.dumps(scheduler))
        return folder

    return write


@pytest.mark.parametrize("legacy", [True, False])
def test_a_conversion_on_the_hub_is_the_same_prior(published, converted, legacy):
    folder = published(legacy)
    prior = load_prior(str(folder), "cpu")
    assert same(prior, load_prior(str(converted), "cpu")) and catalog.kind_at(folder) == prior.kind == ADM


@pytest.mark.parametrize("value", [-1, 2.5, 1000, [5], None])
@pytest.mark.parametrize("name", ["attention_head_dim", "attention_legacy_order", "time_embedding_type"])
def test_a_made_up_conversion_ends_in_a_sentence_or_in_a_prior(published, name, value):
    folder = published(True)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, name: value}))
    try:
        prior = load_prior(str(folder), "cpu")
    except PriorError as error:
        assert re.search(r"\. [A-Z].*\.$", str(error)), (name, value)
    else:
        assert estimate(prior).isfinite().all()
