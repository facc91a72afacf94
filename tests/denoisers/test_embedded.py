"""The embedded prior: the shipped network against reference outputs, its file format, and its contract."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from inverse.denoisers.base import Denoiser
from inverse.denoisers.catalog import EMBEDDED, load_prior
from inverse.denoisers.embedded import EDMDenoiser, load_network, precondition, save_network
from inverse.denoisers.network import NetworkConfig, ResidualUNet
from inverse.errors import ParameterError, PriorError, ProblemError

CHECK = Path(__file__).parents[1] / "data" / "prior-check.safetensors"


@pytest.fixture(scope="module")
def prior():
    return load_prior("embedded", "cpu", "float32")


def noisy(*shape, sigma=0.3):
    return sigma * torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("sigma", [0.2, 5.0])
def test_shipped_weights_reproduce_the_reference_outputs(prior, sigma):
    check = load_file(CHECK)
    torch.testing.assert_close(prior(check[f"in_{sigma}"], sigma), check[f"out_{sigma}"], atol=1e-3, rtol=0)


def test_shipped_file_is_small_enough_to_push():
    assert EMBEDDED.stat().st_size < 9.5e6


def test_bfloat16_is_close_and_returns_float32(prior):
    check = load_file(CHECK)
    estimate = load_prior("embedded", "cpu", "bfloat16")(check["in_0.2"], 0.2)
    assert estimate.dtype == torch.float32
    torch.testing.assert_close(estimate, check["out_0.2"], atol=0.03, rtol=0)


@pytest.mark.parametrize("size", [(64, 64), (57, 43), (8, 8), (3, 5), (1, 1)])
def test_any_size(prior, size):
    estimate = prior(noisy(1, 3, *size), 0.3)
    assert estimate.shape == (1, 3, *size) and torch.isfinite(estimate).all()


def test_padding_does_not_reach_far_inside(prior):
    """Cropping x to an odd size changes the estimate near the new edge only."""
    x = noisy(1, 3, 96, 96, sigma=0.05)
    whole, part = prior(x, 0.05), prior(x[..., :91, :93], 0.05)
    torch.testing.assert_close(part[..., :40, :40], whole[..., :40, :40], atol=1e-2, rtol=0)


def test_a_sample_does_not_depend_on_its_batch_and_takes_its_own_sigma(prior):
    x, sigma = noisy(3, 3, 24, 24), torch.tensor([0.02, 0.5, 20.0])
    together = prior(x, sigma)
    for i in range(3):
        torch.testing.assert_close(prior(x[i : i + 1], float(sigma[i])), together[i : i + 1], atol=1e-5, rtol=1e-5)


def test_gradient_is_that_of_the_estimate(prior):
    x, direction = noisy(1, 3, 16, 16), noisy(1, 3, 16, 16)
    _, product = torch.func.jvp(lambda x: prior(x, 0.3), (x,), (direction,))
    x = x.requires_grad_()
    (gradient,) = torch.autograd.grad(prior(x, 0.3), x, direction)
    torch.testing.assert_close((gradient * direction).sum(), (product * direction).sum(), rtol=1e-3, atol=1e-3)
    assert not any(p.requires_grad for p in prior.network.parameters())


@pytest.mark.parametrize("sigma", [0.0, 1e-8, 1e-4, 1e-3])
def test_little_noise_leaves_the_image(prior, sigma):
    """Also below the levels that the network was trained on."""
    x = noisy(1, 3, 24, 24)
    torch.testing.assert_close(prior(x, sigma), x, atol=max(10 * sigma, 1e-6), rtol=0)


def test_above_the_trained_levels_the_estimate_stays_among_images(prior):
    assert prior(noisy(1, 3, 24, 24, sigma=5000.0), 5000.0).abs().max() < 1.5


def test_another_precision_is_refused(prior):
    with pytest.raises(ProblemError, match="float64"):
        prior(noisy(1, 3, 16, 16).double(), 0.1)


@pytest.mark.parametrize("shape", [(3, 16, 16), (1, 1, 16, 16), (1, 4, 16, 16)])
def test_other_shapes_are_refused(prior, shape):
    with pytest.raises(ProblemError, match="3 channels"):
        prior(torch.zeros(shape), 1.0)


def test_weights_that_were_cast_before_give_what_autocast_gives(tmp_path):
    network = load_network(EMBEDDED)
    prior = EDMDenoiser(network, precision="bfloat16")
    assert {p.dtype for p in network.parameters()} == {torch.float32}, "the network that was given is left alone"
    x = noisy(2, 3, 24, 24)
    with torch.no_grad():
        expected = EDMDenoiser(network, precision="float32").network.to(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            expected = precondition(expected, x, torch.tensor([0.5, 2.0]), prior.data_std)
        exact = EDMDenoiser(network, precision="float32")(x, torch.tensor([0.5, 2.0]))
        found = prior(x, torch.tensor([0.5, 2.0]))
    # Some CPUs add up in another order where they cast on the way; bfloat16 itself is much coarser.
    assert (found - expected).abs().max() <= 0.05 * (found - exact).abs().max()


@pytest.mark.parametrize("instructions", ["avx2", "default"])
def test_the_network_computes_in_what_the_instructions_in_use_are_fast_at(instructions):
    """Held below AVX-512, as on a CPU that has none, bfloat16 would be emulated, tens of times slower."""
    code = "from inverse.denoisers.catalog import load_prior; print(load_prior('embedded', 'cpu').bfloat16)"
    environment = {**os.environ, "ATEN_CPU_CAPABILITY": instructions, "PYTHONPATH": str(EMBEDDED.parents[2])}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_every_network_shape_survives_saving(tmp_path):
    config = NetworkConfig(widths=(8, 12), depths=(1, 2), embedding=8, frequencies=4, patch=1)
    network = ResidualUNet(config)
    save_network(network, tmp_path / "tiny.safetensors")
    loaded = load_network(tmp_path / "tiny.safetensors")
    assert loaded.config == config
    x = noisy(1, 3, 8, 8)
    torch.testing.assert_close(EDMDenoiser(loaded)(x, 1.0), EDMDenoiser(network)(x, 1.0), atol=0.02, rtol=0)


def truncated(path):
    path.write_bytes(EMBEDDED.read_bytes()[:100_000])


def zeros(path):
    path.write_bytes(b"\0" * 4096)


def pickled(path):
    torch.save({"weights": torch.zeros(3)}, path)


def foreign(path):
    save_file({"a": torch.zeros(3)}, path)


def wrong_shape(path):
    weights = load_file(EMBEDDED)
    weights["head.bias"] = torch.zeros(5)
    with __import__("safetensors").safe_open(EMBEDDED, "pt") as file:
        save_file(weights, path, file.metadata())


@pytest.mark.parametrize("harm", [truncated, zeros, pickled, foreign, wrong_shape])
def test_a_damaged_file_is_refused_with_a_remedy(tmp_path, harm):
    path = tmp_path / "prior.safetensors"
    harm(path)
    with pytest.raises(PriorError, match=r"prior\.safetensors .*\. [A-Z].*\.$"):
        load_network(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(PriorError, match="missing"):
        load_network(tmp_path / "none.safetensors")


def test_catalog_keeps_a_prior_and_refuses_what_it_does_not_know():
    assert load_prior("embedded", "cpu", "float32") is load_prior("embedded", "cpu", "float32")
    assert isinstance(load_prior(), Denoiser)
    for arguments in ({"precision": "float8"}, {"device": "cuda:99"}, {"device": "warp"}, {"name": "nothing"}):
        with pytest.raises(ParameterError, match=r"\. [A-Z]|is not"):
            load_prior(**arguments)
