"""Our reading of guided-diffusion's checkpoints against two copies of its network that others carry. Run by
`make test-peers`, in its own venv."""

import pytest
import torch
from originals import FFHQ, IMAGENET, forward

from inverse.denoisers.guided_diffusion import load

TIMES = (0.0, 1.0, 37.5, 500.0, 523.25, 999.0)


def randomized(network):
    """With random weights of a size that lets every one matter; as it is made, its last layers are zero."""
    generator = torch.Generator().manual_seed(0)
    for value in network.parameters():
        noise = torch.randn(value.shape, generator=generator)
        value.data = noise / value[0].numel() ** 0.5 if value.ndim > 1 else value.data.round() + 0.3 * noise
    return network.eval().requires_grad_(False)


def pictures(side):
    return torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(1))


def relative(found, expected):
    return float((found - expected).abs().max() / expected.abs().max())


def azula(shape):
    unet = pytest.importorskip("azula.plugins.adm._src.unet")
    return randomized(
        unet.UNetModel(
            image_size=256, in_channels=3, out_channels=6, model_channels=shape["width"],
            num_res_blocks=shape["depth"], channel_mult=shape["multipliers"], num_head_channels=64,
            attention_resolutions={2**level for level in shape["attention"]}, resblock_updown=True,
            use_scale_shift_norm=True,
        )
    )  # fmt: skip


@pytest.mark.parametrize("t", TIMES)
@pytest.mark.parametrize("shape", [FFHQ, IMAGENET], ids=["ffhq", "imagenet"])
def test_a_checkpoint_is_the_network_of_azula(shape, t, tmp_path):
    peer, x, times = azula(shape), pictures(64), torch.tensor([t, t])
    torch.save(peer.state_dict(), tmp_path / "a.pt")
    prior, expected = load(tmp_path / "a.pt", allow_pickle=True), peer(x, times)
    assert relative(prior.network(x, times).sample.detach(), expected) < 1e-5
    assert relative(forward(peer.state_dict(), x, times, **shape), expected) < 1e-5, "the one of the other tests"


@pytest.mark.parametrize("sigma", [0.05, 1.0, 80.0])
def test_the_estimate_is_that_of_azula(sigma, tmp_path):
    """Whose time steps are whole: the noise levels of the table's own steps are compared."""
    adm = pytest.importorskip("azula.plugins.adm")
    peer, x = azula(FFHQ), pictures(64)
    torch.save(peer.state_dict(), tmp_path / "a.pt")
    prior = load(tmp_path / "a.pt", allow_pickle=True)
    t = int(prior.time_step(torch.tensor([sigma])))
    abar = (1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)).cumprod(0)[t]
    level = float(((1 - abar) / abar).sqrt())

    class Exploding:
        """x = x0 + sigma n, as here."""

        def __call__(self, sigma):
            return torch.ones_like(sigma), sigma

    expected = adm.AblatedDenoiser(peer, Exploding(), learn_var=True)(level * x, torch.tensor(level)).mean
    found = prior(level * x, level).detach()
    assert ((found - expected) / level).abs().max() < 1e-4 * max(1.0, float(expected.abs().max() / level))


@pytest.mark.parametrize("t", [1.0, 500.0])
def test_a_checkpoint_is_the_network_of_deepinv(t, tmp_path):
    """The very shape of ffhq_10m.pt, 93.56 million parameters."""
    models = pytest.importorskip("deepinv.models")
    peer, x, times = randomized(models.DiffUNet(pretrained=None)), pictures(32), torch.tensor([t, t])
    tensors = {name: value for name, value in peer.state_dict().items() if "alphas_cumprod" not in name}
    torch.save(tensors, tmp_path / "ffhq_10m.pt")
    prior = load(tmp_path / "ffhq_10m.pt", allow_pickle=True)
    assert sum(value.numel() for value in prior.network.parameters()) == 93_563_910
    assert relative(prior.network(x, times).sample.detach(), peer.forward_diffusion(x, times)) < 1e-5
