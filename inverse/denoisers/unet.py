"""Unconditional diffusers `UNet2DModel`s of the variance-preserving kind as denoisers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from diffusers import DDPMScheduler, UNet2DModel
from torch import Tensor

from inverse.denoisers.base import Denoiser
from inverse.errors import PriorError

PREDICTIONS = ("epsilon", "v_prediction", "sample")


class UNetDenoiser(Denoiser):
    """A network trained on x_vp = sqrt(abar) x0 + sqrt(1 - abar) eps (DDPM, ADM), in variance-exploding coordinates.

    With abar = 1 / (1 + sigma^2), x_vp = x / sqrt(1 + sigma^2). The time step that belongs to sigma is found by linear
    interpolation of log sigma in the scheduler's table; it need not be whole. From the network's output F(x_vp, t):

        epsilon:       D = x - sigma F
        v_prediction:  D = (x_vp - sigma F) / sqrt(1 + sigma^2)          (Salimans and Ho 2022)
        sample:        D = F

    Networks that learned the variance emit 2 C channels (Nichol and Dhariwal 2021); the first C are the prediction.

    Args:
        network: unconditional; it is frozen and moved to the device.
        alphas_cumprod: abar at every training time step, (T,), decreasing.
        prediction: one of `PREDICTIONS`.
        device: where it runs.

    Raises:
        PriorError: the network is conditional, or does not emit C or 2 C channels.
    """

    def __init__(
        self, network: UNet2DModel, alphas_cumprod: Tensor, prediction: str, device: torch.device | str = "cpu"
    ) -> None:
        self.channels = network.config.in_channels
        if network.config.out_channels not in (self.channels, 2 * self.channels):
            raise PriorError("This network does not predict an image. Use an unconditional diffusion model of images.")
        if network.config.num_class_embeds is not None or network.config.class_embed_type is not None:
            raise PriorError("This network needs a class label. Use an unconditional diffusion model.")
        if prediction not in PREDICTIONS:
            raise PriorError(f"Prediction type {prediction!r} is unknown. Use one of {', '.join(PREDICTIONS)}.")
        self.device = torch.device(device)
        self.network = network.to(self.device).eval().requires_grad_(False)
        self.prediction = prediction
        self.multiple = 2 ** (len(network.config.block_out_channels) - 1)
        abar = alphas_cumprod.double().cpu().numpy()
        self._log_sigmas = np.log((1 - abar) / abar) / 2
        self.sigma_min, self.sigma_max = (float(np.exp(self._log_sigmas[i])) for i in (0, -1))

    def time_step(self, sigma: Tensor) -> Tensor:
        """The possibly fractional time step t whose sigma it is, (B,) -> (B,); clamped to the table's ends."""
        log_sigma = sigma.double().log().cpu().numpy()
        t = np.interp(log_sigma, self._log_sigmas, np.arange(len(self._log_sigmas)))
        return torch.from_numpy(t).to(sigma)

    def denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        sigma_image = sigma[:, None, None, None]
        scale = (1 + sigma_image.square()).sqrt()
        output = self.network(x / scale, self.time_step(sigma), return_dict=False)[0][:, : self.channels]
        if self.prediction == "epsilon":
            return x - sigma_image * output
        if self.prediction == "v_prediction":
            return (x / scale - sigma_image * output) / scale
        return output


def load_unet(folder: Path, device: torch.device | str = "cpu") -> UNetDenoiser:
    """Reads a diffusers pipeline (unet/ and scheduler/), or a model with its scheduler_config.json beside it.

    Only safetensors weights are read, and no code from the folder is run.

    Raises:
        PriorError: a part is missing, damaged, or of an unknown kind.
    """
    unet = folder / "unet" if (folder / "unet").is_dir() else folder
    scheduler = folder / "scheduler" if (folder / "scheduler").is_dir() else folder
    if not (scheduler / "scheduler_config.json").is_file():
        raise PriorError(
            f"{folder.name} has no scheduler_config.json, so its noise levels are unknown. "
            "Save the whole pipeline, or the scheduler beside the model."
        )
    try:
        kind = json.loads((unet / "config.json").read_text()).get("_class_name")
        if kind != "UNet2DModel":
            raise PriorError(f"{folder.name} holds a {kind or 'model of no kind'}. Use an unconditional UNet2DModel.")
        network = UNet2DModel.from_pretrained(unet, use_safetensors=True, local_files_only=True)
        # Whatever the saved scheduler samples with, DDPMScheduler reads the same table of betas.
        table = DDPMScheduler.from_pretrained(scheduler, local_files_only=True)
    except PriorError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise PriorError(
            f"The model in {folder.name} cannot be read. It needs config.json and safetensors weights, undamaged."
        ) from error
    return UNetDenoiser(network, table.alphas_cumprod, table.config.prediction_type, device)
