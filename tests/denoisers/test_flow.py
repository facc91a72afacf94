"""Adapters against an answer that is known: the same Gaussian data, told as eps, as v and as a velocity."""

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, FlowMatchEulerDiscreteScheduler
from diffusers.configuration_utils import FrozenDict
from torch import nn

from inverse.denoisers.flow import EARLIEST, LATEST, FlowDenoiser, PromptedTransformer
from inverse.denoisers.unet import UNetDenoiser
from inverse.randomness import generator

MEAN, VARIANCE = torch.rand(2, 3, 4, 6, generator=generator(0), dtype=torch.float64) + 0.1


def exact(z, sigma):
    """E[z0 | z0 + sigma n = z] of independent numbers from N(MEAN, VARIANCE)."""
    return MEAN + VARIANCE / (VARIANCE + sigma**2) * (z - MEAN)


class ExactNetwork(nn.Module):
    """What a perfect variance-preserving network says of these data: E[eps | x_t], or E[v | x_t]."""

    def __init__(self, table, prediction):
        super().__init__()
        self.config = FrozenDict(
            in_channels=3, out_channels=3, num_class_embeds=None, class_embed_type=None, block_out_channels=(8, 8)
        )
        abar = table.double().numpy()
        self.log_sigmas, self.prediction = np.log((1 - abar) / abar) / 2, prediction

    def forward(self, x, t, return_dict=False):
        sigma = torch.from_numpy(np.exp(np.interp(t.numpy(), np.arange(1000), self.log_sigmas)))[:, None, None, None]
        a, b = 1 / (1 + sigma**2).sqrt(), sigma / (1 + sigma**2).sqrt()
        centred = (x - a * MEAN) / (a**2 * VARIANCE + b**2)
        eps, x0 = b * centred, MEAN + a * VARIANCE * centred
        return (eps if self.prediction == "epsilon" else a * eps - b * x0,)


def velocity(z_t, time):
    """E[n - z0 | z_t] for z_t = (1 - t) z0 + t n."""
    t = time[:, None, None, None]
    centred = (z_t - (1 - t) * MEAN) / ((1 - t) ** 2 * VARIANCE + t**2)
    return (t - (1 - t) * VARIANCE) * centred - MEAN


def adapters():
    table = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear").alphas_cumprod
    for prediction in ("epsilon", "v_prediction"):
        prior = UNetDenoiser(ExactNetwork(table, prediction), table, prediction)
        prior.dtype = prior.inside = torch.float64
        yield prior
    yield FlowDenoiser(velocity, 3, dtype=torch.float64)


@pytest.mark.parametrize("prior", list(adapters()), ids=["epsilon", "v_prediction", "flow"])
@pytest.mark.parametrize("sigma", [0.03, 0.3, 1.0, 7.0, 14.6])
def test_the_estimate_is_the_exact_one(prior, sigma):
    z = MEAN + (VARIANCE + sigma**2).sqrt() * torch.randn(2, 3, 4, 6, generator=generator(1), dtype=torch.float64)
    levels = torch.tensor([sigma, 0.5 * sigma + 0.02], dtype=torch.float64)
    found = prior(z, levels)
    for index, level in enumerate(levels):
        torch.testing.assert_close(found[index], exact(z[index], level), rtol=0, atol=1e-10)


def test_the_range_of_a_flow_is_that_of_its_times():
    prior = FlowDenoiser(velocity, 3, dtype=torch.float64)
    for sigma, time in ((prior.sigma_min, EARLIEST), (prior.sigma_max, LATEST)):
        assert sigma / (1 + sigma) == pytest.approx(time)
    asked = []
    prior.velocity = lambda z, time: asked.append(time) or z
    prior(torch.zeros(2, 3, 4, 6, dtype=torch.float64), torch.tensor([1e-9, 1e9], dtype=torch.float64))
    assert asked[0].tolist() == [EARLIEST, LATEST]


def test_a_transformer_is_told_what_its_pipeline_tells_it():
    """Time in thousandths of that of the scheduler's own steps, by which z0 = z_t - t v too."""
    import latents

    network, words, pooled = latents.transformer(), torch.rand(1, 5, 8), torch.rand(1, 6)
    prior = FlowDenoiser(PromptedTransformer(network, words, pooled), 3, 2)
    scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0)
    scheduler.set_timesteps(7)
    z_t = torch.randn(2, 3, 8, 8, generator=generator(3))
    for step, t in list(zip(scheduler.timesteps, scheduler.sigmas, strict=False))[1:]:
        with torch.no_grad():
            output = network(z_t, words.expand(2, -1, -1), pooled.expand(2, -1), step.expand(2)).sample
        found = prior(z_t / (1 - t), float(t / (1 - t)))
        torch.testing.assert_close(found, z_t - t * output, rtol=1e-4, atol=1e-5)
