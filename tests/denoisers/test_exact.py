import math

import pytest
import torch

from inverse.denoisers.exact import GaussianField, GaussianMixture
from inverse.denoisers.posterior import GaussianPosterior
from inverse.errors import ProblemError
from inverse.operators import TASKS
from inverse.operators.inpainting import Mask
from inverse.randomness import generator

SIGMA_Y = 0.1


def dense(function, shape):
    """The matrix of a linear function of images."""
    size = math.prod(shape)
    return function(torch.eye(size, dtype=torch.float64).reshape(size, *shape)).flatten(1).T


def make(task, shape, **parameters):
    operator = TASKS[task].create(parameters).operator(shape, generator(3), None)
    return operator.to("cpu", torch.float64)


# --- the Gaussian field


COLOURS = torch.tensor([[1.0, 0.8, 0.3], [0.8, 1.0, 0.6], [0.3, 0.6, 1.0]])


@pytest.fixture(params=[(1, 6, 8), (2, 4, 6), (1, 5, 7), (3, 4, 5)], ids=str)
def field(request):
    return GaussianField(request.param, corner=0.1, colours=COLOURS if request.param[0] == 3 else None)


def filter_of(field, spectrum):
    """The matrix that multiplies every frequency, along the principal axes of the colours: by its definition."""
    channels, height, width = field.image_shape
    lags = torch.fft.irfft2(spectrum, s=(height, width)).expand(channels, height, width)
    places = [divmod(place, width) for place in range(height * width)]
    each = torch.stack([lags.roll(place, (-2, -1)).flatten(1) for place in places], 2)  # a matrix for each axis
    axes = torch.eye(channels, dtype=torch.float64) if field.axes is None else field.axes
    return sum(
        torch.kron(torch.outer(axis, axis), matrix.contiguous()) for axis, matrix in zip(axes.T, each, strict=True)
    )


def covariance_of(field):
    return filter_of(field, field.spectrum)


def test_field_tells_its_covariance(field):
    torch.testing.assert_close(field.covariance(), covariance_of(field))


def test_field_of_correlated_colours_is_every_colour_alone_and_their_correlation():
    field, grey = GaussianField((3, 4, 5), corner=0.1, colours=COLOURS), GaussianField((1, 4, 5), corner=0.1)
    torch.testing.assert_close(covariance_of(field), torch.kron(COLOURS.double(), covariance_of(grey).contiguous()))


def test_field_has_the_variance_that_it_says(field):
    covariance = covariance_of(field)
    torch.testing.assert_close(covariance, covariance.T)
    torch.testing.assert_close(covariance.diag(), torch.full_like(covariance.diag(), field.data_std**2))


def test_field_samples_have_its_covariance(field):
    root = filter_of(field, field.spectrum.sqrt())
    torch.testing.assert_close(root @ root.T, covariance_of(field))
    white = torch.randn(3, *field.image_shape, generator=generator(0), dtype=torch.float64)
    torch.testing.assert_close(field.sample(generator(0), 3).flatten(1), white.flatten(1) @ root.T)


@pytest.mark.parametrize("sigma", [0.01, 1.0, 80.0])
def test_field_denoiser_is_the_conditional_mean(field, sigma):
    covariance = covariance_of(field)
    x = torch.randn(2, *field.image_shape, generator=generator(0), dtype=torch.float64)
    noisy = covariance + sigma**2 * torch.eye(len(covariance), dtype=torch.float64)
    expected = x.flatten(1) @ torch.linalg.solve(noisy, covariance)
    torch.testing.assert_close(field(x, sigma).flatten(1), expected)


def test_field_denoiser_takes_one_noise_level_a_sample(field):
    x = field.sample(generator(0), 2)
    both = field(x, torch.tensor([0.1, 2.0], dtype=torch.float64))
    torch.testing.assert_close(both, torch.cat([field(x[:1], 0.1), field(x[1:], 2.0)]))


def test_field_refuses_another_size(field):
    with pytest.raises(ProblemError, match="shape"):
        field(torch.zeros(1, field.channels, 9, 9, dtype=torch.float64), 1.0)


OPERATORS = {
    "inpaint-box": {},
    "inpaint-random": {},
    "deblur-gaussian": {"std": 0.7, "edges": "circular"},
    "deblur-motion": {"length": 2.0},
    "super-resolution": {"factor": 2},
    "compressed-sensing": {},
    "colorize": {"weights": "luma"},
}


def dense_posterior(field, operator, y, sigma_y=SIGMA_Y):
    covariance = covariance_of(field)
    h = dense(operator, field.image_shape)
    innovation = h @ covariance @ h.T + sigma_y**2 * torch.eye(len(h), dtype=torch.float64)
    gain = torch.linalg.lstsq(innovation, h @ covariance, driver="gelsd").solution.T
    return gain @ y.flatten(), covariance - gain @ h @ covariance


@pytest.mark.parametrize("sigma_y", [0.0, 0.01, 0.5])
@pytest.mark.parametrize("task", OPERATORS)
def test_field_posterior_agrees_with_a_solve_by_singular_values(task, sigma_y):
    field = GaussianField((3, 6, 8), corner=0.1, colours=COLOURS)
    operator = make(task, field.image_shape, **OPERATORS[task])
    y = operator(field.sample(generator(0)))
    mean, covariance = dense_posterior(field, operator, y, sigma_y)
    posterior = GaussianPosterior(field, operator, sigma_y)
    torch.testing.assert_close(posterior.mean(y).flatten(), mean, rtol=1e-7, atol=1e-8)
    torch.testing.assert_close(posterior.covariance, covariance, rtol=1e-7, atol=1e-8)
    torch.testing.assert_close(posterior.std.square().flatten(), covariance.diag(), rtol=1e-7, atol=1e-8)


def test_field_posterior_of_several_measurements_is_that_of_each():
    field = GaussianField((1, 6, 8), corner=0.1)
    operator = make("inpaint-random", field.image_shape)
    y = operator(field.sample(generator(0), 3))
    posterior = GaussianPosterior(field, operator, SIGMA_Y)
    torch.testing.assert_close(posterior.mean(y), torch.cat([posterior.mean(each[None]) for each in y]))


def test_field_posterior_ignores_entries_that_are_not_measured():
    field = GaussianField((1, 6, 8), corner=0.1)
    operator = make("inpaint-box", field.image_shape)
    posterior = GaussianPosterior(field, operator, SIGMA_Y)
    y = operator(field.sample(generator(0)))
    torch.testing.assert_close(posterior.mean(y + 7 * (1 - operator.mask)), posterior.mean(y))


def test_field_posterior_without_noise_keeps_what_is_known():
    field = GaussianField((1, 6, 8), corner=0.1)
    operator = make("inpaint-box", field.image_shape)
    truth = field.sample(generator(0))
    posterior = GaussianPosterior(field, operator, 0.0)
    known = operator.mask[0].bool()
    torch.testing.assert_close(posterior.mean(operator(truth))[0][known], truth[0][known])
    assert posterior.std[known].max() < 1e-7
    assert posterior.std[~known].min() > 0.01


def test_field_posterior_that_float64_cannot_tell_is_refused():
    field = GaussianField((1, 16, 16))
    operator = make("deblur-gaussian", field.image_shape, std=3.0)
    with pytest.raises(ProblemError, match="larger sigma_y"):
        GaussianPosterior(field, operator, 0.0)


@pytest.mark.parametrize("task", ["inpaint-random", "deblur-gaussian", "colorize"])
def test_field_posterior_samples_have_the_posterior_mean_and_covariance(task):
    field = GaussianField((3, 2, 3), corner=0.1, colours=COLOURS)
    operator = make(task, field.image_shape, **OPERATORS[task])
    y = operator(field.sample(generator(0)))
    posterior = GaussianPosterior(field, operator, SIGMA_Y)
    samples = posterior.sample(y, generator(1), 4000).flatten(1)
    variances = posterior.covariance.diag()
    # Six standard errors of a mean and of a covariance from 4000 samples.
    assert ((samples.mean(0) - posterior.mean(y).flatten()).abs() <= 6 * (variances / 4000).sqrt()).all()
    assert ((samples.T.cov() - posterior.covariance).abs() <= 6 * variances.max() * (2 / 4000) ** 0.5).all()


# --- the mixture


def plane(points):
    return torch.tensor(points, dtype=torch.float64).reshape(-1, 1, 1, 2)


@pytest.fixture
def mixture():
    covariances = torch.tensor([[[0.2, 0.1], [0.1, 0.3]], [[0.1, 0.0], [0.0, 0.05]], [[0.3, -0.2], [-0.2, 0.2]]])
    return GaussianMixture(plane([[0.0, 1.0], [-1.0, -0.5], [1.5, 0.0]]), covariances, torch.tensor([0.5, 0.2, 0.3]))


@pytest.mark.parametrize("sigma", [0.0, 0.3, 10.0])
def test_mixture_score_is_the_gradient_of_its_log_density(mixture, sigma):
    x = (2 * torch.randn(50, 1, 1, 2, generator=generator(0), dtype=torch.float64)).requires_grad_()
    (gradient,) = torch.autograd.grad(mixture.log_density(x, sigma).sum(), x)
    torch.testing.assert_close(mixture.score(x.detach(), sigma), gradient)


@pytest.mark.parametrize("sigma", [0.01, 0.3, 80.0])
def test_mixture_denoiser_obeys_tweedie(mixture, sigma):
    x = 2 * torch.randn(50, 1, 1, 2, generator=generator(0), dtype=torch.float64)
    torch.testing.assert_close(mixture(x, sigma), x + sigma**2 * mixture.score(x, sigma))


def test_mixture_density_integrates_to_one(mixture):
    axis = torch.linspace(-6, 6, 401, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis).reshape(-1, 1, 1, 2)
    cell = (axis[1] - axis[0]) ** 2
    for sigma in (0.0, 0.5):
        assert mixture.log_density(grid, sigma).exp().sum() * cell == pytest.approx(1, abs=1e-6)


def test_mixture_samples_have_its_moments(mixture):
    axis = torch.linspace(-6, 6, 401, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    weight = mixture.log_density(grid.reshape(-1, 1, 1, 2)).softmax(0)
    mean = weight @ grid
    covariance = (weight[:, None] * (grid - mean)).T @ (grid - mean)
    samples = mixture.sample(generator(0), 100_000).flatten(1)
    torch.testing.assert_close(samples.mean(0), mean, rtol=0, atol=0.02)
    torch.testing.assert_close(samples.T.cov(), covariance, rtol=0, atol=0.02)
    assert mixture.data_std == pytest.approx((covariance.trace() / 2).sqrt().item(), rel=1e-6)


def test_mixture_of_one_component_is_a_gaussian_field():
    field = GaussianField((1, 3, 4), corner=0.1)
    one = GaussianMixture(torch.zeros(1, 1, 3, 4), covariance_of(field)[None])
    x = field.sample(generator(0), 3)
    torch.testing.assert_close(one(x, 0.5), field(x, 0.5))
    operator = make("inpaint-box", field.image_shape)
    y = operator(x[:1])
    posterior = one.posterior(operator, y, SIGMA_Y)
    mean, covariance = dense_posterior(field, operator, y)
    torch.testing.assert_close(posterior.means[0], mean)
    torch.testing.assert_close(posterior.covariances[0], covariance)


def first_coordinate():
    return Mask(torch.tensor([[1.0, 0.0]]), (1, 1, 2)).to("cpu", torch.float64)


def test_mixture_posterior_agrees_with_importance_sampling(mixture):
    operator, y = first_coordinate(), plane([[0.4, 0.0]])
    posterior = mixture.posterior(operator, y, SIGMA_Y)
    prior = mixture.sample(generator(0), 400_000)
    weight = (-(operator(prior) - y).square().sum((1, 2, 3)) / (2 * SIGMA_Y**2)).softmax(0)
    prior = prior.flatten(1)
    exact = posterior.sample(generator(1), 400_000).flatten(1)
    torch.testing.assert_close(exact.mean(0), weight @ prior, rtol=0, atol=0.02)
    weighted = (weight[:, None] * (prior - weight @ prior)).T @ (prior - weight @ prior)
    torch.testing.assert_close(exact.T.cov(), weighted, rtol=0, atol=0.02)
    upper = (exact[:, 1] > 0.5).double().mean().item()
    assert upper == pytest.approx((weight * (prior[:, 1] > 0.5)).sum().item(), abs=0.02)


def test_mixture_posterior_is_the_prior_times_the_likelihood(mixture):
    operator, y = first_coordinate(), plane([[0.4, 0.0]])
    x = mixture.sample(generator(0), 20)
    likelihood = -(operator(x) - y).square().sum((1, 2, 3)) / (2 * SIGMA_Y**2)
    evidence = mixture.log_density(x) + likelihood - mixture.posterior(operator, y, SIGMA_Y).log_density(x)
    torch.testing.assert_close(evidence, evidence[:1].expand(20))


def test_mixture_posterior_survives_a_measurement_that_no_component_explains(mixture):
    posterior = mixture.posterior(first_coordinate(), plane([[1e3, 0.0]]), 1e-3)
    assert torch.isfinite(posterior.sample(generator(0), 5)).all()


def test_mixture_modes_are_maxima_and_the_highest_comes_first(mixture):
    modes = mixture.modes()
    assert len(modes) == 3
    density = mixture.log_density(modes)
    assert (density.diff() <= 0).all()
    torch.testing.assert_close(mixture.score(modes), torch.zeros_like(modes), rtol=0, atol=1e-7)
    around = modes + 0.01 * torch.randn(200, *modes.shape, generator=generator(0), dtype=torch.float64)
    assert (mixture.log_density(around.flatten(0, 1)).reshape(200, -1) < density).all()


def test_mixture_modes_that_merge_are_found_once():
    near = GaussianMixture(plane([[-0.1, 0.0], [0.1, 0.0]]), torch.tensor([1.0, 1.0]))
    torch.testing.assert_close(near.modes(1e-12), plane([[0.0, 0.0]]), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("covariances", "weights"),
    [
        (torch.tensor([0.1, -0.1]), None),
        (torch.tensor([0.1]), None),
        (torch.tensor([0.1, 0.1]), torch.tensor([1.0, 0.0])),
    ],
)
def test_mixture_refuses_what_is_no_density(covariances, weights):
    with pytest.raises(ValueError, match="covariance"):
        GaussianMixture(plane([[0.0, 0.0], [1.0, 1.0]]), covariances, weights)


def test_mixture_answers_in_the_precision_that_is_asked(mixture):
    x = torch.zeros(2, 1, 1, 2)
    assert mixture.to(torch.float32).dtype == mixture(x, 1.0).dtype == torch.float32
    with pytest.raises(ProblemError, match="shape"):
        mixture(torch.zeros(1, 1, 2, 2), 1.0)
