"""Latent priors that are known by other means: an autoencoder that is nearly linear, and networks around it."""

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    FlowMatchEulerDiscreteScheduler,
    SD3Transformer2DModel,
    UNet2DConditionModel,
    UNet2DModel,
    VQModel,
)
from safetensors.torch import save_file

from inverse.denoisers.prompt import FILE, POOLED, WORDS

SCALE = 2.0
"""Of latents: two times the mean of 2x2 pixels."""
FAR = 100.0
BRIGHT = 20.0
TINY = {"layers_per_block": 1, "block_out_channels": (8, 8), "norm_num_groups": 4}


def averaging():
    """An autoencoder of factor 2 that encodes a picture as its means over 2x2 pixels, and decodes by repeating them.

    Constant channels far from 0 make group norms a fixed scale, and a large offset makes SiLU the identity, both to
    1e-4. Residual blocks are the identity.
    """
    torch.manual_seed(0)
    network = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2, latent_channels=3,
        norm_num_groups=1, block_out_channels=(8, 8), scaling_factor=SCALE, mid_block_add_attention=False,
    )  # fmt: skip
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        eye, three = torch.eye(8), torch.eye(3)
        for conv in (network.encoder.conv_in, network.decoder.conv_in):
            conv.weight[:3, :, 1, 1], conv.weight[3:6, :, 1, 1] = three, -three
            conv.bias[6], conv.bias[7] = FAR, -FAR
        network.encoder.down_blocks[0].downsamplers[0].conv.weight[:, :, :2, :2] = eye[:, :, None, None] / 4
        network.decoder.up_blocks[0].upsamplers[0].conv.weight[:, :, 1, 1] = eye
        for part in (network.encoder, network.decoder):
            part.conv_norm_out.weight[:], part.conv_norm_out.bias[:] = FAR / 2, BRIGHT
            part.conv_out.weight[:3, :3, 1, 1], part.conv_out.bias[:3] = three, -BRIGHT
        network.quant_conv.weight[:3, :3, 0, 0] = three
        network.post_quant_conv.weight[:, :, 0, 0] = three
    return network


def codec(kind=AutoencoderKL, **config):
    """A tiny random autoencoder of factor 2."""
    torch.manual_seed(1)
    config = {"latent_channels": 3, **TINY, **config}
    return kind(down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2, **config)


def codebook(**config):
    return codec(VQModel, num_vq_embeddings=32, **config)


def _blank(network, last):
    for parameter in last.parameters():
        torch.nn.init.zeros_(parameter)
    return network


def conditional(blank=False, channels=3, **config):
    """A text-to-image network; a blank one gives 0 whatever it is asked."""
    torch.manual_seed(2)
    config = {"cross_attention_dim": 8, "attention_head_dim": 4, **TINY, **config}
    network = UNet2DConditionModel(
        in_channels=channels, out_channels=channels, down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"), **config,
    )  # fmt: skip
    return _blank(network, network.conv_out) if blank else network


def unconditional(blank=False, channels=3):
    torch.manual_seed(2)
    blocks = {"down_block_types": ("DownBlock2D",) * 2, "up_block_types": ("UpBlock2D",) * 2}
    network = UNet2DModel(in_channels=channels, out_channels=channels, add_attention=False, **blocks, **TINY)
    return _blank(network, network.conv_out) if blank else network


def transformer(channels=3, **config):
    torch.manual_seed(3)
    return SD3Transformer2DModel(
        sample_size=16, patch_size=2, in_channels=channels, out_channels=channels, num_layers=1, attention_head_dim=8,
        num_attention_heads=2, joint_attention_dim=8, caption_projection_dim=16, pooled_projection_dim=6,
        pos_embed_max_size=16, **config,
    )  # fmt: skip


def pipeline(folder, autoencoder=None, network=None, prediction="v_prediction", words=8):
    """Saves a pipeline with the parts that a prior needs.

    With a blank network that predicts v, D is that of latents from N(0, I), exactly.
    """
    autoencoder = averaging() if autoencoder is None else autoencoder
    network = conditional(blank=True) if network is None else network
    autoencoder.save_pretrained(folder / ("vqvae" if isinstance(autoencoder, VQModel) else "vae"))
    embedding = {WORDS: torch.ones(1, 77, words)}
    if isinstance(network, SD3Transformer2DModel):
        network.save_pretrained(folder / "transformer")
        FlowMatchEulerDiscreteScheduler(shift=3.0).save_pretrained(folder / "scheduler")
        embedding[POOLED] = torch.ones(1, 6)
    else:
        network.save_pretrained(folder / "unet")
        DDIMScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", prediction_type=prediction,
        ).save_pretrained(folder / "scheduler")  # fmt: skip
    if not isinstance(network, UNet2DModel):
        save_file(embedding, folder / FILE)
    return folder
