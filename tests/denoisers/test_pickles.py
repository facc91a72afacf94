"""No pickle runs code, whatever it is called and however it is named; none is opened that nobody allowed."""

import json
import os
import pickle
import shutil
import zipfile

import pytest
import torch
from checkpoints import INDEX, PICKLE, WEIGHTS, pickled, renamed, same, shard, tiny
from diffusers import DDPMScheduler
from safetensors.torch import save_file

from inverse.denoisers import weights
from inverse.denoisers.catalog import load_prior
from inverse.denoisers.unet import UNetDenoiser, load_unet
from inverse.errors import PriorError


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
