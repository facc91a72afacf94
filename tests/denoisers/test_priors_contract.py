"""The four hooks of a prior, through every solver: toys whose answers are known by other means."""

import copy
import pickle

import pytest
import torch
from toys import SIGMA_Y, Certain, Saturation, quick

from inverse.batch.lockstep import Runner, lockstep
from inverse.denoisers.base import Denoiser
from inverse.denoisers.exact import GaussianField, GaussianMixture
from inverse.denoisers.posterior import GaussianPosterior
from inverse.errors import ProblemError
from inverse.operators import TASKS
from inverse.operators.base import LinearOperator, Operator
from inverse.operators.composition import composed
from inverse.randomness import generator
from inverse.restoration import stream
from inverse.results.problem import Problem
from inverse.solvers import SOLVERS

LATENT, PICTURE = (1, 8, 8), (1, 16, 16)
NEED_SVD = {"ddrm", "ddnm", "vml-map-preconditioned"}
WITHOUT_SVD = [name for name in SOLVERS if name not in NEED_SVD]
NONLINEAR = [name for name, solver in SOLVERS.items() if not solver.linear_only]
DIFFERENTIATED = [name for name, solver in SOLVERS.items() if "jacobian" in solver.specs()]


def doubled(z):
    """Every entry as 2x2 pixels of half its size: an orthonormal map to twice the resolution."""
    return z.repeat_interleave(2, -2).repeat_interleave(2, -1) / 2


def bent(z):
    return doubled(z).tanh()


class Halved(Denoiser):
    """A Gaussian field on half the resolution behind a decoder, which counts how often it is used."""

    dtype, batches = torch.float64, True
    sigma_min, sigma_max = GaussianField.sigma_min, GaussianField.sigma_max

    def __init__(self, decode=doubled, linear=True):
        self.field, self.decode, self.linear = GaussianField(LATENT), decode, linear
        self.channels, self.data_std = LATENT[0], self.field.data_std
        self.lowered = self.previewed = 0

    def denoise(self, x, sigma):
        return self.field(x, sigma)

    def lift(self, operator):
        return composed(operator, self.decode, LATENT, linear=self.linear)

    def lower(self, z):
        self.lowered += 1
        return self.decode(z)

    def preview(self, z):
        self.previewed += 1
        return self.decode(z) + 0.01


def columns(operator):
    """The matrix of a linear operator."""
    size = operator.image_shape[0] * operator.image_shape[1] * operator.image_shape[2]
    return operator(torch.eye(size, dtype=torch.float64).reshape(size, *operator.image_shape)).flatten(1).T


class Dense(LinearOperator):
    """A matrix on flattened latents, with everything that solvers need written out by dense algebra."""

    entries = 0

    def __init__(self, matrix, like):
        self.matrix, self.image_shape = matrix, LATENT
        self.measurement_shape, self.norm, self.entries = like.measurement_shape, like.norm, like.entries

    def __call__(self, x):
        return (x.flatten(1) @ self.matrix.T).reshape(-1, *self.measurement_shape)

    def adjoint(self, y):
        return (y.flatten(1) @ self.matrix).reshape(-1, *LATENT)

    def regularized_pinv(self, r, c):
        inner = self.matrix @ self.matrix.T + c * torch.eye(len(self.matrix), dtype=torch.float64)
        return self.adjoint(torch.linalg.solve(inner, r.flatten(1).T).T)


class Decomposed(Dense):
    """The same with its singular value decomposition."""

    def __init__(self, matrix, like):
        super().__init__(matrix, like)
        u, s, vh = torch.linalg.svd(self.matrix, full_matrices=True)
        self.u, self.vh, size = u, vh, self.matrix.shape[1]
        s = torch.where(s > 1e-10, s, 0)
        self.s = torch.nn.functional.pad(s, (0, size - len(s)))
        self.regularized_pinv = lambda r, c: LinearOperator.regularized_pinv(self, r, c)

    @property
    def singular_values(self):
        return self.s.reshape(LATENT)

    def to_spectral(self, x):
        return (x.flatten(1) @ self.vh.T).reshape(-1, *LATENT)

    def from_spectral(self, coefficients):
        return (coefficients.flatten(1) @ self.vh).reshape(-1, *LATENT)

    def measurement_to_spectral(self, y):
        found = y.flatten(1) @ self.u
        size = self.s.numel()
        found = torch.nn.functional.pad(found, (0, max(0, size - found.shape[1])))[:, :size]
        return (torch.where(self.s > 0, found, 0)).reshape(-1, *LATENT)


class Bent(Operator):
    """H bent(z), written as one non-linear map of latents."""

    def __init__(self, matrix, like):
        self.matrix, self.image_shape = matrix, LATENT
        self.measurement_shape, self.norm = like.measurement_shape, like.norm

    def __call__(self, x):
        return (bent(x).flatten(1) @ self.matrix.T).reshape(-1, *self.measurement_shape)


def pictures(task="deblur-gaussian", shape=PICTURE):
    """An operator on pictures, and a measurement of one from the prior."""
    settings = {"std": 1.0, "edges": "circular"} if task == "deblur-gaussian" else {}
    operator = TASKS[task].create(settings).operator(shape, generator(3), None).to("cpu", torch.float64)
    clean = operator(doubled(GaussianField(LATENT).sample(generator(1))) if shape == PICTURE else sample(shape))
    noise = torch.randn(clean.shape, generator=generator(2), dtype=torch.float64)
    return operator, operator.project(clean + SIGMA_Y * noise)


def sample(shape, seed=1):
    return GaussianField(shape).sample(generator(seed))


def last(solver, prior, operator, y, samples=2):
    *_, step = solver.solve(prior, operator, y, SIGMA_Y, [generator(7, index) for index in range(samples)])
    return step


def in_latents(operator, kind=Dense):
    """The same problem written directly for latents."""
    on_latents = columns(operator) @ columns(composed(Identity(), doubled, LATENT, linear=True))
    return kind(on_latents, operator)


class Identity(LinearOperator):
    image_shape = measurement_shape = PICTURE
    norm = 1.0

    def __call__(self, x):
        return x


# lift and lower


@pytest.mark.parametrize("batches", [True, False])
@pytest.mark.parametrize("task", ["deblur-gaussian", "inpaint-random"])
@pytest.mark.parametrize("name", WITHOUT_SVD)
def test_a_prior_of_latents_does_what_the_problem_in_latents_does(name, task, batches):
    operator, y = pictures(task)
    prior = Halved()
    prior.batches = batches
    step = last(quick(name), prior, operator, y)
    direct = last(quick(name), prior.field, in_latents(operator), y)
    assert step.x0_hat.shape == step.x.shape == (2, *PICTURE)
    torch.testing.assert_close(step.x0_hat, doubled(direct.x0_hat), rtol=0, atol=1e-6)
    torch.testing.assert_close(step.x, doubled(direct.x), rtol=0, atol=1e-6)
    square = (y - operator(step.x0_hat)).flatten(1).square().sum(1) / operator.entries
    torch.testing.assert_close(step.residual, square.sqrt())


@pytest.mark.parametrize("name", SOLVERS)
def test_a_lifted_operator_with_a_decomposition_is_for_every_solver(name):
    operator, y = pictures()
    prior = Halved()
    prior.lift = lambda operator: in_latents(operator, Decomposed)
    step = last(quick(name), prior, operator, y)
    direct = last(quick(name), prior.field, in_latents(operator, Decomposed), y)
    torch.testing.assert_close(step.x0_hat, doubled(direct.x0_hat), rtol=0, atol=1e-9)


def test_the_mode_in_latents_is_the_exact_one():
    operator, y = pictures()
    step = last(SOLVERS["vml-map"](steps=40, gradient_steps=5, sigma_min=0.001), Halved(), operator, y)
    expected = GaussianPosterior(GaussianField(LATENT), in_latents(operator), SIGMA_Y).mean(y)
    torch.testing.assert_close(step.x0_hat, doubled(expected).expand(2, -1, -1, -1), rtol=0, atol=2e-3)


@pytest.mark.parametrize("name", NONLINEAR)
@pytest.mark.parametrize("nonlinear_task", [False, True])
def test_a_decoder_that_is_not_linear_makes_a_task_that_is_not(name, nonlinear_task):
    operator, y = pictures()
    prior, in_one = Halved(bent, linear=False), Bent(columns(operator), operator)
    if nonlinear_task:
        operator, prior, in_one = Saturation(PICTURE), Halved(), Bent(torch.eye(256, dtype=torch.float64), operator)
    assert not prior.lift(operator).linear
    step, direct = last(quick(name), prior, operator, y), last(quick(name), prior.field, in_one, y)
    torch.testing.assert_close(step.x0_hat, prior.decode(direct.x0_hat), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", SOLVERS)
def test_what_a_solver_lacks_it_says_with_the_solvers_that_do_not(name):
    operator, y = pictures()
    solver = SOLVERS[name]
    for prior, able in ((Halved(), WITHOUT_SVD), (Halved(bent, linear=False), NONLINEAR)):
        assert solver.able(prior.lift(operator)) == (name in able)
        if name not in able:
            need = "needs the singular value decomposition" if prior.linear else "needs a linear task"
            with pytest.raises(ProblemError, match=rf"{need}.* on this prior's own space\. Choose .*vml-map, .*\.$"):
                last(quick(name), prior, operator, y)


def test_without_a_decomposition_the_task_itself_is_refused_in_other_words():
    _, y = pictures()
    with pytest.raises(ProblemError, match=r"and none is known\. Choose one of these solvers"):
        last(quick("ddrm"), GaussianField(LATENT), in_latents(pictures()[0]), y)


def test_the_draw_of_daps_is_the_same_with_and_without_a_decomposition():
    operator, y = pictures()
    found = []
    for kind in (Decomposed, Dense):
        solver = SOLVERS["daps"](steps=2, sigma_max=0.5, sigma_min=0.4, spread="official", stochasticity=0.7)
        prior, seeds = Certain(sample(LATENT)), [generator(0, index) for index in range(2000)]
        found.append(next(solver.solve(prior, in_latents(operator, kind), y, 0.3, seeds)).x)
    one, other = found
    assert ((one.mean(0) - other.mean(0)).abs() <= 6 * (2 / 2000) ** 0.5 * one.std(0)).all()
    torch.testing.assert_close(one.std(0), other.std(0), rtol=0.12, atol=0)


# Pictures when somebody looks


@pytest.mark.parametrize("batches", [True, False])
@pytest.mark.parametrize("kept", [True, False])
def test_pictures_are_made_once_and_only_for_whoever_looks(batches, kept):
    operator, y = pictures("inpaint-random")
    task = TASKS["inpaint-random"]()
    prior = Halved()
    prior.batches = batches
    problem = Problem(task, operator, y, 0.0 if kept else SIGMA_Y, None)
    assert problem.keeps_known == kept
    steps = list(stream(problem, quick("vml-map"), prior, samples=2))
    assert prior.lowered == prior.previewed == 0
    once = 1 if batches else 2
    for _ in range(2):
        assert steps[-1].x0_hat.shape == (2, *PICTURE)
        assert (steps[-1].residual > 0).all() and prior.lowered == once
    known = operator.project(torch.ones(2, *PICTURE, dtype=torch.float64)) > 0
    assert torch.equal(steps[-1].x0_hat[known], y.expand(2, *PICTURE)[known]) == kept
    draft = steps[-1].draft
    assert draft.x0_hat.shape == draft.x.shape == (2, *PICTURE)
    assert prior.lowered == once and prior.previewed == 2 * once
    assert (draft.x0_hat - steps[-1].x0_hat)[~known].min() > 0.005


def test_a_copied_step_takes_its_pictures_with_it_and_not_the_prior():
    step = last(quick("dps"), Halved(), *pictures())
    copied = pickle.loads(pickle.dumps(step))
    for name in ("x", "x0_hat", "residual"):
        torch.testing.assert_close(getattr(copied, name), getattr(step, name))
    assert torch.equal(copied.draft.x0_hat, copied.x0_hat)


def test_the_steps_of_a_prior_of_pictures_are_its_pictures():
    prior = GaussianField(PICTURE)
    step = last(quick("dps"), prior, *pictures())
    assert step.x0_hat is step.z0_hat and step.x is step.z and step.draft.x0_hat is step.z0_hat


# A prior that looks at y


class Knowing(Denoiser):
    """E[x0 | x, y] of a Gaussian field, exactly; it does not look at measurements of everything, and counts."""

    dtype, batches = torch.float64, True
    sigma_min, sigma_max = GaussianMixture.sigma_min, GaussianMixture.sigma_max

    def __init__(self, batches=True):
        self.field, self.batches = GaussianField(LATENT), batches
        self.channels, self.data_std = LATENT[0], self.field.data_std
        self.asked, self.told, self.untold, self.widest = [], 0, 0, 0

    def condition(self, operator, y, sigma_y):
        assert y.shape == (1, *operator.measurement_shape)
        self.asked.append(y)
        return None if operator.norm == 2.0 else posterior(operator, y, sigma_y)

    def denoise(self, x, sigma):
        self.untold += len(x)
        return self.field(x, sigma)

    def denoise_given(self, x, sigma, conditions):
        assert len(conditions) == len(x) == len(sigma)
        self.told, self.widest = self.told + len(x), max(self.widest, len(x))
        each = zip(x.split(1), sigma.split(1), conditions, strict=True)
        return torch.cat([condition.denoise(image, level) for image, level, condition in each])


def posterior(operator, y, sigma_y=SIGMA_Y):
    """p(x0 | y) as a prior."""
    exact = GaussianPosterior(GaussianField(LATENT), operator, sigma_y)
    found = GaussianMixture(exact.mean(y), exact.covariance[None] + 1e-12 * torch.eye(64))
    found.data_std = GaussianField(LATENT).data_std
    return found


def variations():
    yield from ((name, {}) for name, solver in SOLVERS.items() if solver().told == 1)
    yield from ((name, {"jacobian": "finite-difference"}) for name in DIFFERENTIATED)


@pytest.mark.parametrize("batches", [True, False])
@pytest.mark.parametrize(("name", "settings"), list(variations()))
def test_every_call_knows_the_measurement(name, settings, batches):
    """What comes out is what the posterior, taken as a prior that knows nothing, gives."""
    operator, y = pictures(shape=LATENT)
    prior, solver = Knowing(batches), quick(name, **settings)
    step = last(solver, prior, operator, y, samples=3)
    assert len(prior.asked) == 1 and prior.untold == 0 and prior.told == 3 * step.nfe
    expected = last(solver, posterior(operator, y), operator, y, samples=3)
    torch.testing.assert_close(step.x0_hat, expected.x0_hat, rtol=0, atol=1e-7)
    without = last(solver, GaussianField(LATENT), operator, y, samples=3)
    assert (step.x0_hat - without.x0_hat).abs().max() > 1e-3


@pytest.mark.parametrize("batches", [True, False])
def test_each_sample_knows_its_own_measurement(batches):
    operator, y = pictures(shape=LATENT)
    ys = torch.cat([y, y + 0.3, y - 0.2])
    prior = Knowing(batches)
    steps = last(quick("dps"), prior, operator, ys, samples=3)
    assert len(prior.asked) == 3 and all(
        torch.equal(asked, one) for asked, one in zip(prior.asked, ys.split(1), strict=True)
    )
    for index, one in enumerate(ys.split(1)):
        *_, alone = quick("dps").solve(prior, operator, one, SIGMA_Y, [generator(7, index)])
        torch.testing.assert_close(steps.x0_hat[index], alone.x0_hat[0], rtol=0, atol=0 if not batches else 1e-9)


def test_runs_that_know_different_things_share_passes_and_those_that_know_nothing_do_not_join_them():
    prior = Knowing()
    unseen, y = pictures("denoise", LATENT)
    unseen.norm = 2.0
    problems = [pictures(shape=LATENT), pictures("inpaint-random", LATENT), (unseen, y)]
    runs = [(quick(name), *problem) for name in SOLVERS for problem in map(copy.copy, problems)]
    runners = [
        Runner(index, solver.process(prior, operator, y, SIGMA_Y, [generator(7, 0)]), prior, 64)
        for index, (solver, operator, y) in enumerate(runs)
    ]
    reached = {}
    for runner, event in lockstep(runners, 64 * 100):
        assert event is None or hasattr(event, "x0_hat")
        reached[runner.index] = event or reached[runner.index]
    assert len(prior.asked) == len(runs) and prior.untold and prior.widest > len(SOLVERS)
    for index, (solver, operator, y) in enumerate(runs):
        alone = last(solver, Knowing(), operator, y, samples=1)
        torch.testing.assert_close(reached[index].x0_hat, alone.x0_hat, rtol=0, atol=1e-6)


def test_a_prior_that_asks_and_does_not_listen_is_told_so():
    prior = GaussianField(LATENT)
    prior.condition = lambda *_: torch.zeros(1)
    with pytest.raises(NotImplementedError, match="GaussianField has a condition"):
        last(quick("dps"), prior, *pictures(shape=LATENT))
