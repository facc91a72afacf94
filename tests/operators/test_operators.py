"""The contract of every registered operator, at several settings each."""

from __future__ import annotations

import dataclasses
import functools
import math

import pytest
import torch
from operations import CASES, SETTINGS, columns, generator, images, label, measurements, operator_of

from inverse.errors import ProblemError
from inverse.operators import TASKS, Operator, StraightThrough
from inverse.operators.base import LinearOperator

MIXES_CHANNELS = {"colorize", "colorize-strokes", "demosaic", "jpeg"}


@functools.cache
def dense(index):
    """H as a matrix, row by row of its transpose."""
    operator = operator_of(index)
    pixels = math.prod(operator.image_shape)
    return (
        operator(torch.eye(pixels, dtype=torch.float64).view(pixels, *operator.image_shape)).flatten(1).mT.contiguous()
    )


def chosen(condition):
    return pytest.mark.parametrize("index", [i for i in range(len(CASES)) if condition(i)], ids=label)


every = chosen(lambda index: True)
linear = chosen(lambda index: operator_of(index).linear)
nonlinear = chosen(lambda index: not operator_of(index).linear)
separate_channels = chosen(lambda index: CASES[index][0] not in MIXES_CHANNELS)


def test_every_task_has_settings():
    assert set(SETTINGS) == set(TASKS)


def test_a_parameter_of_one_name_has_one_meaning():
    """The command line makes one flag a name, so that range, unit and kind must agree among tasks."""
    ranges = {}
    for task in TASKS.values():
        assert task.title and task.summary.endswith(".")
        for name, spec in task.specs().items():
            known = dataclasses.replace(spec, help="", effect="", advanced=False)
            assert ranges.setdefault(name, known) == known, name
            assert spec.help.endswith(".")


# Every operator


@every
def test_shapes_types_and_batches(index):
    operator = operator_of(index)
    x = images(operator, batch=3)
    y = operator(x)
    assert y.shape == (3, *operator.measurement_shape)
    assert y.dtype == x.dtype
    assert operator.norm > 0
    assert 1 <= operator.entries <= math.prod(operator.measurement_shape)
    for i in range(3):
        torch.testing.assert_close(operator(x[i : i + 1]), y[i : i + 1], rtol=0, atol=1e-12)
    torch.testing.assert_close(operator.project(y), y, rtol=0, atol=0)


@separate_channels
def test_channels_are_independent(index):
    operator = operator_of(index)
    x = images(operator)
    changed = x.clone()
    changed[:, 0] *= -0.5
    difference = (operator(changed) - operator(x)).abs().flatten(2).amax(2)
    assert (difference[:, 0] > 0).all()
    assert difference[:, 1:].max() < 1e-12


def tensors(operator):
    return {key: value for key, value in vars(operator).items() if torch.is_tensor(value)}


@every
def test_to_keeps_everything(index):
    """A copy in float32 does the same, and the original is left as it was."""
    name, parameters, shape = CASES[index]
    operator = operator_of(index)
    before = {key: value.dtype for key, value in tensors(operator).items()}
    single = operator.to("cpu")
    assert before == {key: value.dtype for key, value in tensors(operator).items()}
    y = single(images(operator, dtype=torch.float32))
    assert y.dtype == torch.float32
    for part in (single, *(value for value in vars(single).values() if isinstance(value, Operator))):
        assert not any(value.dtype in (torch.float64, torch.complex128) for value in tensors(part).values())
    assert (single.linear, single.norm, single.entries) == (operator.linear, operator.norm, operator.entries)
    if name not in ("jpeg", "bit-depth"):  # a rounding error may flip a rounding
        torch.testing.assert_close(y.double(), operator(images(operator)), rtol=0, atol=2e-5)
    if operator.linear:
        for result in (
            single.adjoint(y),
            single.pinv(y),
            single.regularized_pinv(y, 0.1),
            single.measurement_to_spectral(y),
        ):
            assert result.dtype == torch.float32
    # As the task makes it, too: a solver may ask before it moves anything.
    fresh = TASKS[name].create(parameters)
    if not fresh.auxiliary:
        assert fresh.operator(shape, generator(), None)(images(operator, dtype=torch.float32)).dtype == torch.float32


@every
def test_preview_is_a_picture(index):
    operator = operator_of(index)
    y = operator(images(operator))
    picture = operator.preview(y)
    assert picture.ndim == 4 and picture.shape[:2] == (2, 3)
    assert torch.isfinite(picture).all()
    if CASES[index][0] != "compressed-sensing":  # whose adjoint has no bounds
        assert picture.min() >= -1.5 and picture.max() <= 1.5
    # One photo's preview does not depend on another's.
    torch.testing.assert_close(operator.preview(y[:1]), picture[:1], rtol=0, atol=1e-12)


@every
def test_norm_bounds_every_change(index):
    operator = operator_of(index)
    a, b = images(operator, seed=3), images(operator, seed=4)
    flat = torch.zeros_like(a)
    for x, near in ((a, b), (a, (a + 1e-3 * b).clamp(-1, 1)), (flat, flat + 1e-3)):
        function = operator.surrogate if isinstance(operator, StraightThrough) else operator
        change = (function(x) - function(near)).flatten(1).norm(dim=1)
        assert (change <= operator.norm * (x - near).flatten(1).norm(dim=1) * (1 + 1e-9)).all()


@every
def test_a_photo_becomes_its_measurement(index):
    """A picture of the size that the task expects is taken; another one, or none, ends in a sentence."""
    name, parameters, shape = CASES[index]
    operator = operator_of(index)
    size = operator.measurement_shape[-2:] if operator.measures_pictures else shape[-2:]
    photo = 2 * torch.rand(1, 3, *size, generator=generator(), dtype=torch.float64) - 1
    if not operator.measures_pictures:
        with pytest.raises(ProblemError, match="clean photo"):
            operator.measurement_of(photo)
        return
    assert TASKS[name].create(parameters).image_shape(tuple(size)) == tuple(shape[-2:])
    y = operator.measurement_of(photo)
    assert y.shape == (1, *operator.measurement_shape)
    torch.testing.assert_close(operator.project(y), y, rtol=0, atol=0)
    with pytest.raises(ProblemError, match="size"):
        operator.measurement_of(photo[..., 1:])


# Linear operators


@linear
def test_linear(index):
    operator = operator_of(index)
    a, b = images(operator, seed=5), images(operator, seed=6)
    torch.testing.assert_close(operator(2 * a - 3 * b), 2 * operator(a) - 3 * operator(b), rtol=0, atol=1e-10)


@linear
def test_adjoint(index):
    operator = operator_of(index)
    x, r = images(operator), measurements(operator)
    torch.testing.assert_close(
        (operator(x) * r).flatten(1).sum(1), (x * operator.adjoint(r)).flatten(1).sum(1), rtol=0, atol=1e-8
    )
    x = x.requires_grad_()
    (automatic,) = torch.autograd.grad(operator(x), x, r)
    torch.testing.assert_close(automatic, operator.adjoint(r), rtol=0, atol=1e-8)
    torch.testing.assert_close(columns(operator(x.detach())), dense(index) @ columns(x.detach()), rtol=0, atol=1e-8)


@linear
def test_norm_is_the_largest_singular_value(index):
    assert float(torch.linalg.eigvalsh(gram(index))[-1]) ** 0.5 == pytest.approx(operator_of(index).norm, abs=1e-8)


def gram(index):
    """H H^T or H^T H, the smaller one."""
    matrix = dense(index)
    return matrix @ matrix.mT if matrix.shape[0] <= matrix.shape[1] else matrix.mT @ matrix


@linear
def test_pseudo_inverse(index):
    """H^+ H projects orthogonally, on all that H sees but singular values below the cut: H H^+ H = H on that range."""
    operator = operator_of(index)
    x, other = images(operator), images(operator, seed=7)
    seen = operator.pinv(operator(x))
    torch.testing.assert_close(operator.pinv(operator(seen)), seen, rtol=0, atol=1e-8)
    torch.testing.assert_close((seen * other).sum(), (x * operator.pinv(operator(other))).sum(), rtol=0, atol=1e-8)
    left_out = (operator(x) - operator(seen)).flatten(1).norm(dim=1)
    assert (left_out <= operator.cut * (x - seen).flatten(1).norm(dim=1) + 1e-8).all()
    smallest_kept = operator.norm if operator.cut == 0 else operator.cut
    r = measurements(operator)
    assert (operator.pinv(r).flatten(1).norm(dim=1) <= r.flatten(1).norm(dim=1) / smallest_kept + 1e-8).all()


@linear
@pytest.mark.parametrize("c", [1e-6, 0.3, 1e4])
def test_gain(index, c):
    operator, matrix, r = operator_of(index), dense(index), measurements(operator_of(index))
    inverse = torch.linalg.solve(matrix @ matrix.mT + c * torch.eye(len(matrix), dtype=torch.float64), columns(r))
    expected = matrix.mT @ inverse
    torch.testing.assert_close(columns(operator.regularized_pinv(r, c)), expected, rtol=1e-8, atol=1e-8)


@linear
def test_gain_in_single_precision_at_the_largest_sigma(index):
    """sigma = 80 and sigma_y = 0.05: the step of a solver, to 1e-3 of a pixel's range at the worst frequency."""
    operator, c = operator_of(index), 0.05**2 / 80**2
    r = operator(images(operator))
    exact = operator.regularized_pinv(r, c)
    single = operator.to("cpu").regularized_pinv(r.float(), c)
    assert (single.double() - exact).abs().max() < 1e-3 * max(1.0, float(exact.abs().max()))


@linear
def test_solve_in_the_null_space_too(index):
    """(a H^T H + b I) solve(v, a, b) = v, for v that H does not see as for others."""
    operator = operator_of(index)
    v, a, b = images(operator), 30.0, 0.7
    for target in (v, v - operator.pinv(operator(v))):
        x = operator.solve(target, a, b)
        torch.testing.assert_close(a * operator.adjoint(operator(x)) + b * x, target, rtol=0, atol=1e-8)


class ForwardOnly(LinearOperator):
    """An operator of which nothing is known but its forward map."""

    def __init__(self, operator):
        self.forward, self.norm = operator, operator.norm
        self.image_shape, self.measurement_shape = operator.image_shape, operator.measurement_shape

    def __call__(self, x):
        return self.forward(x)


@linear
def test_a_forward_map_alone_makes_an_operator(index):
    """Adjoint by autograd, solve by conjugate gradients: the same as by the decomposition, a sample at a time."""
    operator, bare = operator_of(index), ForwardOnly(operator_of(index))
    assert operator.has_svd and not bare.has_svd
    y = measurements(operator)
    y[1] *= 1e-3
    torch.testing.assert_close(bare.adjoint(y), operator.adjoint(y), rtol=0, atol=1e-12)
    for c in (0.01, 1.0):
        gain = bare.regularized_pinv(y, c)
        torch.testing.assert_close(gain, operator.regularized_pinv(y, c), rtol=1e-9, atol=1e-11)
        torch.testing.assert_close(gain[1:], bare.regularized_pinv(y[1:], c), rtol=1e-9, atol=1e-14)
    if operator.singular_values.max() < 2 * operator.singular_values[operator.singular_values > 1e-9].min():
        torch.testing.assert_close(bare.pinv(y), operator.pinv(y), rtol=1e-9, atol=1e-11)


@linear
def test_singular_value_decomposition(index):
    """V is orthogonal, U^T U = I where s > 0, and U diag(s) V^T is H."""
    operator = operator_of(index)
    x, other, r = images(operator), images(operator, seed=8), measurements(operator)
    coefficients = operator.to_spectral(x)
    assert not coefficients.is_complex() and coefficients[0].numel() == x[0].numel()
    torch.testing.assert_close(operator.from_spectral(coefficients), x, rtol=0, atol=1e-8)
    torch.testing.assert_close((coefficients * operator.to_spectral(other)).sum(), (x * other).sum(), rtol=0, atol=1e-8)
    s = operator.singular_values
    assert (s >= 0).all() and float(s.max()) == pytest.approx(operator.norm, abs=1e-12)
    s = s.expand_as(coefficients)
    spectral = operator.measurement_to_spectral(r)
    assert spectral.shape == coefficients.shape and (spectral[s == 0] == 0).all()
    torch.testing.assert_close(operator.measurement_to_spectral(operator(x)), s * coefficients, rtol=0, atol=1e-8)
    # V s U^T = H^T, which with the line above leaves no freedom to U where s > 0.
    torch.testing.assert_close(operator.from_spectral(s * spectral), operator.adjoint(r), rtol=0, atol=1e-8)
    torch.testing.assert_close(
        operator.from_spectral(s / (s**2 + 0.1) * spectral), operator.regularized_pinv(r, 0.1), rtol=0, atol=1e-8
    )


# Non-linear operators


@every
def test_vector_jacobian_product(index):
    """A(x) as it is, and minus the gradient of half the squared misfit: that of the surrogate where A has one."""
    operator = operator_of(index)
    x, y = 0.9 * images(operator), measurements(operator)
    value, product = operator.vjp(x, lambda value: y - value)
    torch.testing.assert_close(value, operator(x), rtol=0, atol=1e-12)
    assert not value.requires_grad and not product.requires_grad
    x.requires_grad_()
    (gradient,) = torch.autograd.grad((y - operator(x)).square().sum() / 2, x)
    torch.testing.assert_close(product, -gradient, rtol=1e-9, atol=1e-11)


@nonlinear
def test_gradient(index):
    """Autograd agrees with finite differences, of A or of the surrogate that stands for its derivative."""
    operator = operator_of(index)
    x = 0.99 * images(operator, batch=1)
    function = operator.surrogate if isinstance(operator, StraightThrough) else operator
    cotangent, direction = measurements(operator, batch=1), images(operator, batch=1, seed=9)
    x = x.requires_grad_()
    y = operator(x)
    (gradient,) = torch.autograd.grad(y, x, cotangent)
    x, h = x.detach(), 1e-6
    torch.testing.assert_close(y, operator(x), rtol=0, atol=1e-12)
    difference = ((function(x + h * direction) - function(x - h * direction)) / (2 * h) * cotangent).sum()
    assert float((gradient * direction).sum()) == pytest.approx(float(difference), rel=1e-5, abs=1e-6)


@nonlinear
def test_gradients_are_finite_at_the_ends_of_the_range(index):
    operator = operator_of(index)
    for value in (-1.0, 0.0, 1.0, -3.0, 3.0):
        x = torch.full((1, *operator.image_shape), value, dtype=torch.float64, requires_grad=True)
        (gradient,) = torch.autograd.grad(operator(x).square().sum(), x)
        assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("index", range(len(CASES)), ids=label)
def test_a_task_says_whether_its_operators_are_linear(index):
    assert TASKS[CASES[index][0]].linear == operator_of(index).linear
