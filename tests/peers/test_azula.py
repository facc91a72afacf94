"""azula's solvers as solvers of ours, for `make peers`: what they cost, and that they do what they are for."""

import pytest
import torch
from toys import SIGMA_Y, run, setup

from inverse.randomness import generator
from inverse.solvers.run import Run

pytest.importorskip("azula")

from against_azula import PEERS, Flat

SETTINGS = {"azula-diffpir": {"guidance_scale": 1.0}}


def few(kind):
    return kind(steps=40, **SETTINGS.get(kind.name, {}))


@pytest.mark.parametrize("kind", PEERS, ids=lambda kind: kind.name)
def test_a_peer_costs_what_it_says_and_comes_to_one_frame(kind):
    (step,) = run(few(kind), *setup("deblur-gaussian"))
    assert (step.nfe, step.vjp) == few(kind).cost and step.total == 1


@pytest.mark.parametrize("task", ["inpaint-box", "deblur-gaussian", "super-resolution"])
@pytest.mark.parametrize("kind", PEERS, ids=lambda kind: kind.name)
def test_a_peer_restores(kind, task):
    """What it explains of the measurement is that of the truth, by half at least."""
    prior, operator, y = setup(task)
    (step,) = run(few(kind), prior, operator, y)
    expected = operator(prior.sample(generator(1)))
    assert (operator(step.x0_hat) - expected).norm() <= 0.5 * expected.norm()


@pytest.mark.parametrize("kind", PEERS, ids=lambda kind: kind.name)
def test_the_seed_decides(kind):
    problem, before = setup(), torch.get_rng_state()
    first, again = (run(few(kind), *problem)[-1].x0_hat for _ in range(2))
    other = run(few(kind), *problem, seeds=(1,))[-1].x0_hat
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before), "nor does anything else depend on it"


@pytest.mark.parametrize("task", ["inpaint-box", "super-resolution"])
def test_flat_images_are_measured_as_others(task):
    prior, operator, y = setup(task)
    flat = Flat(Run(prior, operator, y, SIGMA_Y, [generator(0)]))
    x = prior.sample(generator(1))
    torch.testing.assert_close(flat.A(x.flatten(1)), operator(x).flatten(1))
    torch.testing.assert_close(flat.pinv(flat.y), operator.pinv(y).flatten(1))
