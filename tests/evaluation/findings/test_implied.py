"""The score that a step implies is the one that its formula says, for every solver whose step implies one."""

import pytest
import torch

from inverse.evaluation.findings.contenders import FreeDMAP
from inverse.evaluation.findings.implied import LEAST_LEVEL, best_share, implied, levels
from inverse.evaluation.findings.truths import truth
from inverse.randomness import generator
from inverse.solvers.dmap import DMAP
from inverse.solvers.dps import DPS, misfit_step_size
from inverse.solvers.dsg import DSG
from inverse.solvers.pigdm import PiGDM
from inverse.solvers.run import SIGMA_Y_FLOOR

SIGMA, NEXT, STEPS = 0.6, 0.55, 100


@pytest.fixture(params=["modes", "pictures"], scope="module")
def known(request):
    return truth(request.param, "inpainting")


@pytest.fixture(scope="module")
def x(known):
    noise = torch.randn(5, *known.prior.image_shape, generator=generator(1), dtype=torch.float64)
    return known.draw(generator(0), 5) + SIGMA * noise


def asked(known, solver, x, pairs=1, sigma=SIGMA, sigma_next=NEXT):
    x0_hat = known.prior(x, sigma)
    return implied(solver, known.prior, known.problem, x, sigma, sigma_next, x0_hat, pairs, generator(7))


def gradient(known, x, sigma):
    """d ||y - H D(x)|| / dx by autograd alone."""
    x = x.clone().requires_grad_()
    misfit = known.problem.y - known.problem.operator(known.prior(x, sigma))
    (found,) = torch.autograd.grad(misfit.flatten(1).square().sum(1).sqrt().sum(), x)
    return found


@pytest.mark.parametrize("pairs", [0, 1])
@pytest.mark.parametrize("coordinates", ["ve", "vp"])
def test_a_step_of_dps_implies_its_gradient(known, x, coordinates, pairs):
    solver = DPS(steps=STEPS, step_size=3.0, coordinates=coordinates, stop_at_noise=False)
    found, uncertain = asked(known, solver, x, pairs)
    zeta = misfit_step_size(3.0, STEPS, x[0].numel(), coordinates, SIGMA, NEXT)
    expected = known.prior(x, SIGMA) - zeta * SIGMA**2 / (SIGMA**2 - NEXT**2) * gradient(known, x, SIGMA)
    torch.testing.assert_close(found, expected)
    assert not uncertain.any()


@pytest.mark.parametrize("pairs", [0, 1])
def test_a_step_of_pigdm_implies_its_estimate(known, x, pairs):
    solver, problem = PiGDM(steps=STEPS), known.problem
    found, _ = asked(known, solver, x, pairs)
    variance = SIGMA**2 / (1 + SIGMA**2)
    ratio = max(problem.sigma_y, SIGMA_Y_FLOOR) ** 2 / variance
    leaf = x.clone().requires_grad_()
    x0_hat = known.prior(leaf, SIGMA)
    pull = problem.operator.regularized_pinv(problem.y - problem.operator(x0_hat.detach()), ratio)
    (ascent,) = torch.autograd.grad(x0_hat, leaf, pull)
    weight = min(SIGMA**2 / variance, 1 / (1 - (NEXT / SIGMA) ** 2))
    torch.testing.assert_close(found, x0_hat.detach() + weight * ascent)


@pytest.mark.parametrize(
    "solver",
    [
        DPS(steps=STEPS, step_size=0.0), DMAP(steps=STEPS, step_size=0.0), DSG(steps=STEPS, guidance_scale=0.0),
        FreeDMAP(steps=STEPS, step_size=0.0, stop_at_noise=False),
    ],
)  # fmt: skip
def test_a_step_without_guidance_implies_the_unconditional_score(known, x, solver):
    found, _ = asked(known, solver, x)
    torch.testing.assert_close(found, known.prior(x, SIGMA))


@pytest.mark.parametrize("solver", [DMAP(steps=STEPS), DSG(steps=STEPS)])
def test_where_noise_decides_more_pairs_make_it_surer(known, x, solver):
    few, uncertain = asked(known, solver, x, pairs=8)
    many, _ = asked(known, solver, x, pairs=800)
    error = (few - many).square().mean()
    assert 0 < error < 6 * uncertain.mean() and uncertain.mean() < 0.2 * (many - known.prior(x, SIGMA)).square().mean()


def test_a_step_of_dmap_without_its_projection_goes_farther(known, x):
    kept, _ = asked(known, DMAP(steps=STEPS, stop_at_noise=False), x, pairs=50)
    free, _ = asked(known, FreeDMAP(steps=STEPS, stop_at_noise=False), x, pairs=50)
    base = known.prior(x, SIGMA)
    assert (free - base).norm() > (kept - base).norm() > 0


def test_the_best_share_is_that_of_least_squares(known, x):
    base, reference = known.prior(x, SIGMA), known.reference(x, SIGMA, [()] * len(x))
    added, _ = asked(known, DPS(steps=STEPS, step_size=1.0, stop_at_noise=False), x)
    best = best_share(base, added, reference)
    tried = torch.linspace(0, 4 * best + 1, 4001, dtype=torch.float64)
    errors = torch.stack([(base + share * (added - base) - reference).square().mean() for share in tried])
    assert float(tried[errors.argmin()]) == pytest.approx(best, abs=float(tried[1]))


def test_a_guidance_that_leads_away_is_best_left_out(known, x):
    base, reference = known.prior(x, SIGMA), known.reference(x, SIGMA, [()] * len(x))
    assert best_share(base, 2 * base - reference, reference) == 0
    assert best_share(base, base, reference) == 0


@pytest.mark.parametrize("steps", [20, 100, 1000])
def test_levels_are_neighbours_of_the_run_that_they_are_of(steps):
    pairs = levels(steps, 10.0)
    assert 5 <= len(pairs) <= 10 and pairs == sorted(pairs, reverse=True)
    assert all(sigma > sigma_next > 0 for sigma, sigma_next in pairs)
    assert pairs[0][0] == 10.0 and pairs[-1][0] == pytest.approx(LEAST_LEVEL, rel=0.8)
