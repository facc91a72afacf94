"""Unconditional diffusers `UNet2DModel`s of the variance-preserving kind as denoisers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import DDPMScheduler, UNet2DModel
from torch import Tensor

from inverse.denoisers import adm, checkpoint, weights
from inverse.denoisers.base import Denoiser
from inverse.denoisers.cards import ADM, DDPM
from inverse.denoisers.network import MAX_DEPTH, MAX_LEVELS, MAX_WIDTH
from inverse.denoisers.precision import inside, keep_small_gradients
from inverse.errors import PriorError
from inverse.parameters import shown

PREDICTIONS = ("epsilon", "v_prediction", "sample")
VARIANCE_PRESERVING = (
    "DDPM", "DDIM", "ADMDDIM", "PNDM", "DPMSolver", "DEIS", "UniPC", "Euler", "LMSDiscrete", "Heun", "KDPM2",
)  # fmt: skip
"""How diffusers' schedulers that have a table of betas begin, and that of ADM's conversions on the Hub."""
MAX_STEPS = 100_000


class UNetDenoiser(Denoiser):
    """A network trained on x_vp = sqrt(abar) x0 + sqrt(1 - abar) eps (DDPM, ADM), in variance-exploding coordinates.

    With abar = 1 / (1 + sigma^2), x_vp = x / sqrt(1 + sigma^2). The time step that belongs to sigma is found by linear
    interpolation of log sigma in the scheduler's table; it need not be whole. From the network's output F(x_vp, t):

        epsilon:       D = x - sigma F
        v_prediction:  D = (x_vp - sigma F) / sqrt(1 + sigma^2)          (Salimans and Ho 2022)
        sample:        D = F

    A network that is told time continuously, as by EulerDiscreteScheduler(timestep_type="continuous"), gets t =
    ln(sigma) / 4 instead, and the table says only from where to where.

    Networks that learned the variance emit 2 C channels (Nichol and Dhariwal 2021); the first C are the prediction.

    Args:
        network: unconditional; it is frozen, and moved to the device and to its precision.
        alphas_cumprod: abar at every training time step, (T,), decreasing.
        prediction: one of `PREDICTIONS`.
        device: where it runs.
        continuous: it is told ln(sigma) / 4, and not a time step.
        precision: in which the network computes, of `precision.PRECISIONS`; images, and the algebra above, are float32
            in any. "auto" is half precision on a GPU and float32 on a CPU.

    Raises:
        PriorError: the network is conditional, or does not emit C or 2 C channels.
    """

    def __init__(
        self,
        network: UNet2DModel,
        alphas_cumprod: Tensor,
        prediction: str,
        device: torch.device | str = "cpu",
        continuous: bool = False,
        precision: str = "auto",
    ) -> None:
        config: Any = network.config  # a dictionary whose entries are attributes too
        self.channels = config.in_channels
        if config.out_channels not in (self.channels, 2 * self.channels):
            raise PriorError("This network does not predict an image. Use an unconditional diffusion model of images.")
        if config.num_class_embeds is not None or config.class_embed_type is not None:
            raise PriorError("This network needs a class label. Use an unconditional diffusion model.")
        if prediction not in PREDICTIONS:
            raise PriorError(f"Prediction type {prediction!r} is unknown. Use one of {', '.join(PREDICTIONS)}.")
        self.kind = ADM if adm.is_adm(config) else DDPM
        self.device = torch.device(device)
        self.inside = inside(precision, self.device)
        self.bfloat16 = self.inside == torch.bfloat16
        torch.nn.Module.to(network, self.device, self.inside)  # as diffusers' own `to`, which warns of every precision
        self.network = network.eval().requires_grad_(False)
        self.prediction, self.continuous = prediction, continuous
        self.multiple = 2 ** (len(config.block_out_channels) - 1)
        abar = alphas_cumprod.double().cpu().numpy()
        self._log_sigmas = np.log((1 - abar) / abar) / 2
        self.sigma_min, self.sigma_max = (float(np.exp(self._log_sigmas[i])) for i in (0, -1))

    def time_step(self, sigma: Tensor) -> Tensor:
        """The possibly fractional time step t whose sigma it is, (B,) -> (B,); clamped to the table's ends."""
        log_sigma = sigma.cpu().double().log().numpy()  # Macs know no float64
        if self.continuous:
            return torch.from_numpy(log_sigma.clip(self._log_sigmas[0], self._log_sigmas[-1]) / 4).to(sigma)
        t = np.interp(log_sigma, self._log_sigmas, np.arange(len(self._log_sigmas)))
        return torch.from_numpy(t).to(sigma)

    def denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        sigma_image = sigma[:, None, None, None]
        scale = (1 + sigma_image.square()).sqrt()
        output = self._network_output(x / scale, self.time_step(sigma))
        if self.prediction == "epsilon":
            return x - sigma_image * output
        if self.prediction == "v_prediction":
            return (x / scale - sigma_image * output) / scale
        return output

    def _network_output(self, x_vp: Tensor, t: Tensor) -> Tensor:
        """F, (B, C, H, W), in the precision of its input; t stays in float32 until its sines are taken."""
        output = self.network(x_vp.to(self.inside), t, return_dict=False)[0].to(x_vp.dtype)
        if self.inside == torch.float16 and output.requires_grad:
            keep_small_gradients(x_vp, output)
        return output[:, : self.channels]


def load_unet(
    folder: Path,
    device: torch.device | str = "cpu",
    precision: str = "auto",
    *,
    allow_pickle: bool = False,
    root: Path | None = None,
    latent: bool = False,
) -> UNetDenoiser:
    """Reads a diffusers pipeline (unet/ and scheduler/), or a model with its scheduler_config.json beside it.

    No code from the folder is run.

    Args:
        folder: where diffusers' `save_pretrained` wrote, or `priors convert`.
        device, precision: see `UNetDenoiser`.
        allow_pickle: read weights in PyTorch's pickle format where there are no safetensors, tensors only.
        root: links may lead to files in here; the folder when None.
        latent: it is a prior of latents, which have any number of channels, and not of colour pictures.

    Raises:
        PriorError: a part is missing, damaged, a pickle, or of an unknown kind; or it is no prior of colour pictures.
    """
    root = root or folder
    unet = folder / "unet" if (folder / "unet").is_dir() else folder
    scheduler = folder / "scheduler" if (folder / "scheduler").is_dir() else folder
    if not (scheduler / "scheduler_config.json").is_file():
        raise PriorError(
            f"{folder.name} has no scheduler_config.json, so its noise levels are unknown. "
            "Save the whole pipeline, or the scheduler beside the model."
        )
    schedule = weights.read_json(weights.regular_file(scheduler / "scheduler_config.json", root))
    written = weights.read_json(weights.regular_file(unet / "config.json", root))
    found = checkpoint.find(unet, root, allow_pickle=allow_pickle)
    with weights.understood(
        f"The model in {folder.name} cannot be read. It needs config.json and safetensors weights, undamaged."
    ):
        config = adm.plain(written)
        if found.shapes is not None:
            check_size(config, found.shapes)
        if config.get("in_channels", 3) != 3 and not latent:
            raise PriorError(
                f"The model in {folder.name} knows pictures of {shown(config['in_channels'])} channels, and photos "
                "have three, grey ones too. Use a prior of colour pictures."
            )
        return assemble(config, schedule, adm.understood(written, found.read()), device, precision)


def assemble(
    config: dict[str, Any],
    schedule: dict[str, Any],
    tensors: Mapping[str, Tensor],
    device: torch.device | str = "cpu",
    precision: str = "auto",
) -> UNetDenoiser:
    """The prior that configurations of a `UNet2DModel` and of its scheduler say, with these weights.

    Raises:
        PriorError: a configuration is not understood, or a weight is no number.
        Any of `weights.UNREADABLE`: the weights are those of another network, or a value is of a wrong type.
    """
    levels, prediction = noise_table(schedule)
    # With other predictions diffusers counts whole steps, whatever the type says.
    continuous = schedule.get("timestep_type") == "continuous" and prediction == "v_prediction"
    check_size(config, {name: tuple(value.shape) for name, value in tensors.items()})
    network = _network(config)
    network.load_state_dict(tensors)
    if not all(bool(value.isfinite().all()) for value in network.state_dict().values()):
        raise PriorError("Some weights of this prior are no numbers. Download it again, or choose another one.")
    return UNetDenoiser(network, levels, prediction, device, continuous, precision)


def check_size(config: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Refuses a network whose weights are not as many as those that there are, before memory is taken for it.

    Raises:
        PriorError: so it is, or the configuration is not of the kind that is understood here.
        Any of `weights.UNREADABLE`: a value in it is of a wrong type.
    """
    if _elements(dict(config)) != sum(math.prod(shape) for shape in shapes.values()):
        raise PriorError("The weights of this prior are not those of its configuration. Download it again.")


def check_names(config: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Refuses weights whose names and shapes are not those of the network.

    Raises:
        As `check_size`.
    """
    check_size(config, shapes)
    with torch.device("meta"):
        expected = {name: tuple(value.shape) for name, value in _network(dict(config)).state_dict().items()}
    if expected != shapes:
        raise PriorError("The weights of this prior are not those of its configuration. Download it again.")


def noise_table(config: dict[str, Any]) -> tuple[Tensor, str]:
    """The scheduler's table of abar, and what its network predicts.

    Whatever it samples with, DDPMScheduler reads the same table of betas. A last entry 0, at which nothing is left of
    the image (zero terminal SNR, Lin et al. 2023, arXiv 2305.08891), is no noise level here, sigma being infinite: it
    is left out, and no solver starts there.

    Raises:
        PriorError: it has none, or one that no network was trained with.
    """
    kind = str(config.get("_class_name"))
    if not kind.startswith(VARIANCE_PRESERVING):
        raise PriorError(f"The scheduler {kind[:40]} has no table of betas, which is needed. Use a DDPM-like model.")
    steps, betas = config.get("num_train_timesteps", 1000), config.get("trained_betas")
    if betas is not None and not (isinstance(betas, list) and 2 <= len(betas) <= MAX_STEPS):
        raise PriorError(f"The scheduler's trained_betas are {shown(betas)}. Use a model with a list of them, or none.")
    if isinstance(steps, bool) or not isinstance(steps, int) or not 2 <= steps <= MAX_STEPS:
        raise PriorError(f"The scheduler asks for {shown(steps)} time steps. Use a model with 2 to {MAX_STEPS}.")
    try:
        table: Any = DDPMScheduler.from_config(config)
        levels = table.alphas_cumprod.double()
        if levels[-1] == 0:
            levels = levels[:-1]
        usable = len(levels) > 1 and bool(((levels > 0) & (levels < 1)).all() and (levels.diff() < 0).all())
    except weights.UNREADABLE as error:
        raise PriorError("The scheduler's configuration cannot be understood. Download the prior again.") from error
    if not usable:
        raise PriorError("The scheduler's noise levels do not rise from little to much. Use another prior.")
    return levels, table.config.prediction_type


def _elements(config: dict[str, Any]) -> int:
    """How many numbers a network of that configuration has, without making room for them.

    Raises:
        PriorError: it is not of the kind that is understood here.
    """
    kind = config.get("_class_name")
    if kind != "UNet2DModel":
        raise PriorError(f"The folder holds a {shown(kind)}. Use an unconditional UNet2DModel.")
    if config.get("time_embedding_type", "positional") != "positional":
        raise PriorError("This network counts noise differently from DDPM, as NCSN++ does. Use a DDPM-like model.")
    widths, depth = config.get("block_out_channels", ()), config.get("layers_per_block", 2)
    if len(widths) > MAX_LEVELS or not all(1 <= n <= MAX_WIDTH for n in widths) or not 1 <= depth <= MAX_DEPTH:
        raise PriorError("This network is far larger than any prior. Use another one.")
    with torch.device("meta"), torch.no_grad():
        network, side = _network(config), 2 ** (len(widths) + 1)
        # Some values of a wrong type are noticed only when they are used.
        network(torch.empty(1, network.config["in_channels"], side, side), torch.empty(1))
        return sum(value.numel() for value in network.state_dict().values())


def _network(config: dict[str, Any]) -> UNet2DModel:
    network: Any = UNet2DModel.from_config(config)  # a pair, says its type, which it is only for those who ask for one
    return network
