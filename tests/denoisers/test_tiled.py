"""A prior by tiles is the prior of the whole: to rounding where its reach is within the margin, and without a seam."""

import pytest
import torch
from torch import nn

from inverse.denoisers.base import Denoiser
from inverse.denoisers.embedded import EDMDenoiser
from inverse.denoisers.exact import GaussianField
from inverse.denoisers.network import NetworkConfig, ResidualUNet
from inverse.denoisers.tiled import Tiled, ramp, spans
from inverse.errors import ProblemError
from inverse.estimators.exact import ExactEstimator

REACH = 4


class Local(Denoiser):
    """Nine by nine pixels decide, not linearly, on a grid of `multiple`: what a small network is."""

    multiple, channels, sigma_min, sigma_max, dtype = 4, 1, 1e-3, 1e3, torch.float64

    def __init__(self):
        torch.manual_seed(0)
        self.first = nn.Conv2d(1, 3, 5, padding=2).double().requires_grad_(False)
        self.second = nn.Conv2d(3, 1, 5, padding=2).double().requires_grad_(False)
        self.seen = []

    def denoise(self, x, sigma):
        self.seen.append(tuple(x.shape[-2:]))
        grid = (torch.arange(x.shape[-1]) % 4 == 0).to(x)  # it matters where a tile begins
        return self.second(self.first(x).tanh()) / (1 + sigma[:, None, None, None]) + 0.1 * grid * x


@pytest.fixture
def x():
    return torch.randn(2, 1, 90, 133, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def test_within_its_reach_the_answer_by_tiles_is_that_of_the_whole_everywhere(x):
    prior = Local()
    tiled = Tiled(prior, side=48, overlap=24, margin=REACH)
    sigma = torch.tensor([0.5, 2.0], dtype=torch.float64)
    whole = prior(x, sigma)
    prior.seen.clear()
    torch.testing.assert_close(tiled(x, sigma), whole, rtol=0, atol=1e-12)
    assert len(prior.seen) > 4 and all(max(size) <= 48 for size in prior.seen)


def test_its_vjp_is_that_of_the_whole(x):
    prior = Local()
    tiled = Tiled(prior, side=48, overlap=24, margin=REACH)
    v = torch.randn(x.shape, dtype=x.dtype, generator=torch.Generator().manual_seed(2))
    products = []
    for each in (prior, tiled):
        own = x.clone().requires_grad_()
        products += torch.autograd.grad(each(own, 0.7), own, v)
    torch.testing.assert_close(products[1], products[0], rtol=0, atol=1e-12)


def test_with_less_margin_than_reach_the_average_still_has_a_derivative_and_no_seam(x):
    prior = Local()
    tiled = Tiled(prior, side=48, overlap=24, margin=0)
    small = x[:1, :, :60, :60].clone()
    inner = lambda z: tiled(z, 0.7)[..., 20:26, 20:26]  # noqa: E731
    assert torch.autograd.gradcheck(inner, small.requires_grad_(), atol=1e-6, fast_mode=True)
    whole, found = prior(x, 0.7), tiled(x, 0.7)
    step = (found - whole).diff(dim=-1).abs().amax((0, 1, 2))
    edges = [edge - 1 for span in spans(136, 48, 24, 4) for edge in span if 0 < edge < 130]
    assert step[edges].max() < 0.05 * (whole.diff(dim=-1).abs().mean())  # nothing is to be seen where a tile ends


def test_the_embedded_kind_of_network_agrees_in_the_interior_of_a_tile():
    torch.manual_seed(0)
    config = NetworkConfig(channels=1, widths=(8, 8), depths=(1, 1), embedding=16)
    network = ResidualUNet(config)
    nn.init.normal_(network.head.weight, std=0.1)
    prior = EDMDenoiser(network.double(), precision="float32")
    prior.dtype = torch.float64
    # stem 2, blocks of the finer level 2 * 2 * 2, of the coarser 2 * 4, again, and the head 2; and one grid cell
    reach = 2 + 4 + 8 + 4 + 2 + config.multiple
    x = torch.randn(1, 1, 96, 160, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    tiled = Tiled(prior, side=96, overlap=64, margin=reach)
    torch.testing.assert_close(tiled(x, 0.3), prior(x, 0.3), rtol=0, atol=1e-12)


def test_a_picture_within_one_tile_is_the_priors_own_answer(x):
    prior = Local()
    assert torch.equal(Tiled(prior, side=256)(x, 0.7), prior(x, 0.7)) and len(prior.seen) == 2


def test_weights_of_tiles_add_up_and_cover_everything():
    for length in (5, 48, 49, 100, 1234):
        total = torch.zeros(length, dtype=torch.float64)
        found = spans(length, 48, 16, 4)
        for start, end in found:
            assert 0 <= start < end <= length and end - start <= 48 and start % 4 == 0
            total[start:end] += ramp(end - start, 16, 3, start > 0, end < length)
        assert total.min() > 0.4 and found[-1][1] == length and found[0][0] == 0


def test_what_looks_at_the_measurement_is_refused():
    with pytest.raises(ProblemError, match="by tiles"):
        Tiled(ExactEstimator(GaussianField((1, 16, 16))))
