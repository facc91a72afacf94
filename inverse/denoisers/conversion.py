"""A checkpoint of guided-diffusion, written once as the folder of safetensors that diffusers would write."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from inverse.denoisers import adm, checkpoint, guided_diffusion, unet, weights
from inverse.denoisers.cards import NOT_STATED
from inverse.errors import PriorError
from inverse.imaging.files import new_folder, printable


def convert(
    file: Path, folder: Path, *, half: bool = False, licence: str = NOT_STATED, allow_pickle: bool = False
) -> None:
    """Writes config.json, the weights, scheduler_config.json and a card, all of them or none.

    Args:
        file: see `guided_diffusion.read`.
        folder: that is not there yet; `load_prior` and diffusers' `from_pretrained` take it.
        half: the weights in float16, of half the size, which rounds them to three digits.
        licence: of the weights, for the card; the file says nothing of it.
        allow_pickle: read the file though it is a pickle, tensors only.

    Raises:
        PriorError: as in `guided_diffusion.read`; or a weight is no number, or beyond the range of half precision.
        OutputError: the folder is there already, or cannot be written.
    """
    config, tensors = guided_diffusion.read(file, allow_pickle=allow_pickle)
    with weights.understood(adm.UNWHOLE):
        unet.check_names(config, {name: tuple(value.shape) for name, value in tensors.items()})
    kept = {name: value.to(torch.float16 if half else torch.float32).contiguous() for name, value in tensors.items()}
    for name, value in kept.items():
        if not value.isfinite().all():
            beyond = half and bool(tensors[name].isfinite().all())
            raise PriorError(
                f"Some weights in {file.name} are beyond half precision. Convert it without --half."
                if beyond
                else f"Some weights in {file.name} are no numbers. Download it again, or choose another prior."
            )
    card = _card(file, config, half, licence)

    def write(place: Path) -> None:
        (place / "config.json").write_text(_json(config), encoding="utf-8")
        (place / "scheduler_config.json").write_text(_json(adm.schedule(config)), encoding="utf-8")
        (place / "README.md").write_text(card, encoding="utf-8")
        save_file(kept, place / f"{checkpoint.NAME}.safetensors", {"format": "pt"})

    new_folder(folder, write)


def _json(data: dict[str, Any]) -> str:
    return json.dumps(data, indent=2) + "\n"


def _card(file: Path, config: dict[str, Any], half: bool, licence: str) -> str:
    """Where it comes from, for whoever finds the folder later."""
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    widths, name = ", ".join(map(str, config["block_out_channels"])), printable(Path(file.name))
    return f"""# {name}

A network of guided-diffusion (Dhariwal and Nichol 2021, arXiv 2105.05233) as a `UNet2DModel` of diffusers, converted
by `inverse priors convert`. Its attention's weights are in diffusers' order; nothing else was changed.

| | |
|---|---|
| source | {name}, {file.stat().st_size} bytes |
| SHA-256 | {digest} |
| licence of the weights | {licence} |
| weights | {"float16" if half else "float32"} |
| pictures | {config["sample_size"]} pixels a side |
| widths | {widths} |
| noise levels | the linear table of 1000 steps |
"""
