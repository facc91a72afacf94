"""Lost phases: runs are made again, the measurement chooses among them, and the prior which way is up."""

import torch
from toys import SIGMA_Y

from inverse.denoisers.exact import GaussianField, GaussianMixture
from inverse.operators import TASKS
from inverse.randomness import generator
from inverse.solvers import SOLVERS

SHAPE = (1, 16, 16)


def magnitudes(shape, truth):
    operator = TASKS["phase-retrieval"]().operator(shape, generator(3), None).to("cpu", torch.float64)
    clean = operator(truth)
    return operator, clean + SIGMA_Y * torch.randn(clean.shape, generator=generator(2), dtype=torch.float64)


def test_of_several_attempts_the_one_that_fits_the_measurement_best_counts():
    """For every sample by itself, whatever the others do."""
    prior = GaussianField(SHAPE)
    operator, y = magnitudes(SHAPE, prior.sample(generator(1)))
    solver = SOLVERS["ac-dc"](steps=10, attempts=4)
    steps = list(solver.solve(prior, operator, y, SIGMA_Y, [generator(7, seed) for seed in range(6)]))
    shown = torch.stack([step.residual for step in steps[9:-1:10]])  # how every attempt but the last ended
    assert shown.shape == (3, 6) and (shown.max(0).values - shown.min(0).values > 1e-3).all()
    assert (steps[-1].residual <= shown.min(0).values + 1e-12).all()
    earlier = (steps[-1].residual[None] == shown).any(0)
    assert earlier.any() and not earlier.all(), "some samples keep an earlier attempt, some the last"


def test_the_prior_says_which_of_an_image_and_its_twin_is_likelier():
    """Two images of the same measurement, of which the prior holds one to be 1000 times as probable."""
    shape = (1, 4, 4)
    upright = torch.randn(1, *shape, generator=generator(4), dtype=torch.float64)
    operator, y = magnitudes(shape, upright)
    means, ends = torch.cat([upright, operator.twin(upright)]), {0: [], 20: []}
    for heavy in (0, 1):
        weights = torch.tensor([1.0, 1.0])
        weights[heavy] = 1000.0
        prior = GaussianMixture(means, torch.tensor([0.01, 0.01]), weights)
        for checks, found in ends.items():
            solver = SOLVERS["ac-dc"](steps=10, sigma_max=0.5, checks=checks)
            *_, last = solver.solve(prior, operator, y, SIGMA_Y, [generator(7, seed) for seed in range(4)])
            found.append(torch.cdist(last.x0_hat.flatten(1), means.flatten(1)).argmin(1) == heavy)
    assert torch.cat(ends[20]).all() and not torch.cat(ends[0]).all()


def test_a_twin_measures_the_same_and_is_as_far_from_others():
    x, other = torch.randn(2, 1, 3, 8, 6, generator=generator(1), dtype=torch.float64)
    for name in ("phase-retrieval", "denoise", "hdr"):
        operator = TASKS[name]().operator((3, 8, 6), generator(0), None).to("cpu", torch.float64)
        twin = operator.twin(x)
        assert torch.equal(operator.twin(twin), x) and torch.equal(twin, x) == (name != "phase-retrieval")
        torch.testing.assert_close(operator(twin), operator(x))
        torch.testing.assert_close((twin - operator.twin(other)).norm(), (x - other).norm())
