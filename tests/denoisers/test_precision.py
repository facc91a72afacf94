"""Networks of diffusers in half precision: inside only, close to float32, and with gradients of any size."""

import pytest
import torch
from checkpoints import tiny
from diffusers import DDPMScheduler, UNet2DModel

from inverse.denoisers import precision
from inverse.denoisers.catalog import load_prior
from inverse.denoisers.precision import inside
from inverse.denoisers.unet import PREDICTIONS, UNetDenoiser
from inverse.errors import ParameterError
from inverse.restoration import restore

HALF = ["bfloat16", "float16"]
CLOSE = {"bfloat16": 3e-2, "float16": 4e-3}
"""Of the network's output, relative: a few times the rounding of each."""


def attentive():
    torch.manual_seed(0)
    blocks = {"down_block_types": ("DownBlock2D", "AttnDownBlock2D"), "up_block_types": ("AttnUpBlock2D", "UpBlock2D")}
    return UNet2DModel(
        layers_per_block=1, block_out_channels=(16, 32), norm_num_groups=4, attention_head_dim=8, **blocks
    )


def denoiser(kind, prediction="epsilon"):
    return UNetDenoiser(attentive(), DDPMScheduler().alphas_cumprod, prediction, precision=kind)


def noisy(seed=1, batch=2):
    return torch.randn(batch, 3, 16, 16, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("kind", HALF)
def test_only_the_network_is_in_half_precision(kind, prediction):
    exact, half, x = denoiser("float32", prediction), denoiser(kind, prediction), noisy()
    sigma = torch.tensor([0.1, 30.0])
    found, expected = half(x, sigma), exact(x, sigma)
    assert found.dtype == half.dtype == torch.float32 and half.bfloat16 == (kind == "bfloat16")
    assert {value.dtype for value in half.network.parameters()} == {getattr(torch, kind)}
    share = 1 if prediction == "sample" else sigma[:, None, None, None]
    difference = ((found - expected) / share).abs().max()
    assert 0 < difference < CLOSE[kind] * ((expected - x) / share).abs().max()
    if prediction == "epsilon":  # where there is little noise, hardly any of x is lost
        assert (half(x, 0.02) - exact(x, 0.02)).abs().max() < 0.02 * CLOSE[kind] * 3


def test_a_fractional_time_is_not_rounded():
    """bfloat16 has no numbers between 512 and 516; the time is told in float32."""
    half, x = denoiser("bfloat16"), noisy(batch=1)
    with torch.no_grad():
        one, other = (half._network_output(x, torch.tensor([t])) for t in (512.1, 513.9))
    assert (one - other).abs().max() > 0


@pytest.mark.parametrize("size", [1.0, 1e-7, 1e-20, 1e5])
@pytest.mark.parametrize("kind", HALF)
def test_a_gradient_of_any_size_is_kept(kind, size):
    """Through the network alone, of two images whose gradients are of different sizes too."""
    cotangent, found = size * noisy(2) * torch.tensor([1.0, 1e-4])[:, None, None, None], {}
    for name in ("float32", kind):
        x = noisy().requires_grad_()
        output = denoiser(name)._network_output(x, torch.tensor([3.0, 700.0]))
        (found[name],) = torch.autograd.grad(output, x, cotangent)
    for image, expected in zip(found[kind].double(), found["float32"].double(), strict=True):
        assert (image - expected).norm() < CLOSE[kind] * expected.norm()


def test_a_gradient_of_nothing_is_nothing():
    x = noisy().requires_grad_()
    (found,) = torch.autograd.grad(denoiser("float16")(x, 1.0), x, torch.zeros_like(x))
    assert (found == 0).all()


def test_auto_is_half_precision_on_a_gpu_and_float32_elsewhere(monkeypatch):
    cuda = torch.device("cuda")
    for able, expected in ((True, torch.bfloat16), (False, torch.float16)):
        monkeypatch.setattr(precision, "computes_in_bfloat16", lambda device, able=able: able)
        assert inside("auto", cuda) == expected
        assert inside("auto", torch.device("cpu")) == inside("auto", torch.device("mps")) == torch.float32
        assert inside("float32", cuda) == torch.float32 and inside("float16", torch.device("cpu")) == torch.float16


def test_the_precision_is_chosen_by_name(flat):
    for name, expected in [
        ("auto", torch.float32),
        ("float32", torch.float32),
        *((k, getattr(torch, k)) for k in HALF),
    ]:
        assert load_prior(str(flat), "cpu", name).inside == expected
    with pytest.raises(ParameterError, match="one of auto, float32, bfloat16, float16"):
        load_prior(str(flat), "cpu", "float8")
    with pytest.raises(ParameterError, match="float32 or bfloat16"):
        load_prior("embedded", "cpu", "float16")


@pytest.mark.parametrize("solver", ["dps", "vml-map"])
@pytest.mark.parametrize("kind", HALF)
def test_a_restoration_in_half_precision_is_close(photo, kind, solver):
    found = {}
    for name in ("float32", kind):
        prior = UNetDenoiser(tiny(), DDPMScheduler().alphas_cumprod, "epsilon", precision=name)
        steps = {"steps": 10, "sigma_max": 1.0}
        found[name] = restore(photo, "inpaint-box", solver, solver_parameters=steps, denoiser=prior, size=16)
    assert found[kind].psnr == pytest.approx(found["float32"].psnr, abs=0.5)
