"""Problems that solvers are tried on, and priors that can be looked at and spoilt."""

import math

import torch

from inverse.denoisers.base import Denoiser
from inverse.denoisers.exact import GaussianField
from inverse.estimators.exact import ExactEstimator
from inverse.operators import TASKS, Operator
from inverse.randomness import generator
from inverse.solvers import SOLVERS
from inverse.solvers.calls import answer

SHAPE = (1, 16, 16)
SIGMA_Y = 0.05
LINEAR = {
    "inpaint-box": {},
    "deblur-gaussian": {"std": 1.0, "edges": "circular"},
    "super-resolution": {"factor": 2},
}
NONLINEAR = [name for name, solver in SOLVERS.items() if not solver.linear_only]


class Saturation(Operator):
    """A(x) = tanh(x): smooth, of slope 1 at most."""

    norm = 1.0

    def __init__(self, image_shape):
        self.image_shape = self.measurement_shape = tuple(image_shape)

    def __call__(self, x):
        return x.tanh()


class Wrapped(Denoiser):
    """A prior that records the noise levels it is asked for, and can be spoilt from some call on."""

    batches = True

    def __init__(self, prior, spoil_at=None, spoilt=float("nan"), sigma_min=0.0, sigma_max=math.inf):
        self.prior, self.spoil_at, self.spoilt = prior, spoil_at, spoilt
        self.channels, self.dtype, self.data_std = prior.channels, prior.dtype, prior.data_std
        self.sigma_min, self.sigma_max = max(sigma_min, prior.sigma_min), min(sigma_max, prior.sigma_max)
        self.sigmas = []

    def denoise(self, x, sigma):
        self.sigmas.append(sigma.max().item())
        x0_hat = self.prior(x, sigma)
        return x0_hat if self.spoil_at is None or len(self.sigmas) < self.spoil_at else x0_hat + self.spoilt


def quick(name, **settings):
    """The solver with few steps."""
    kind = SOLVERS[name]
    few = {"steps": max(kind.specs()["steps"].low, 10)}
    if "gradient_steps" in kind.specs():
        few["gradient_steps"] = 2
    return kind.create({**few, **settings})


def setup(task="inpaint-box", dtype=torch.float64, shape=SHAPE, settings=None):
    prior = GaussianField(shape).to(dtype)
    if task == "saturation":
        operator = Saturation(shape)
    else:
        operator = TASKS[task].create(settings or LINEAR[task]).operator(shape, generator(3), None)
    operator = operator.to("cpu", dtype)
    clean = operator(prior.sample(generator(1)).to(dtype))
    y = clean + SIGMA_Y * torch.randn(clean.shape, generator=generator(2), dtype=torch.float64).to(dtype)
    return prior, operator, operator.project(y)


def run(solver, prior, operator, y, seeds=(0,)):
    return list(solver.solve(prior, operator, y, SIGMA_Y, [generator(7, seed) for seed in seeds]))


def asked(asking, prior):
    """What a part that calls the network comes to."""
    reply = None
    while True:
        try:
            call = asking.send(reply)
        except StopIteration as end:
            return end.value
        (reply,) = answer(prior, [call])


def knowing(name, prior):
    """The prior, or where the solver needs one that looks at the measurement, one that knows all about it."""
    return ExactEstimator(prior) if SOLVERS[name].needs_estimator else prior


class Certain(Denoiser):
    """A prior whose estimate is one picture, whatever it is asked."""

    dtype, batches = torch.float64, True
    sigma_min, sigma_max, data_std = 1e-4, 1e4, 0.4

    def __init__(self, estimate):
        self.estimate, self.channels = estimate, estimate.shape[1]

    def denoise(self, x, sigma):
        return self.estimate.expand_as(x)
