"""Damaged, lying and made-up files end in a sentence, and cost neither time nor memory."""

import json
import os
import re
import shutil
import struct

import pytest
import torch
from checkpoints import INDEX, WEIGHTS, change
from safetensors.torch import load_file, save_file

from inverse.denoisers.catalog import EMBEDDED
from inverse.denoisers.embedded import load_network
from inverse.denoisers.unet import load_unet
from inverse.errors import PriorError


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
