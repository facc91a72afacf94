"""Checkpoints of guided-diffusion against its network, written out in `originals.py`; and what is not one of them."""

import math
import os

import pytest
import torch
from checkpoints import same
from originals import FFHQ, IMAGENET, SMALL, attention, forward, random_weights
from safetensors.torch import save_file

from inverse.denoisers import adm, catalog, guided_diffusion, unet
from inverse.denoisers.cards import ADM, kind_of
from inverse.denoisers.catalog import load_prior
from inverse.denoisers.guided_diffusion import load, read
from inverse.denoisers.unet import assemble
from inverse.errors import PriorError
from inverse.solvers import SOLVERS
from inverse.solvers.presets import preset, remark

TIMES = torch.tensor([0.0, 1.0, 37.5, 500.0, 999.0, 523.25])


@pytest.fixture(scope="module", params=[FFHQ, IMAGENET], ids=["ffhq", "imagenet"])
def published(request, tmp_path_factory):
    """One of the published shapes: its form, tensors and file."""
    file = tmp_path_factory.mktemp("original") / "a.pt"
    tensors = random_weights(**request.param)
    torch.save(tensors, file)
    return request.param, tensors, file


@pytest.fixture
def small(tmp_path):
    """Writes the tensors of a small network, changed, into a file that needs no permission."""

    def write(change=lambda tensors: None, **shape):
        tensors = random_weights(**{**SMALL, **shape})
        change(tensors)
        save_file(tensors, tmp_path / "small.safetensors")
        return tmp_path / "small.safetensors"

    return write


def relative(found, expected):
    return float(((found - expected).abs().max() / expected.abs().max()).detach())


def noise(*shape, seed=1):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


# It is the original network


def test_the_network_is_the_original_one(published):
    shape, tensors, file = published
    prior, x = load(file, allow_pickle=True), noise(len(TIMES), 3, 64, 64)
    with torch.no_grad():
        found = prior.network(x, TIMES).sample
        expected = forward(tensors, x, TIMES, **shape)
    assert all(relative(one, other) < 1e-5 for one, other in zip(found, expected, strict=True))


def test_the_estimate_is_that_of_the_linear_table(published):
    shape, tensors, file = published
    prior = load(file, allow_pickle=True)
    beta = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
    for t in (0, 300, 999):
        abar = float((1 - beta).cumprod(0)[t])
        sigma, x = math.sqrt((1 - abar) / abar), noise(1, 3, 64, 64)
        with torch.no_grad():
            output = forward(tensors, x * math.sqrt(abar), torch.tensor([float(t)]), **shape)[:, :3]
            found = prior(x, sigma)
        assert relative(found, x - sigma * output) < 1e-4  # the table is kept in float32
    assert prior.sigma_min == pytest.approx(0.0100, abs=1e-4) and prior.sigma_max == pytest.approx(157.4, abs=0.1)
    assert prior.multiple == 32 and prior.channels == 3 and prior.kind == ADM


@pytest.mark.parametrize("out_channels", [3, 6])
def test_the_variance_may_be_learned(small, out_channels):
    prior = load(small(out_channels=out_channels))
    assert prior(noise(1, 3, 20, 33), 0.5).shape == (1, 3, 20, 33)


# The three silent traps: each test says by how much it would be wrong


def test_heads_of_attention_are_told_apart(small, monkeypatch):
    file = small()
    tensors, x = random_weights(**SMALL), noise(2, 128, 4, 4)
    found = load(file).network.mid_block.attentions[0](x)
    assert relative(found, attention(tensors, "middle_block.1", x)) < 1e-5
    monkeypatch.setattr(adm, "split", lambda qkv, heads: qkv.reshape(len(qkv), *qkv.shape[1:2]).chunk(3))
    assert relative(load(file).network.mid_block.attentions[0](x), found) > 0.1


def test_the_attention_in_the_middle_has_its_norm(small):
    config, tensors = read(small())
    network = assemble(config, adm.SCHEDULE, tensors).network
    x = 3 + noise(2, 128, 4, 4)
    expected = attention(random_weights(**SMALL), "middle_block.1", x)
    assert relative(network.mid_block.attentions[0](x), expected) < 1e-5
    # Left to itself, diffusers builds no norm there, and lenient loading drops its weights.
    lenient = unet._network({**config, "attn_norm_num_groups": None})
    assert len(lenient.load_state_dict(tensors, strict=False).unexpected_keys) == 2
    assert relative(lenient.mid_block.attentions[0](x), expected) > 0.1


def test_norms_have_the_original_eps(small):
    """Seen where a picture is flat: there the variance is of the size of eps, and rounding is magnified too."""
    config, tensors = read(small(lambda tensors: tensors["input_blocks.0.0.weight"].mul_(1e-3)))
    weights = {name: value.double() for name, value in random_weights(**SMALL).items()}
    weights["input_blocks.0.0.weight"] *= 1e-3
    x, t = noise(1, 3, 64, 64).double(), torch.tensor([10.0])
    with torch.no_grad():
        expected = forward(weights, x, t, **SMALL)
        assert relative(assemble(config, adm.SCHEDULE, tensors).network.double()(x, t).sample, expected) < 1e-5
        wrong = assemble({**config, "norm_eps": 1e-6}, adm.SCHEDULE, tensors).network.double()(x, t).sample
    assert relative(wrong, expected) > 1e-3


# Files


def test_a_checkpoint_is_a_prior_by_any_name_and_in_both_formats(tmp_path):
    tensors = random_weights(**SMALL)
    for name in ("ffhq_10m.pt", "noname", "a.bin"):
        torch.save(tensors, tmp_path / name)
        with pytest.raises(PriorError, match=r"pickle.*--allow-pickle.*priors convert"):
            load_prior(str(tmp_path / name), "cpu")
        one = load_prior(str(tmp_path / name), "cpu", allow_pickle=True)
        save_file(tensors, tmp_path / name)
        assert same(load_prior(str(tmp_path / name), "cpu"), one)
        assert catalog.kind_at(tmp_path / name) == one.kind == ADM
    torch.save(tensors, tmp_path / "prior.safetensors")
    with pytest.raises(PriorError, match="is a pickle, whatever its name says"):
        load_prior(str(tmp_path), "cpu", allow_pickle=True)


def test_half_precision_in_the_file_is_read_as_float32(small):
    file = small(lambda tensors: tensors.update({name: value.half() for name, value in tensors.items()}))
    prior = load(file)
    assert prior(noise(1, 3, 32, 32), 1.0).dtype == torch.float32
    assert {value.dtype for value in prior.network.state_dict().values()} == {torch.float32}


def test_its_kind_has_no_preset_of_another_prior():
    assert preset("deblur-gaussian", "vml-map", kind=ADM) == SOLVERS["vml-map"]()
    assert "own defaults" in remark(ADM) and "tune --prior" in remark(ADM)
    assert kind_of("ffhq_10m.pt") == kind_of("adm-imagenet-256") == ADM
    commit = "3fc55601fb256c71a9b34c3b185602fab3f1bb6a"
    assert kind_of(f"adm-imagenet-256x256-unconditional@{commit}") == ADM


class Malice:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("allow", [False, True], ids=["", "allowed"])
def test_no_code_in_a_checkpoint_runs(tmp_path, allow):
    torch.save({**random_weights(**SMALL), "more": Malice(tmp_path / "owned")}, tmp_path / "a.pt")
    with pytest.raises(PriorError, match=r"\. [A-Z].*\.$"):
        load_prior(str(tmp_path / "a.pt"), "cpu", allow_pickle=allow)
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    "content",
    [[torch.zeros(3)], {"model": {"a": torch.zeros(3)}}, {1: torch.zeros(3)}, {"a": torch.zeros(3)}, {}, "words",
     {"a": torch.zeros(3, dtype=torch.int64)}, {"a": torch.eye(3).to_sparse()}, {"a": torch.zeros(3, device="meta")}],
    ids=str,
)  # fmt: skip
def test_a_pickle_of_something_else_ends_in_a_sentence(tmp_path, content):
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(PriorError, match=r"\. [A-Z].*\.$"):
        load_prior(str(tmp_path / "a.pt"), "cpu", allow_pickle=True)


@pytest.mark.parametrize("change", [torch.Tensor.to_sparse, torch.Tensor.long], ids=["sparse", "whole"])
def test_weights_are_plain_numbers(tmp_path, change):
    tensors = random_weights(**SMALL)
    torch.save({**tensors, "out.2.bias": change(tensors["out.2.bias"])}, tmp_path / "a.pt")
    with pytest.raises(PriorError, match="does not hold tensors by name, and nothing else"):
        load(tmp_path / "a.pt", allow_pickle=True)


@pytest.mark.parametrize("pickled", [True, False])
@pytest.mark.parametrize("length", [0, 3, 100, 5000, -100])
def test_a_cut_file_ends_in_a_sentence(tmp_path, pickled, length):
    file = tmp_path / ("a.pt" if pickled else "a.safetensors")
    (torch.save if pickled else save_file)(random_weights(**SMALL), file)
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(PriorError, match=r"\. [A-Z].*\.$"):
        load_prior(str(file), "cpu", allow_pickle=True)


def conditional(tensors):
    tensors["label_emb.weight"] = torch.zeros(1000, 128)


def without_a_layer(tensors):
    del tensors["output_blocks.3.0.in_layers.2.weight"]


def without_the_middle(tensors):
    del tensors["middle_block.1.qkv.weight"]


def with_one_more(tensors):
    tensors["output_blocks.3.0.in_layers.7.weight"] = torch.zeros(3)


def with_a_block_of_another_name(tensors):
    tensors["input_blocks.x.0.in_layers.2.weight"] = torch.zeros(3)


def transposed(tensors):
    tensors["time_embed.0.weight"] = tensors["time_embed.0.weight"].T.contiguous()


def of_another_shape(tensors):
    tensors["middle_block.0.in_layers.2.weight"] = tensors["middle_block.0.in_layers.2.weight"].flip(0)[:64].clone()


def of_no_shape(tensors):
    tensors["input_blocks.0.0.weight"] = torch.tensor(1.0)


def not_a_number(tensors):
    tensors["out.2.bias"][0] = math.nan


def endless(tensors):
    tensors["middle_block.2.emb_layers.1.weight"][3, 3] = -math.inf


def without_scale(tensors):
    for name in [name for name in tensors if "emb_layers" in name]:
        tensors[name] = tensors[name].chunk(2)[0].clone()


def without_residual_upsampling(tensors):
    for name in list(tensors):
        if name.startswith("output_blocks") and name.split(".")[2] in "12" and "qkv" not in name:
            del tensors[name]


def of_a_classifier(tensors):
    for name in [name for name in tensors if name.startswith("output_blocks")]:
        del tensors[name]


def of_stable_diffusion(tensors):
    for name in list(tensors):
        tensors[f"model.diffusion_model.{name}"] = tensors.pop(name)


def of_an_upsampler(tensors):
    tensors["input_blocks.0.0.weight"] = torch.zeros(32, 6, 3, 3)


WRONG = {
    conditional: "class label", without_a_layer: "", without_the_middle: "", with_one_more: "",
    with_a_block_of_another_name: "", transposed: "", of_another_shape: "", of_no_shape: "", not_a_number: "no numbers",
    endless: "no numbers", without_scale: "older kind", without_residual_upsampling: "older kind",
    of_a_classifier: "", of_stable_diffusion: "", of_an_upsampler: "colour picture",
}  # fmt: skip


@pytest.mark.parametrize("change", WRONG)
def test_another_network_ends_in_a_sentence(small, change):
    with pytest.raises(PriorError, match=rf"{WRONG[change]}.*\. [A-Z].*\.$"):
        load_prior(str(small(change)), "cpu")


@pytest.mark.parametrize(
    ("shape", "words"),
    [({"multipliers": (1, 2, 3, 4), "attention": (2, 3)}, "64 pixels"), ({"out_channels": 1}, "colour picture"),
     ({"width": 48}, "widths"), ({"multipliers": (1, 1, 1, 1, 3)}, "heads"),
     ({"multipliers": (2, 1, 1, 1, 4)}, "")],
    ids=str,
)  # fmt: skip
def test_a_network_of_an_unknown_form_ends_in_a_sentence(small, shape, words):
    with pytest.raises(PriorError, match=rf"{words}.*\. [A-Z].*\.$"):
        guided_diffusion.load(small(**shape))


def test_a_made_up_size_costs_no_memory(tmp_path, monkeypatch):
    """Tensors that are one number many times are small in a pickle, and a network of their shapes is not."""
    real = unet._network

    def never(config):
        assert torch.empty(0).device.type == "meta", "room was made for it"
        return real(config)

    monkeypatch.setattr(unet, "_network", never)
    huge = {name: value.flatten()[:1] for name, value in random_weights(**SMALL).items()}
    shapes = {name: value.shape for name, value in random_weights(**SMALL).items()}
    for factor in (1, 32, 10**6):
        tensors = {
            name: one.clone().expand([n if n in (3, 6, 1) else n * factor for n in shapes[name]])
            for name, one in huge.items()
        }
        torch.save(tensors, tmp_path / "a.pt")
        with pytest.raises(PriorError, match="larger than itself"):
            load(tmp_path / "a.pt", allow_pickle=True)
