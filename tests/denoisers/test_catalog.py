"""Priors by name: what is loaded, and what is refused before a byte of it is trusted."""

import json
import os
import pickle
import re
import shutil
import struct
import zipfile

import pytest
import torch
from click.testing import CliRunner
from diffusers import DDIMScheduler, DDPMPipeline, DDPMScheduler, UNet2DModel
from safetensors.torch import load_file, save_file

from inverse.__main__ import main
from inverse.denoisers import catalog, hub, weights
from inverse.denoisers.cards import DDPM, PRIORS, Card, kind_of
from inverse.denoisers.catalog import EMBEDDED, load_prior
from inverse.denoisers.embedded import EDMDenoiser, load_network
from inverse.denoisers.hub import find
from inverse.denoisers.unet import UNetDenoiser, load_unet
from inverse.errors import ParameterError, PriorError
from inverse.evaluation import tune
from inverse.settings import Settings
from inverse.settings.carriers import read
from inverse.solvers import SOLVERS, presets
from inverse.solvers.presets import preset

WEIGHTS = "diffusion_pytorch_model.safetensors"
PICKLE = "diffusion_pytorch_model.bin"
COMMIT = "0123456789abcdef" * 2 + "01234567"


def tiny():
    torch.manual_seed(0)
    blocks = {"down_block_types": ("DownBlock2D",) * 2, "up_block_types": ("UpBlock2D",) * 2}
    return UNet2DModel(sample_size=16, layers_per_block=1, block_out_channels=(8, 16), norm_num_groups=4, **blocks)


@pytest.fixture(autouse=True)
def forget():
    catalog.forget()
    yield
    catalog.forget()


@pytest.fixture
def flat(tmp_path):
    """A model with its scheduler beside it, as the old repositories of the Hub are laid out."""
    folder = tmp_path / "flat"
    tiny().save_pretrained(folder, safe_serialization=True)
    DDPMScheduler().save_pretrained(folder)
    return folder


def pickled(folder, content=None):
    torch.save(tiny().state_dict() if content is None else content, folder / PICKLE)
    (folder / WEIGHTS).unlink(missing_ok=True)
    return folder


def change(path, changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def same(one, other):
    """Whether two priors are one: what they compute may differ in the last bit, by where in memory the weights lie."""
    ours, theirs = one.network.state_dict(), other.network.state_dict()
    levels = torch.logspace(-3, 3, 200, dtype=torch.float64)
    return (
        ours.keys() == theirs.keys()
        and all(torch.equal(ours[name], theirs[name]) for name in ours)
        and (one.prediction, one.multiple, one.channels) == (other.prediction, other.multiple, other.channels)
        and (one.sigma_min, one.sigma_max) == (other.sigma_min, other.sigma_max)
        and torch.equal(one.time_step(levels), other.time_step(levels))
    )


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


def test_only_configuration_and_weights_are_downloaded_and_not_too_much(flat, monkeypatch, tmp_path):
    """With a stand-in for the network: what is asked of it, and what is refused by the sizes that it names."""
    import huggingface_hub
    from huggingface_hub.errors import LocalEntryNotFoundError

    class File:
        def __init__(self, path, size):
            self.path, self.size = path, size

    files = [File("config.json", 900), File("scheduler_config.json", 200), File(WEIGHTS, 10**6), File(PICKLE, 10**6)]
    files += [File("modeling_ddpm.py", 3000), File("pipeline.py", 3000)]
    asked = []

    def snapshot_download(repository, revision, allow_patterns, local_files_only):
        if local_files_only:
            raise LocalEntryNotFoundError("not here")
        asked.append((repository, revision, sorted(allow_patterns)))
        return str(flat)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    monkeypatch.setattr(huggingface_hub.HfApi, "list_repo_tree", lambda *_, revision, **__: iter(files))
    prior = PRIORS["ddpm-cat-256"]
    assert hub.folder_of(prior, allow_pickle=True) == flat
    assert asked == [(prior.repository, prior.revision, sorted([*hub.CONFIGURATION, WEIGHTS]))]
    files[2].size = 3 * 10**9
    with pytest.raises(PriorError, match=r"3\.0 GB, and at most 2 GB"):
        hub.folder_of(prior)
    del files[2]
    with pytest.raises(PriorError, match="safetensors"):
        hub.folder_of(prior)
    assert len(asked) == 1


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
    with pytest.raises(PriorError, match="COMMIT"):
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


# Pickles


def test_a_pickle_is_read_only_when_the_user_says_so(flat):
    expected = load_unet(flat)
    pickled(flat)
    with pytest.raises(PriorError, match="--allow-pickle"):
        load_prior(str(flat), "cpu")
    assert same(load_prior(str(flat), "cpu", allow_pickle=True), expected)


class Malice:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def bare_pickle(folder, content):
    (folder / PICKLE).write_bytes(pickle.dumps(content))


@pytest.mark.parametrize("store", [pickled, bare_pickle])
@pytest.mark.parametrize("rename", [False, True], ids=["bin", "renamed"])
@pytest.mark.parametrize("allow", [False, True], ids=["", "allowed"])
def test_no_pickle_runs_code(flat, tmp_path, store, rename, allow):
    (flat / WEIGHTS).unlink()
    store(flat, {"conv_in.weight": Malice(tmp_path / "owned")})
    if rename:
        (flat / PICKLE).rename(flat / WEIGHTS)
    with pytest.raises(PriorError, match=r"\.$"):
        load_unet(flat, allow_pickle=allow)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("store", [pickled, bare_pickle])
def test_a_pickle_under_another_name_is_called_one(flat, store):
    store(flat, {"a": 1})
    (flat / PICKLE).replace(flat / WEIGHTS)
    with pytest.raises(PriorError, match="is a pickle, whatever its name says"):
        load_unet(flat, allow_pickle=True)


def test_code_in_the_folder_is_not_run(flat, tmp_path):
    code = f"import os; os.mkdir({str(tmp_path / 'owned')!r})"
    for name in ("modeling.py", "pipeline.py", "unet.py", "__init__.py", "scheduler.py", "my_unet.py"):
        (flat / name).write_text(code)
    for name, custom in (("config.json", "my_unet.MyUNet"), ("scheduler_config.json", "scheduler.Mine")):
        config = json.loads((flat / name).read_text())
        (flat / name).write_text(
            json.dumps({**config, "auto_map": {"AutoModel": custom}, "custom_pipeline": "pipeline"})
        )
    (flat / "model_index.json").write_text(
        json.dumps({"_class_name": ["pipeline", "Mine"], "unet": ["unet", "MyUNet"]})
    )
    assert isinstance(load_unet(flat), UNetDenoiser)
    assert not (tmp_path / "owned").exists()


def test_a_zip_bomb_is_refused_unread(flat):
    pickled(flat)
    with zipfile.ZipFile(flat / PICKLE, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/9999", bytes(50_000_000))
    with pytest.raises(PriorError, match="unpacks to more"):
        load_unet(flat, allow_pickle=True)


def a_packed_entry(archive):
    archive.writestr("archive/data/9999", bytes(200), zipfile.ZIP_DEFLATED)


def one_entry_many_times(archive):
    archive.writestr("archive/data/9999", bytes(100_000))
    archive.filelist += archive.filelist[-1:] * 50


@pytest.mark.parametrize("change_it", [a_packed_entry, one_entry_many_times])
def test_an_archive_that_is_not_as_torch_saves_it_is_refused(flat, change_it):
    """The first unpacks to less than the file's size; the second packs nothing."""
    pickled(flat)
    with zipfile.ZipFile(flat / PICKLE, "a") as archive:
        change_it(archive)
    with pytest.raises(PriorError, match="unpacks to more"):
        load_unet(flat, allow_pickle=True)


# Weights in several files


@pytest.fixture
def sharded(tmp_path):
    """A model in shards, with the names that an index gives them."""
    folder = tmp_path / "sharded"
    tiny().save_pretrained(folder, safe_serialization=True, max_shard_size="20KB")
    DDPMScheduler().save_pretrained(folder)
    assert len(list(folder.glob("*.safetensors"))) > 1
    return folder


INDEX = f"{WEIGHTS}.index.json"


def renamed(folder, old, new):
    """Calls a shard something else, in the index too."""
    index = json.loads((folder / INDEX).read_text())
    places = {tensor: new if name == old else name for tensor, name in index["weight_map"].items()}
    (folder / INDEX).write_text(json.dumps({**index, "weight_map": places}))


def shard(folder):
    return min(folder.glob("*.safetensors")).name


def test_shards_and_half_precision_are_read(flat, sharded, tmp_path):
    assert same(load_unet(sharded), load_unet(flat))
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


def test_a_header_whose_length_looks_like_a_pickle_is_none(tmp_path):
    """640 bytes are 80 02 in a file, as protocol 2 of pickles begins."""
    for length in range(1, 700):
        save_file({"a": torch.zeros(3)}, tmp_path / "a.safetensors", {"words": "x" * length})
        if (tmp_path / "a.safetensors").read_bytes().startswith(b"\x80\x02"):
            break
    assert weights.shapes(tmp_path / "a.safetensors") == {"a": (3,)}
    assert (tmp_path / "a.safetensors").read_bytes().startswith(b"\x80\x02")


def bin_beside(folder, malice):
    torch.save({"a": malice}, folder / "shard.bin")
    renamed(folder, shard(folder), "shard.bin")


def bin_by_another_name(folder, malice):
    torch.save({"a": malice}, folder / shard(folder))


def bare_by_another_name(folder, malice):
    (folder / shard(folder)).write_bytes(pickle.dumps(malice))


def bin_outside(folder, malice):
    torch.save({"a": malice}, folder.parent / "shard.bin")
    renamed(folder, shard(folder), "../shard.bin")


def bin_by_its_whole_path(folder, malice):
    torch.save({"a": malice}, folder / "shard.bin")
    renamed(folder, shard(folder), str(folder / "shard.bin"))


def bin_by_a_link(folder, malice):
    torch.save({"a": malice}, folder.parent / "elsewhere")
    (folder / "shard.safetensors").symlink_to(folder.parent / "elsewhere")
    renamed(folder, shard(folder), "shard.safetensors")


def index_of_bins(folder, malice):
    bin_beside(folder, malice)
    (folder / INDEX).rename(folder / f"{PICKLE}.index.json")


def index_by_a_link(folder, malice):
    bin_beside(folder, malice)
    (folder / INDEX).rename(folder.parent / INDEX)
    (folder / INDEX).symlink_to(folder.parent / INDEX)


def variant_of_bins(folder, malice):
    bin_beside(folder, malice)
    (folder / INDEX).rename(folder / "diffusion_pytorch_model.safetensors.index.fp16.json")


def variant_of_one_bin(folder, malice):
    (folder / INDEX).unlink()
    torch.save({"a": malice}, folder / "diffusion_pytorch_model.fp16.bin")


DETOURS = [bin_beside, bin_by_another_name, bare_by_another_name, bin_outside, bin_by_its_whole_path, bin_by_a_link,
           index_of_bins, index_by_a_link, variant_of_bins, variant_of_one_bin]  # fmt: skip


@pytest.mark.parametrize("decoy", [False, True], ids=["", "decoy"])
@pytest.mark.parametrize("nested", [False, True], ids=["", "nested"])
@pytest.mark.parametrize("detour", DETOURS)
def test_no_pickle_is_opened_by_a_detour(flat, sharded, tmp_path, monkeypatch, detour, nested, decoy):
    """Not even by PyTorch's loader for tensors only: nobody allowed it. The decoy is a file of safetensors beside."""
    folder = tmp_path / "prior"
    place = folder / "unet" if nested else folder
    shutil.copytree(sharded, place)
    if nested:
        (folder / "scheduler").mkdir()
        (place / "scheduler_config.json").rename(folder / "scheduler" / "scheduler_config.json")
    detour(place, Malice(tmp_path / "owned"))
    opened = []
    monkeypatch.setattr(torch, "load", lambda *_, **__: opened.append(1))
    monkeypatch.setattr(pickle, "Unpickler", lambda *_, **__: opened.append(1))
    if decoy:
        shutil.copy(flat / WEIGHTS, place / WEIGHTS)
        assert same(load_prior(str(folder), "cpu"), load_unet(flat))
    else:
        with pytest.raises(PriorError, match=r"\. [A-Z].*\.$"):
            load_prior(str(folder), "cpu")
    assert not opened and not (tmp_path / "owned").exists()


def test_pickled_shards_are_read_when_the_user_says_so(flat, tmp_path):
    tiny().save_pretrained(tmp_path / "bins", safe_serialization=False, max_shard_size="20KB")
    DDPMScheduler().save_pretrained(tmp_path / "bins")
    assert len(list((tmp_path / "bins").glob("*.bin"))) > 1
    with pytest.raises(PriorError, match="--allow-pickle"):
        load_unet(tmp_path / "bins")
    assert same(load_unet(tmp_path / "bins", allow_pickle=True), load_unet(flat))


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b"{" * 99_999, b" " * 2_000_000, b'{"weight_map": []}', b'{"weight_map": {"a": 5}}',
     b'{"weight_map": {"a": ""}}', b'{"weight_map": {"a": "."}}', b'{"weight_map": {"a": "x\\u0000"}}',
     json.dumps({"weight_map": {str(i): f"{i}.safetensors" for i in range(500)}}).encode()],
    ids=repr,
)  # fmt: skip
def test_a_damaged_index_ends_in_a_sentence(sharded, content):
    (sharded / INDEX).write_bytes(content)
    with pytest.raises(PriorError, match=r"\. [A-Z].*\.$"):
        load_unet(sharded)


# Damage


def cut(path):
    path.write_bytes(path.read_bytes()[:-100])


def cut_header(path):
    path.write_bytes(path.read_bytes()[:50])


def gigabyte_header(path):
    path.write_bytes(struct.pack("<Q", 2**30) + b"{" + path.read_bytes()[9:])


def sparse_gigabyte_header(path):
    with path.open("wb") as file:
        file.write(struct.pack("<Q", 2**30) + b"{")
        file.truncate(2**30 + 100)


def deep_header(path):
    header = b'{"a":' + b"[" * 100_000
    path.write_bytes(struct.pack("<Q", len(header)) + header)


def lying_header(path):
    header = json.dumps({"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)


def empty(path):
    path.write_bytes(b"")


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def directory(path):
    path.unlink()
    path.mkdir()


def link_outside(path):
    shutil.move(path, path.parents[1] / "elsewhere")
    path.symlink_to(path.parents[1] / "elsewhere")


def dangling(path):
    path.unlink()
    path.symlink_to("nowhere")


def other_shape(path):
    tensors = load_file(path)
    name = next(iter(tensors))
    save_file({**tensors, name: tensors[name][:1].clone()}, path)


HARM = [cut, cut_header, gigabyte_header, sparse_gigabyte_header, deep_header, lying_header, empty, pipe, directory,
        link_outside, dangling, other_shape]  # fmt: skip


@pytest.mark.parametrize("harm", HARM)
def test_damaged_weights_end_in_a_sentence(flat, harm):
    harm(flat / WEIGHTS)
    with pytest.raises(PriorError, match=r"\. [A-Z].*\.$") as caught:
        load_unet(flat)
    assert str(flat.parent) not in str(caught.value)


@pytest.mark.parametrize("harm", [h for h in HARM if h not in (directory, link_outside)])
def test_a_damaged_trained_file_ends_in_a_sentence(tmp_path, harm):
    path = tmp_path / "folder" / "prior.safetensors"
    path.parent.mkdir()
    shutil.copy(EMBEDDED, path)
    harm(path)
    with pytest.raises(PriorError, match=r"\. [A-Z].*\.$"):
        load_network(path)


@pytest.mark.parametrize(
    "shape",
    [{"widths": [10**9]}, {"widths": [4096] * 2, "depths": [60, 60]}, {"depths": [10**9]}, {"patch": -1},
     {"widths": []}, {"embedding": 1e9}, {"channels": True}, {"nothing": 1}, {"context": 10**6}],
)  # fmt: skip
def test_a_trained_file_cannot_ask_for_a_giant_network(tmp_path, shape):
    network = {"widths": [8], "depths": [1], "embedding": 8, "frequencies": 4, **shape}
    metadata = {"format": "inverse-residual-unet-1", "network": json.dumps(network)}
    save_file({"a": torch.zeros(3)}, tmp_path / "p.safetensors", metadata)
    with pytest.raises(PriorError, match="damaged"):
        load_network(tmp_path / "p.safetensors")


@pytest.mark.parametrize(
    "changes",
    [{"block_out_channels": [10**6, 10**6]}, {"layers_per_block": 10**9}, {"block_out_channels": None},
     {"block_out_channels": [-8, 16]}, {"down_block_types": ["DownBlock2D"]}, {"down_block_types": ["os.system"] * 2},
     {"norm_num_groups": 0}, {"_class_name": "DiTTransformer2DModel"}, {"_class_name": ["x"]},
     {"time_embedding_type": "fourier"}, {"layers_per_block": "2"}, {"in_channels": 10**9}, {"out_channels": 0},
     {"num_class_embeds": 10}],
    ids=str,
)  # fmt: skip
def test_a_made_up_network_ends_in_a_sentence(flat, changes):
    change(flat / "config.json", changes)
    with pytest.raises(PriorError, match=r"\. [A-Z].*\.$"):
        load_unet(flat)


@pytest.mark.parametrize(
    "changes",
    [{"num_train_timesteps": 10**12}, {"num_train_timesteps": 1}, {"num_train_timesteps": "9"},
     {"num_train_timesteps": True}, {"beta_schedule": "none"}, {"beta_start": 0.5, "beta_end": -1},
     {"beta_start": None}, {"beta_end": float("nan")}, {"trained_betas": [0.0] * 10},
     {"_class_name": "ScoreSdeVeScheduler"},
     {"_class_name": "FlowMatchEulerDiscreteScheduler"}, {"_class_name": None}, {"prediction_type": "flow"},
     {"trained_betas": [1.0, 1.0]}, {"trained_betas": 5}, {"trained_betas": "x"}, {"trained_betas": {"a": 1}}],
    ids=str,
)  # fmt: skip
def test_a_made_up_schedule_ends_in_a_sentence(flat, changes):
    change(flat / "scheduler_config.json", changes)
    with pytest.raises(PriorError, match=r"\. [A-Z].*\.$"):
        load_unet(flat)


WRONG = [-1, 2.5, True, "x", [5], {"a": 1}]


@pytest.mark.filterwarnings("ignore")  # PyTorch on tensors without elements
@pytest.mark.parametrize("file", ["config.json", "scheduler_config.json"])
def test_a_value_of_any_type_ends_in_a_sentence_or_in_a_prior(flat, file):
    """Every entry of both configurations in turn, and what came with diffusers later."""
    entries = json.loads((flat / file).read_text())
    for name in [*entries, "trained_betas", "class_embed_type", "attention_head_dim", "time_embedding_dim"]:
        for value in WRONG:
            (flat / file).write_text(json.dumps({**entries, name: value}))
            try:
                prior = load_unet(flat)
            except PriorError as error:
                assert re.search(r"\. [A-Z].*\.$", str(error)), (name, value)
            else:
                prior(torch.zeros(1, prior.channels, 16, 16), 1.0)


def test_a_configuration_has_a_largest_size(flat):
    change(flat / "config.json", {"_words": "x" * 2_000_000})
    with pytest.raises(PriorError, match="too large"):
        load_unet(flat)


@pytest.mark.parametrize("content", [b"", b"[]", b"3", b"{" * 100_000, b"[" * 100_000, b"\xff\xfe", b" " * 2_000_000])
@pytest.mark.parametrize("name", ["config.json", "scheduler_config.json"])
def test_a_damaged_configuration_ends_in_a_sentence(flat, name, content):
    (flat / name).write_bytes(content)
    with pytest.raises(PriorError, match=r"\. [A-Z].*\.$"):
        load_unet(flat)


def test_a_prior_that_was_trained_on_is_read_anew(tmp_path, monkeypatch):
    file, elsewhere = tmp_path / "prior.safetensors", tmp_path / "elsewhere"
    shutil.copy(EMBEDDED, file)
    first = load_prior(str(file))
    assert load_prior(str(file)) is first
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
