"""The empty prompt, for networks that were trained to make pictures from text: with it they are unconditional.

Its embedding is a small file beside the model, or is computed once, when the prior is loaded, by the pipeline's own
text encoder. Prompts of words, and guidance away from the empty one, would make another prior.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file
from torch import Tensor, nn

from inverse.denoisers import models, weights
from inverse.denoisers.network import MAX_DEPTH
from inverse.errors import PriorError
from inverse.parameters import shown

T = TypeVar("T")

FILE = "empty_prompt.safetensors"
WORDS, POOLED = "prompt_embeds", "pooled_prompt_embeds"
"""Names in it, those of the arguments of diffusers' pipelines."""
NETWORK = UNet2DConditionModel.__name__
LONGEST = 1024
"""Words of the empty prompt; those models have 77, and up to 333."""
ENCODER = ("text_encoder/model.safetensors", "text_encoder/model.fp16.safetensors")
ELSEWHERE = ("encoder_hid_dim_type", "addition_embed_type", "time_cond_proj_dim", "class_embed_type")
"""Entries of a configuration that say what else a network is told."""


class PromptedUNet(nn.Module):
    """A text-to-image network that is told one prompt, so that it is called as an unconditional one.

    Args:
        network: F(x, t, prompt).
        words: the embedding of the prompt, (1, L, width).
    """

    words: Tensor

    def __init__(self, network: UNet2DConditionModel, words: Tensor) -> None:
        super().__init__()
        self.network, self.config = network, network.config
        self.register_buffer("words", words)

    def forward(self, x: Tensor, time_step: Tensor, return_dict: bool = False) -> Any:
        words = self.words.expand(len(x), -1, -1)
        return self.network(x, time_step, words, return_dict=return_dict)


def load_prompted(folder: Path, config: dict[str, Any], root: Path, *, allow_pickle: bool = False) -> PromptedUNet:
    """Reads unet/ of a pipeline with that configuration, and the empty prompt.

    Raises:
        PriorError: a part is missing, damaged, a pickle, or the network is told more than noise and prompt.
    """
    if any(config.get(name) is not None for name in ELSEWHERE):
        raise PriorError(
            "This network is told more than a prompt, as that of Stable Diffusion XL is. Use one of Stable Diffusion "
            "1 or 2."
        )
    place = folder / "unet"
    network = models.loaded(UNet2DConditionModel, config, place, root, _tried, allow_pickle=allow_pickle)
    if network.config.in_channels != network.config.out_channels:
        raise PriorError(
            f"This network takes {network.config.in_channels} channels and gives {network.config.out_channels}: it "
            "was trained for another purpose than making pictures from noise. Use the base model."
        )
    width = network.config.cross_attention_dim
    found = saved(folder, root, {WORDS: width})
    return PromptedUNet(network, found[WORDS] if found else computed(folder, root, width))


def saved(folder: Path, root: Path, widths: dict[str, int]) -> dict[str, Tensor] | None:
    """The embeddings in a pipeline's `FILE`, in float32, (1, ..., width); None where there is no such file.

    Raises:
        PriorError: it is damaged, or not of that model.
    """
    path = folder / FILE
    if not path.exists() and not path.is_symlink():
        return None
    shapes = weights.shapes(weights.regular_file(path, root))
    for name, width in widths.items():
        shape = shapes.get(name, ())
        if shape[:1] != (1,) or shape[-1:] != (width,) or len(shape) != 2 + (name == WORDS) or shape[-2] > LONGEST:
            raise PriorError(
                f"{FILE} needs {name} of shape {'(1, L, ' if name == WORDS else '(1, '}{width}), and has "
                f"{shape or 'none'}. Save the embedding of this model's own text encoder."
            )
    return {name: value.float() for name, value in load_file(path).items() if name in widths}


def computed(folder: Path, root: Path, width: int) -> Tensor:
    """The embedding of the empty prompt by a pipeline's CLIP text encoder and tokenizer, (1, L, width).

    Raises:
        PriorError: a part is missing, damaged or of another model; or transformers is not installed.
    """
    remedy = f"or put the embedding of the empty prompt beside the model, as {FILE} with {WORDS} (1, L, {width})."
    try:
        from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer
    except ImportError:
        raise PriorError(
            f"This prior needs the embedding of the empty prompt once, which its text encoder makes: pip install "
            f'"inverse[text]", {remedy}'
        ) from None
    config = models.configuration(folder / "text_encoder", root)
    if config.get("architectures") not in (None, [CLIPTextModel.__name__]) or config.get("hidden_size") != width:
        raise PriorError(
            f"The text encoder {shown(config.get('architectures'))} is not this network's. Download the prior again, "
            f"{remedy}"
        )
    file = next((folder / name for name in ENCODER if (folder / name).exists()), folder / ENCODER[0])
    shapes = _plain(weights.shapes(weights.regular_file(file, root)))
    for part in (folder / "tokenizer").glob("*"):
        weights.regular_file(part, root)
    with weights.understood(f"The text encoder in {folder.name} cannot be read. Download the prior again, {remedy}"):
        if not 1 <= config.get("num_hidden_layers", 12) <= MAX_DEPTH:
            raise ValueError("far larger than any text encoder")
        settings = CLIPTextConfig.from_dict(config)
        with torch.device("meta"):  # a made-up one is refused before it costs memory
            outline = _plain(CLIPTextModel(settings).state_dict())
        if shapes != {name: tuple(value.shape) for name, value in outline.items()}:
            raise ValueError("the weights are not those of the configuration")
        encoder, found = CLIPTextModel(settings), _plain(load_file(file))
        encoder.load_state_dict({name: found[short] for name, short in zip(encoder.state_dict(), outline, strict=True)})
        tokenizer = CLIPTokenizer.from_pretrained(str(folder / "tokenizer"), local_files_only=True)
        length = tokenizer.model_max_length
        if length > LONGEST:
            raise ValueError("prompts are far longer than any")
        tokens = tokenizer("", padding="max_length", max_length=length, return_tensors="pt")
        with torch.inference_mode(False), torch.no_grad():
            return encoder.eval().float()(tokens.input_ids).last_hidden_state


def _plain(tensors: dict[str, T]) -> dict[str, T]:
    """By the names of every version of transformers: since 5 without the model's own, since 4.31 without positions."""
    found = {name.removeprefix("text_model."): value for name, value in tensors.items()}
    return {name: value for name, value in found.items() if not name.endswith("position_ids")}


def _tried(network: Any) -> None:
    config, side = network.config, 2 ** (len(network.config.block_out_channels) + 1)
    words = torch.empty(1, 2, config.cross_attention_dim)
    network(torch.empty(1, config.in_channels, side, side), torch.empty(1), words)
