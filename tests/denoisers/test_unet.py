"""The diffusers adapter against the scheduler's own algebra, on tiny models saved and loaded back."""

import json
import shutil

import pytest
import torch
from diffusers import DDIMScheduler, DDPMPipeline, DDPMScheduler, EulerDiscreteScheduler, UNet2DModel

from inverse.denoisers.catalog import load_prior
from inverse.denoisers.unet import PREDICTIONS, UNetDenoiser, load_unet
from inverse.errors import InverseError, PriorError

STEPS = (0, 1, 37, 500, 999)


def tiny_unet(out_channels=3, **config):
    torch.manual_seed(0)
    return UNet2DModel(
        sample_size=16,
        out_channels=out_channels,
        layers_per_block=1,
        block_out_channels=(8, 16),
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D"),
        **config,
    )


@pytest.fixture
def pipeline(tmp_path):
    """A saved pipeline whose prediction type the test sets."""

    def save(prediction="epsilon", out_channels=3, beta_schedule="linear"):
        scheduler = DDPMScheduler(prediction_type=prediction, clip_sample=False, beta_schedule=beta_schedule)
        DDPMPipeline(tiny_unet(out_channels), scheduler).save_pretrained(tmp_path, safe_serialization=True)
        return tmp_path

    return save


@pytest.mark.parametrize("beta_schedule", ["linear", "squaredcos_cap_v2"])
@pytest.mark.parametrize("out_channels", [3, 6], ids=["", "learned-variance"])
@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_estimate_is_the_schedulers(pipeline, prediction, out_channels, beta_schedule):
    folder = pipeline(prediction, out_channels, beta_schedule)
    denoiser = load_unet(folder)
    network, scheduler = tiny_unet(out_channels), DDPMScheduler.from_pretrained(folder / "scheduler")
    x_vp = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    for t in STEPS:
        output = network(x_vp, t).sample.detach()[:, :3]
        expected = scheduler.step(output, t, x_vp).pred_original_sample
        abar = scheduler.alphas_cumprod[t].double()
        sigma = ((1 - abar) / abar).sqrt()
        x0_hat = denoiser((x_vp.double() / abar.sqrt()).float(), sigma)
        torch.testing.assert_close(x0_hat, expected, rtol=2e-4, atol=2e-4 * float(expected.abs().max()))


def test_time_step_inverts_the_table(pipeline):
    denoiser = load_unet(pipeline())
    abar = DDPMScheduler().alphas_cumprod.double()
    t = torch.arange(1000, dtype=torch.float64)
    torch.testing.assert_close(denoiser.time_step(((1 - abar) / abar).sqrt()), t, atol=1e-3, rtol=0)
    assert denoiser.time_step(torch.tensor([1e-6, 1e6])).tolist() == [0, 999]
    between = denoiser.time_step(torch.linspace(denoiser.sigma_min, denoiser.sigma_max, 50, dtype=torch.float64))
    assert (between.diff() > 0).all()


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_continuous_time_is_the_schedulers(tmp_path, prediction):
    """EulerDiscreteScheduler tells a network that predicts v a quarter of ln(sigma), and any other one whole steps."""
    scheduler = EulerDiscreteScheduler(prediction_type=prediction, timestep_type="continuous")
    network = tiny_unet()
    DDPMPipeline(network, scheduler).save_pretrained(tmp_path, safe_serialization=True)
    denoiser = load_unet(tmp_path)
    scheduler.set_timesteps(20)
    x = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    for t, sigma in list(zip(scheduler.timesteps, scheduler.sigmas, strict=False))[::5]:
        noisy = x * sigma
        scheduler.set_timesteps(20)  # it counts its steps
        output = network(scheduler.scale_model_input(noisy, t), t).sample.detach()
        expected = scheduler.step(output, t, noisy).pred_original_sample
        torch.testing.assert_close(denoiser(noisy, sigma), expected, rtol=2e-3, atol=2e-4 * float(expected.abs().max()))


@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_a_table_that_ends_in_pure_noise_is_read_up_to_there(tmp_path, prediction):
    """Zero terminal SNR: of the last step nothing but its infinite sigma is lost."""
    scheduler = DDIMScheduler(prediction_type=prediction, rescale_betas_zero_snr=True, clip_sample=False)
    network = tiny_unet()
    DDPMPipeline(network, scheduler).save_pretrained(tmp_path, safe_serialization=True)
    denoiser = load_unet(tmp_path)
    abar = scheduler.alphas_cumprod.double()
    assert abar[-1] == 0
    assert denoiser.sigma_max == pytest.approx(float(((1 - abar[-2]) / abar[-2]).sqrt()), rel=1e-6)
    scheduler.set_timesteps(1000)
    x_vp = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    for t in (0, 500, 900):
        sigma = ((1 - abar[t]) / abar[t]).sqrt()
        expected = scheduler.step(network(x_vp, t).sample.detach(), t, x_vp).pred_original_sample
        x0_hat = denoiser((x_vp.double() / abar[t].sqrt()).float(), sigma)
        torch.testing.assert_close(x0_hat, expected, rtol=1e-3, atol=2e-4 * float(expected.abs().max()))


def test_any_size_and_gradient(pipeline):
    denoiser = load_unet(pipeline())
    x = torch.randn(1, 3, 13, 9, requires_grad=True)
    estimate = denoiser(x, 0.5)
    assert estimate.shape == x.shape
    (gradient,) = torch.autograd.grad(estimate.sum(), x)
    assert gradient.abs().sum() > 0
    assert not any(p.requires_grad for p in denoiser.network.parameters())


def test_a_sample_does_not_depend_on_its_batch(pipeline):
    denoiser = load_unet(pipeline())
    x, sigma = torch.randn(3, 3, 16, 16), torch.tensor([0.1, 1.0, 50.0])
    together = denoiser(x, sigma)
    for i in range(3):
        torch.testing.assert_close(denoiser(x[i : i + 1], float(sigma[i])), together[i : i + 1], atol=1e-4, rtol=1e-4)


def test_catalog_finds_a_folder(pipeline):
    assert isinstance(load_prior(str(pipeline()), device="cpu"), UNetDenoiser)


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_a_prior_of_other_than_colour_pictures_is_refused_when_it_is_loaded(tmp_path, channels):
    """Photos are always of three channels here, grey ones too."""
    DDPMPipeline(tiny_unet(channels, in_channels=channels), DDPMScheduler()).save_pretrained(tmp_path)
    with pytest.raises(
        PriorError, match=rf"knows pictures of {channels} channels.*\. Use a prior of colour pictures\.$"
    ):
        load_prior(str(tmp_path), "cpu")


def damage_weights(folder):
    (folder / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"\x80\x04 not weights")


def pickle_weights(folder):
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    torch.save(tiny_unet().state_dict(), folder / "unet" / "diffusion_pytorch_model.bin")
    weights.unlink()


def drop_scheduler(folder):
    shutil.rmtree(folder / "scheduler")


def other_class(folder):
    config = folder / "unet" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "_class_name": "UNet2DConditionModel"}))


@pytest.mark.parametrize("harm", [damage_weights, pickle_weights, drop_scheduler, other_class])
def test_an_unusable_folder_is_refused_with_a_remedy(pipeline, harm):
    folder = pipeline()
    harm(folder)
    with pytest.raises(PriorError, match=r"\. [A-Z].*\.$"):
        load_unet(folder)


def test_conditional_networks_and_unknown_names_are_refused():
    with pytest.raises(PriorError, match="class label"):
        UNetDenoiser(tiny_unet(num_class_embeds=10), DDPMScheduler().alphas_cumprod, "epsilon")
    with pytest.raises(PriorError, match="does not predict"):
        UNetDenoiser(tiny_unet(out_channels=4), DDPMScheduler().alphas_cumprod, "epsilon")
    with pytest.raises(InverseError, match="not a prior"):
        load_prior("no-such-prior")
