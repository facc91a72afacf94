"""E[x0 | x, y] by a frozen prior and what was trained beside it, in one of three forms."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inverse.denoisers.base import pad_to_multiple
from inverse.denoisers.embedded import EDMDenoiser, in_bfloat16, preconditioned
from inverse.denoisers.network import NetworkConfig, ResidualUNet
from inverse.denoisers.wrapper import Wrapper
from inverse.errors import ProblemError
from inverse.estimators.field import Field
from inverse.estimators.networks import Adapter, Control
from inverse.estimators.statistic import FIRST_LEVEL, Statistic
from inverse.operators.base import LinearOperator, Operator

STATISTIC, ONE_PASS, CONTROLNET = "statistic", "one-pass", "controlnet"
FORMS = (STATISTIC, ONE_PASS, CONTROLNET)
THIN, THINNER = (48, 72, 96), (16, 24, 32)
"""Widths of the adapter: beside a frozen prior, and beside one that is trained whole, which keeps its file small."""
PULL = 0.3
"""The data step trusts the estimate as if its variance were this share of what the statistic is told to be."""
LEAST_SIGMA_Y = 1e-3
"""Less noise is told as this."""
COST = 1.7
"""An estimate that knows the measurement takes about as long as this many passes of the embedded prior's network: the
algebra of its statistic and its adapter are in it."""

Network = Callable[..., Tensor]


def told_cost(guidance_scale: float) -> float:
    """Passes of the prior's network that an estimate takes that knows the measurement, at a weight that is not 0."""
    return COST + (guidance_scale != 1)  # at 1 the estimator is in the prior's place, else beside it


@dataclass(frozen=True)
class Condition:
    """What an estimate knows of one measurement: the same for every call of a run.

    Attributes:
        source: what the Gaussian field makes of it; or H^+ y, (B, C, H, W), in the form of a ControlNet.
        size: (H, W) of the image.
        log_sigma_y: ln of the measurement's noise.
    """

    source: Statistic | Tensor
    size: tuple[int, int]
    log_sigma_y: float

    def level(self, sigma: Tensor) -> Tensor:
        """How wrong what the prior is fed is, as a noise level: sigma, (B,), or less, (B, 1, H or 1, W or 1)."""
        return sigma if isinstance(self.source, Tensor) else self.source.told(sigma).level


class EstimatorNetwork(nn.Module):
    """What is trained: by its form an adapter, all of a copy of the prior, or a ControlNet.

    Args:
        form: one of `FORMS`.
        config: of the prior's network.
    """

    def __init__(self, form: str, config: NetworkConfig) -> None:
        super().__init__()
        self.form, self.config = form, config
        channels = config.channels
        self.network = None
        if form == CONTROLNET:
            self.control = Control(config, channels)
            return
        self.field = Field(channels)
        self.data_step = nn.Parameter(torch.zeros(2))
        widths = THIN if form == STATISTIC else THINNER
        self.adapter = Adapter(config, 3 * channels + 1, widths)
        if form == ONE_PASS:
            self.network = ResidualUNet(config)

    def inherit(self, prior: ResidualUNet) -> None:
        """Begins at the prior's own weights, where it has the like."""
        copy = self.control.copied if self.form == CONTROLNET else self.network
        if copy is not None:
            own = copy.state_dict()
            copy.load_state_dict({name: value for name, value in prior.state_dict().items() if name in own})

    def condition(self, operator: Operator, y: Tensor, sigma_y: float) -> Condition:
        """What estimates will know of measurements y (B, *measurement_shape).

        Raises:
            ProblemError: the operator is not linear.
        """
        if not isinstance(operator, LinearOperator):
            raise ProblemError(
                "The conditional estimator knows linear tasks only, and this one is not linear. "
                "Leave the estimator out, or choose another task."
            )
        _, height, width = operator.image_shape
        controlled = self.form == CONTROLNET
        source = operator.pinv(y) if controlled else Statistic(self.field, operator, y, sigma_y)
        return Condition(source, (height, width), math.log(max(sigma_y, LEAST_SIGMA_Y)))

    def forward(
        self, prior: Network, x: Tensor, sigma: Tensor, condition: Condition, data_std: float, bfloat16: bool = False
    ) -> Tensor:
        """D(x, sigma | y), (B, C, H, W).

        Args:
            prior: F of the frozen prior, as `ResidualUNet` is called; it may answer in a lower precision.
            x: noisy images of the operator's own size, (B, C, H, W).
            sigma: their noise levels, (B,).
            condition: of one measurement, or of B.
            data_std: sigma_data of the prior's preconditioning.
            bfloat16: the networks compute in it; what surrounds them, which inverts H, does not.
        """
        inside = torch.autocast(x.device.type, torch.bfloat16, enabled=bfloat16)
        if isinstance(condition.source, Tensor):
            return self._controlled(prior, x, sigma, condition.source, data_std, inside)
        return self._combined(self.network or prior, x, sigma, condition, condition.source, data_std, inside)

    def _padded(self, image: Tensor) -> Tensor:
        return pad_to_multiple(image, self.config.multiple).to(memory_format=torch.channels_last)

    def _controlled(
        self, prior: Network, x: Tensor, sigma: Tensor, picture: Tensor, data_std: float, inside: torch.autocast
    ) -> Tensor:
        height, width = x.shape[-2:]

        def network(seen: Tensor) -> Tensor:
            seen = self._padded(seen)
            with inside:
                hints = self.control(seen, self._padded(picture).expand_as(seen), sigma.log())
                return prior(seen, sigma.log(), None, hints)[..., :height, :width]

        return preconditioned(network, x, sigma[:, None, None, None], data_std)

    def _combined(
        self, network: Network, x: Tensor, sigma: Tensor, condition: Condition, statistic: Statistic, data_std: float,
        inside: torch.autocast,
    ) -> Tensor:  # fmt: skip
        estimate, told = statistic(x, sigma), statistic.told(sigma)
        height, width = x.shape[-2:]
        share, log_level = None, told.low.log()
        if told.share is not None:
            share = self._padded(told.share.expand(len(x), -1, -1, -1))
            log_level = torch.stack([log_level, told.high.log()], 1)
        scale = torch.where(sigma < FIRST_LEVEL, (sigma.square() + data_std**2).rsqrt(), 0)
        scaled = scale[:, None, None, None] * x
        known = statistic.known.expand(len(x), -1, -1, -1)
        pictures = torch.cat([scaled, estimate, statistic.y0.expand_as(x), known], 1)
        scalars = torch.stack([sigma.log(), torch.full_like(sigma, condition.log_sigma_y)], 1)

        def hinted(seen: Tensor) -> Tensor:
            with inside:
                hints = self.adapter(self._padded(pictures), scalars)
                return network(self._padded(seen), log_level, share, hints)[..., :height, :width]

        x0_hat = preconditioned(hinted, estimate, told.level, data_std)
        return self._measured(x0_hat, statistic, told.low, sigma)

    def _measured(self, x0_hat: Tensor, statistic: Statistic, level: Tensor, sigma: Tensor) -> Tensor:
        """The data step: D + H^T (H H^T + c I)^-1 (y - H D), with c learned."""
        trust = (10 * (self.data_step[0] + self.data_step[1] * sigma.log())).exp()
        c = (statistic.variance / (PULL * level.square()) * trust)[:, None, None, None]
        operator = statistic.operator
        return x0_hat + operator.regularized_pinv(statistic.y - operator(x0_hat), c)


class ConditionalEstimator(Wrapper):
    """D_w = D + w (D_y - D): the prior's estimate for w = 0, the estimator's for w = 1, beyond it for more.

    Args:
        prior: the frozen prior for which the estimator was trained.
        network: the estimator, as `placed` returns it; so is `one_pass`.
        guidance_scale: w.
        one_pass: one in the form that answers the highest level only, which it does in place of `network` then.
    """

    def __init__(
        self,
        prior: EDMDenoiser,
        network: EstimatorNetwork,
        guidance_scale: float = 1.0,
        one_pass: EstimatorNetwork | None = None,
    ) -> None:
        super().__init__(prior)
        self.prior, self.guidance_scale = prior, guidance_scale
        self.estimator, self.one_pass = network, one_pass
        self.passes = 1 if guidance_scale in (0, 1) else 2

    def denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        return self.prior.denoise(x, sigma)

    def cost(self, sigma: float, size: tuple[int, int], told: bool = False) -> float:
        return told_cost(self.guidance_scale) if told and self.guidance_scale else 1.0

    def condition(self, operator: Operator, y: Tensor, sigma_y: float) -> Any | None:
        return self.estimator.condition(operator, y, sigma_y) if self.guidance_scale else None

    def denoise_given(self, x: Tensor, sigma: Tensor, conditions: Sequence[Any]) -> Tensor:
        groups: dict[int, list[int]] = {}
        for place, condition in enumerate(conditions):
            groups.setdefault(id(condition), []).append(place)
        parts = [self._given(x[places], sigma[places], conditions[places[0]]) for places in groups.values()]
        if len(parts) == 1:
            return parts[0]
        order = torch.tensor([place for places in groups.values() for place in places], device=x.device)
        return torch.cat(parts)[order.argsort()]

    def _given(self, x: Tensor, sigma: Tensor, condition: Condition) -> Tensor:
        height, width = condition.size
        own = x[..., :height, :width]
        network = self.one_pass if self.one_pass is not None and sigma.amin() >= FIRST_LEVEL else self.estimator
        x0_hat = network(self.prior.network, own, sigma, condition, self.data_std, self.bfloat16)
        if self.guidance_scale != 1:
            unconditional = self.prior(own, sigma)
            x0_hat = unconditional + self.guidance_scale * (x0_hat - unconditional)
        return F.pad(x0_hat, (0, x.shape[-1] - width, 0, x.shape[-2] - height))


def placed(network: EstimatorNetwork, prior: EDMDenoiser) -> EstimatorNetwork:
    """An estimator frozen, where its prior runs and in its precision."""
    network = in_bfloat16(network) if prior.bfloat16 else network.to(prior.dtype)
    network.to(prior.device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    return network.eval().requires_grad_(False)
