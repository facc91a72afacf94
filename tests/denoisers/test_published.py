"""Every row of the catalog against the configuration of its repository: what the card says, and that it is read."""

import json

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel, UNet2DModel
from published import CONFIGURATIONS, RANGES
from safetensors.torch import save_file

from inverse.denoisers import catalog
from inverse.denoisers.cards import LATENT, PRIORS
from inverse.denoisers.catalog import load_prior
from inverse.denoisers.prompt import FILE, WORDS

CLASSES = {kind.__name__: kind for kind in (AutoencoderKL, UNet2DConditionModel, UNet2DModel)}
OWN_EXTRAS = ("attention_legacy_order", "time_embedding_type")
"""What a conversion says that diffusers does not know: q, k and v stand as in the original there."""


def outlines(name):
    """The networks of a prior without their weights, by folder."""
    found = {}
    for place, config in CONFIGURATIONS[name].items():
        if kind := CLASSES.get(config["_class_name"]):
            with torch.device("meta"):
                understood = {key: value for key, value in config.items() if key not in OWN_EXTRAS}
                found[place.removesuffix("config.json")] = kind.from_config(understood)
    return found


def test_every_row_has_its_configuration():
    assert set(CONFIGURATIONS) == {name for name, card in PRIORS.items() if card.repository}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_card_is_that_of_the_published_network(name):
    card, found = PRIORS[name], outlines(name)
    parameters = sum(value.numel() for network in found.values() for value in network.parameters()) / 1e6
    assert parameters == pytest.approx(card.parameters, abs=0.06)
    side = CONFIGURATIONS[name].get("config.json", CONFIGURATIONS[name].get("vae/config.json"))["sample_size"]
    assert side == card.size


def laid_out(folder, name):
    """The folder as its repository has it, with weights of another training: random ones, in half precision."""
    for place, config in CONFIGURATIONS[name].items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(json.dumps(config))
    generator = torch.Generator().manual_seed(0)
    for place, network in outlines(name).items():
        save_file({
            key: (torch.randn(value.shape, generator=generator) / max(1, value[0].numel()) ** 0.5).half()
            for key, value in network.state_dict().items()
        }, folder / place / "diffusion_pytorch_model.safetensors")  # fmt: skip
    if PRIORS[name].kind == LATENT:
        save_file({WORDS: torch.zeros(1, 77, 1024)}, folder / FILE)


@pytest.mark.slow
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_folder_of_that_configuration_is_a_prior(name, tmp_path):
    laid_out(tmp_path, name)
    prior, card = load_prior(str(tmp_path), "cpu", "float32"), PRIORS[name]
    catalog.forget()
    assert prior.kind == card.kind
    assert (prior.sigma_min, prior.sigma_max) == pytest.approx(RANGES[card.kind], rel=5e-3)
    x = torch.randn(1, prior.channels, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        x0_hat = prior(x, 1.0)
    assert x0_hat.shape == x.shape and bool(x0_hat.isfinite().all())
