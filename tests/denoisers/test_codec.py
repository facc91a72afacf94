"""Autoencoders: scaling, what is refused, their derivative, and the memory that it takes."""

import json

import latents
import pytest
import torch
from diffusers import AutoencoderKL

from inverse.denoisers.codec import UNSAID, Codec, load_codec
from inverse.denoisers.memory import Ledger
from inverse.errors import PriorError
from inverse.randomness import generator


def normal(*shape):
    return torch.randn(*shape, generator=generator(0), dtype=torch.float64)


def double(network):
    codec = Codec(network)
    codec.network.double()
    return codec


@pytest.mark.parametrize("shift", [None, 0.3])
def test_latents_are_scaled_and_shifted_as_the_pipeline_does(shift):
    network = latents.codec(shift_factor=shift, scaling_factor=1.5)
    codec, x = double(network), normal(2, 3, 16, 16)
    mean = network.encode(x).latent_dist.mean
    torch.testing.assert_close(codec.encode(x), (mean - (shift or 0)) * 1.5)
    torch.testing.assert_close(codec.decode(codec.encode(x)), network.decode(mean).sample)
    assert torch.equal(codec.encode(x), codec.encode(x)), "the mean, never a sample"


@pytest.mark.parametrize(("said", "expected"), [(UNSAID, 1.0), (1.0, 1.0), (0.5, 0.5)])
def test_the_default_scale_of_a_codebook_is_none(said, expected):
    """Latents of VQ-f4 are used as they are; what diffusers writes where nobody said a factor is garbage."""
    network = latents.codebook(scaling_factor=said)
    codec, x = double(network), normal(1, 3, 16, 16)
    torch.testing.assert_close(codec.encode(x), expected * network.encode(x).latents)
    torch.testing.assert_close(codec.decode(codec.encode(x)), network.decode(network.encode(x).latents).sample)
    assert Codec(latents.codec()).scale == UNSAID, "and with a variational bottleneck it is meant"


def test_a_configuration_without_a_factor_is_the_same(tmp_path):
    latents.codebook().save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["scaling_factor"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert load_codec(tmp_path, "cpu", root=tmp_path).scale == 1.0


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        ({"latents_mean": [0.0] * 3, "latents_std": [1.0] * 3}, "mean and a deviation"),
        ({"scaling_factor": 0.0}, "scales its latents by"),
        ({"scaling_factor": "much"}, "scales its latents by"),
        ({"shift_factor": float("inf")}, "scales its latents by"),
        ({"in_channels": 1}, r"not those of|colour pictures"),
        ({"_class_name": "AutoencoderTiny"}, "AutoencoderKL, VQModel"),
        ({"block_out_channels": [10**9, 8]}, "far larger"),
        ({"layers_per_block": 10**9}, "far larger"),
        ({"latent_channels": 5}, "not those of"),
        ({"norm_num_groups": "no"}, "cannot be read"),
    ],
)
def test_what_is_unknown_ends_in_a_sentence(tmp_path, harm, words):
    latents.codec().save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, **harm}))
    with pytest.raises(PriorError, match=rf"({words}).*\.$"):
        load_codec(tmp_path, "cpu", root=tmp_path)


def test_it_computes_in_float32_whatever_its_file_and_its_configuration_say(tmp_path):
    latents.codec(force_upcast=True).half().save_pretrained(tmp_path, variant="fp16")
    codec = load_codec(tmp_path, "cpu", root=tmp_path)
    assert {parameter.dtype for parameter in codec.network.parameters()} == {torch.float32}


@pytest.mark.parametrize("checkpointing", [True, False])
def test_the_derivative_of_decoding_is_that_of_differences(checkpointing):
    codec = double(latents.codec())
    codec.checkpointing = checkpointing
    z, direction, v = normal(1, 3, 8, 8), normal(1, 3, 8, 8).flip(-1), normal(1, 3, 16, 16)
    leaf = z.clone().requires_grad_()
    (product,) = torch.autograd.grad(codec.decode(leaf), leaf, v)
    step = 1e-5
    difference = (codec.decode(z + step * direction) - codec.decode(z - step * direction)) / (2 * step)
    torch.testing.assert_close((product * direction).sum(), (difference * v).sum(), rtol=1e-7, atol=0)


def test_the_gradient_of_a_codebook_is_that_of_what_comes_after_it():
    network = latents.codebook()
    codec, v = double(network), normal(1, 3, 16, 16)
    leaf = normal(1, 3, 8, 8).requires_grad_()
    quantised = network.quantize(leaf.detach())[0].requires_grad_()
    (product,) = torch.autograd.grad(codec.decode(leaf), leaf, v)
    (after,) = torch.autograd.grad(network.decode(quantised, force_not_quantize=True).sample, quantised, v)
    torch.testing.assert_close(product, after)


@pytest.mark.parametrize("network", [latents.codec, latents.codebook])
def test_checkpointing_changes_memory_and_nothing_else(network):
    found, peaks = [], []
    for checkpointing in (True, False):
        codec = double(network(layers_per_block=3))
        codec.checkpointing = checkpointing
        z = normal(1, 3, 16, 16).requires_grad_()
        with Ledger() as ledger:
            found.append(torch.autograd.grad(codec.decode(z).square().sum(), z)[0])
        peaks.append(ledger.peak)
    torch.testing.assert_close(found[0], found[1])
    assert peaks[0] < 0.7 * peaks[1]


def test_what_is_measured_of_an_autoencoder_is_what_is_known_of_it():
    found = Codec(latents.averaging()).calibration
    assert found.spread == pytest.approx(1 / latents.SCALE, rel=1e-3)
    assert found.lipschitz == pytest.approx(1.5 * 2 / latents.SCALE, rel=1e-3)  # 2x2 pixels a latent
    expected = torch.cat([torch.eye(3), torch.zeros(3, 1)], 1).double() / latents.SCALE
    torch.testing.assert_close(found.colours, expected, rtol=0, atol=1e-3)
    assert 0.5 < found.deviation < 1.5


def test_a_preview_is_as_large_as_the_picture_and_has_its_colours():
    codec = Codec(latents.averaging())
    z = normal(2, 3, 6, 9).float()
    shown, picture = codec.preview(z), codec.decode(z)
    assert shown.shape == picture.shape == (2, 3, 12, 18)
    torch.testing.assert_close(shown.mean((2, 3)), picture.mean((2, 3)), rtol=0, atol=0.1)
    flat = torch.ones(1, 3, 4, 4) * torch.tensor([0.5, -1.0, 0.2]).view(1, 3, 1, 1)
    torch.testing.assert_close(codec.preview(flat), codec.decode(flat), rtol=0, atol=1e-3)


def test_any_size_is_encoded():
    codec = Codec(latents.averaging())
    assert codec.encode(torch.zeros(1, 3, 13, 6)).shape == (1, 3, 7, 3)


def test_a_random_autoencoder_can_be_measured():
    found = Codec(latents.codec()).calibration
    assert 0 < found.spread < found.lipschitz and isinstance(latents.codec(), AutoencoderKL)
