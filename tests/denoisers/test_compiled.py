"""torch.compile of a prior: the same estimates and gradients. It takes minutes, and a C++ compiler on a CPU."""

import pytest
import torch
from checkpoints import save_tiny
from click.testing import CliRunner
from latents import pipeline

from inverse.__main__ import main
from inverse.denoisers.catalog import load_prior
from inverse.randomness import generator

pytestmark = pytest.mark.usefixtures("nothing_kept")


@pytest.fixture
def compilations(monkeypatch):
    """What torch.compile is asked for, which it then does not do: networks answer as they are."""
    asked = []
    monkeypatch.setattr(torch, "compile", lambda model, **_: asked.append(model) or model)
    return asked


def both(place, side=16):
    """Estimates and gradients of a prior as it is, and compiled."""
    found = []
    for compiled in (False, True):
        prior = load_prior(place, "cpu", "float32", compiled=compiled)
        x = torch.randn(1, prior.channels, side, side, generator=generator(0)).requires_grad_()
        estimate = prior(x, 0.5)
        (gradient,) = torch.autograd.grad(estimate.square().sum(), x)
        found.append((estimate.detach(), gradient))
    return found


def test_every_network_of_a_prior_is_compiled_when_asked(tmp_path, compilations):
    places = {str(save_tiny(tmp_path / "pixels")): 1, str(pipeline(tmp_path / "latents")): 2}
    for place, count in places.items():
        (plain, compiled) = both(place)
        assert len(compilations) == count, "the second one alone"
        assert all(torch.equal(*pair) for pair in zip(plain, compiled, strict=True))
        compilations.clear()


def test_the_command_line_asks_for_it(tmp_path, photo, compilations):
    photo.save(tmp_path / "photo.png")
    arguments = [
        "restore",
        str(tmp_path / "photo.png"),
        "-o",
        str(tmp_path / "out.png"),
        "--size",
        "32",
        "--steps",
        "2",
    ]
    for more in ([], ["--compile"]):
        ended = CliRunner().invoke(main, [*arguments, "--solver", "ddnm", "--prior", "embedded", *more])
        assert ended.exit_code == 0, ended.output
        assert bool(compilations) == bool(more)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pixels", "latents", "embedded"])
def test_a_compiled_prior_is_the_same_prior(tmp_path, kind):
    made = {"pixels": save_tiny, "latents": pipeline}
    plain, compiled = both(str(made[kind](tmp_path / kind)) if kind in made else kind)
    for one, other in zip(plain, compiled, strict=True):
        assert (one - other).abs().max() < 1e-4 * one.abs().max()
