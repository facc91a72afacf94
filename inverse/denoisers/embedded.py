"""The embedded prior: EDM preconditioning around the small network, and its file format."""

from __future__ import annotations

import copy
import hashlib
import json
import math
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import safetensors
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from inverse.denoisers import weights
from inverse.denoisers.base import Denoiser
from inverse.denoisers.cards import EMBEDDED
from inverse.denoisers.network import NetworkConfig, ResidualUNet
from inverse.denoisers.precision import computes_in_bfloat16
from inverse.errors import ParameterError, PriorError

FORMAT = "inverse-residual-unet-1"
Network = TypeVar("Network", bound=nn.Module)
SIGMA_MIN, SIGMA_MAX, DATA_STD = 0.003, 80.0, 0.5
"""The noise levels that `train prior` trains on, and sigma_data of the preconditioning."""


def precondition(network: Callable[[Tensor, Tensor], Tensor], x: Tensor, sigma: Tensor, data_std: float) -> Tensor:
    """D of `preconditioned` for one noise level an image, sigma (B,), whose logarithm F is told."""
    return preconditioned(lambda seen: network(seen, sigma.log()), x, sigma[:, None, None, None], data_std)


def preconditioned(network: Callable[[Tensor], Tensor], x: Tensor, sigma: Tensor, data_std: float) -> Tensor:
    """D = c_skip x + c_out F(c_in x), Karras et al. 2022 (arXiv 2206.00364), table 1, (B, C, H, W).

    Args:
        network: F of c_in x; it may answer in a lower precision than that of x.
        x: noisy images, (B, C, H, W).
        sigma: standard deviation of their noise, of every image or of every pixel, (B, 1, H or 1, W or 1).
        data_std: sigma_data.
    """
    variance, data_variance = sigma.square(), data_std**2
    total = variance + data_variance
    output = network((x / total.sqrt()).to(memory_format=torch.channels_last))
    return (data_variance / total) * x + (variance / total).sqrt() * data_std * output.to(x.dtype)


class EDMDenoiser(Denoiser):
    """The preconditioned network, D of `precondition`.

    Args:
        network: F; it is frozen and moved to the device, for bfloat16 a copy of it.
        device: where it runs.
        precision: "float32", "bfloat16" (autocast; the result is float32 all the same) or "auto", which takes
            bfloat16 where the hardware computes in it.
        data_std: sigma_data of the preconditioning.

    Raises:
        ParameterError: the precision is float16, whose range such a network, without normalisation, can leave.
    """

    kind = EMBEDDED
    sigma_min, sigma_max = SIGMA_MIN, SIGMA_MAX

    def __init__(
        self,
        network: ResidualUNet,
        device: torch.device | str = "cpu",
        precision: str = "auto",
        *,
        data_std: float = DATA_STD,
    ) -> None:
        if precision == "float16":
            raise ParameterError("This prior computes in float32 or bfloat16. Choose one of them, or auto.")
        self.device = torch.device(device)
        self.bfloat16 = precision == "bfloat16" or (precision == "auto" and computes_in_bfloat16(self.device))
        self._weights = network
        network = in_bfloat16(network) if self.bfloat16 else network
        network.to(self.device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]  (not in its stub)
        self.network = network.eval().requires_grad_(False)
        self.channels = network.config.channels
        self.multiple = network.config.multiple
        self.data_std = data_std

    @cached_property
    def digest(self) -> str:
        """By which an estimator knows the prior that it was trained for."""
        return digest(self._weights)

    def denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            return precondition(self._trained, x, sigma, self.data_std)

    def _trained(self, x: Tensor, log_sigma: Tensor) -> Tensor:
        """F, told the nearest level of the trained range: outside of it, and at 0, its answer can be of any size."""
        return self.network(x, log_sigma.clamp(math.log(self.sigma_min), math.log(self.sigma_max)))


def in_bfloat16(network: Network) -> Network:
    """A copy with the weights already as autocast would make them at every call, which it does for frozen ones."""
    network = copy.deepcopy(network)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            module.to(torch.bfloat16)
    return network


def digest(network: ResidualUNet) -> str:
    """SHA-256 of the weights in half precision, in which they are stored, and of the network's shape."""
    found = hashlib.sha256(json.dumps(network.config.to_dict(), sort_keys=True).encode())
    for name, value in sorted(network.state_dict().items()):
        found.update(name.encode())
        found.update(value.detach().cpu().half().contiguous().numpy().tobytes())
    return found.hexdigest()


def save_network(network: ResidualUNet, path: Path) -> None:
    """Writes half-precision weights and the network's shape into one safetensors file."""
    tensors = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    save_file(tensors, path, {"format": FORMAT, "network": json.dumps(network.config.to_dict())})


def load_network(path: Path) -> ResidualUNet:
    """Reads what `save_network` wrote; nothing in the file is executed.

    Raises:
        PriorError: the file is missing, damaged, or holds something else.
    """
    if not path.exists():
        raise PriorError(f"The prior's file {path.name} is missing. Restore it, or choose another prior.")
    found = weights.shapes(weights.regular_file(path, path.resolve().parent))
    with weights.understood(f"The prior's file {path.name} is damaged. Download it again."):
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
        if metadata.get("format") != FORMAT:
            raise PriorError(f"{path.name} is not a prior of this program. Use a file that `train prior` wrote.")
        fields: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(metadata["network"]).items()
        }
        config = NetworkConfig(**fields)
        with torch.device("meta"):  # its shapes only, so that a made-up size costs no memory
            expected = {name: tuple(value.shape) for name, value in ResidualUNet(config).state_dict().items()}
        if expected != found:
            raise ValueError("the weights are those of another network")
        network = ResidualUNet(config)
        network.load_state_dict({name: value.float() for name, value in load_file(path).items()})
    return network
