"""The contract of every registered operator, at several settings each; then what is particular to one family."""

from __future__ import annotations

import dataclasses
import functools
import io
import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils._python_dispatch import TorchDispatchMode

from inverse.errors import ProblemError
from inverse.operators import TASKS, Operator, StraightThrough
from inverse.operators.base import LinearOperator
from inverse.operators.bicubic import bicubic_matrix
from inverse.operators.convolution import CircularBlur, blur_operator
from inverse.operators.jpeg import CHROMA_TABLE, LUMA_TABLE, quantisation_table
from inverse.operators.kernels import disk_kernel, line_kernel, trajectory_kernel, uniform_kernel
from inverse.operators.transforms import block_dct, block_idct, dct, dct_matrix, hartley, idct

SQUARE, ODD, BLOCKS = (3, 16, 16), (3, 17, 13), (3, 12, 24)

# Every task needs at least one row here: parameters that differ from the defaults, and the shape of the images.
SETTINGS = {
    "inpaint-random": [({}, ODD), ({"missing": 0.0}, SQUARE)],
    "inpaint-box": [({}, SQUARE), ({"box_height": 0.9, "box_x": 0.0}, ODD)],
    "inpaint-half": [({"half": half}, ODD) for half in ("left", "right", "top", "bottom")],
    "inpaint-periodic": [({}, ODD), ({"period": 16}, SQUARE)],
    "inpaint-mask": [({}, ODD)],
    "deblur-gaussian": [({"edges": "circular"}, SQUARE), ({"std": 1.0}, ODD), ({"std": 20.0}, ODD)],
    "deblur-uniform": [({}, SQUARE), ({"kernel_size": 4, "edges": "circular"}, ODD), ({"kernel_size": 61}, ODD)],
    "deblur-motion": [({"length": 7.0}, ODD), ({"angle": 30.0}, SQUARE), ({"angle": 90.0, "length": 4.0}, ODD)],
    "deblur-shake": [({"kernel_size": 9}, ODD), ({"edges": "circular", "turning": 0.1}, SQUARE)],
    "deblur-disk": [({"edges": "circular"}, ODD), ({"radius": 1.7}, SQUARE), ({"radius": 30.0}, ODD)],
    "deblur-kernel": [({}, ODD), ({"edges": "circular"}, SQUARE)],
    "deblur-nonlinear": [({}, SQUARE), ({"radius": 1.5, "edges": "circular"}, ODD)],
    "super-resolution": [({"factor": 2}, SQUARE), ({}, BLOCKS), ({"factor": 3}, (3, 15, 9))],
    "super-resolution-bicubic": [
        ({"factor": 2}, SQUARE), ({"factor": 3, "edges": "circular"}, (3, 15, 9)), ({}, BLOCKS),
        ({"factor": 8}, SQUARE),
    ],
    "colorize": [({}, ODD), ({"weights": "luma"}, ODD)],
    "denoise": [({}, ODD)],
    "jpeg": [({}, ODD), ({"quality": 95, "subsampling": "4:4:4"}, SQUARE), ({"quality": 2}, SQUARE)],
    "hdr": [({}, ODD), ({"clipped": "highlights", "exposure": 4.0}, ODD)],
    "bit-depth": [({}, ODD), ({"bits": 1}, SQUARE)],
    "demosaic": [({}, ODD), ({"pattern": "GBRG"}, SQUARE)],
    "compressed-sensing": [({}, ODD), ({"ratio": 0.5}, SQUARE)],
    "phase-retrieval": [({}, ODD), ({"oversampling": 1}, SQUARE)],
}  # fmt: skip
MIXES_CHANNELS = {"colorize", "demosaic", "jpeg"}
CASES = [(name, *row) for name, rows in SETTINGS.items() for row in rows]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@functools.cache
def operator_of(index, dtype=torch.float64):
    name, parameters, shape = CASES[index]
    task = TASKS[name].create(parameters)
    height, width = shape[-2:] if task.auxiliary == "mask" else (6, 9)
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8))
    auxiliary = task.prepare(picture, shape[-2:]) if task.auxiliary else None
    return task.operator(shape, generator(), auxiliary).to("cpu", dtype)


@functools.cache
def dense(index):
    """H as a matrix, row by row of its transpose."""
    operator = operator_of(index)
    pixels = math.prod(operator.image_shape)
    return (
        operator(torch.eye(pixels, dtype=torch.float64).view(pixels, *operator.image_shape)).flatten(1).mT.contiguous()
    )


def columns(x):
    return x.flatten(1).mT


def images(operator, batch=2, seed=1, dtype=torch.float64):
    """Random pictures on [-1, 1]."""
    return (2 * torch.rand(batch, *operator.image_shape, generator=generator(seed), dtype=torch.float64) - 1).to(dtype)


def measurements(operator, batch=2, seed=2):
    return torch.randn(batch, *operator.measurement_shape, generator=generator(seed), dtype=torch.float64)


def label(index):
    name, parameters, shape = CASES[index]
    settings = "-".join(str(value) for value in parameters.values())
    return f"{name}-{settings or 'default'}-{shape[1]}x{shape[2]}"


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


# Families


@pytest.mark.parametrize("shape", [(7, 9), (1, 1), (16, 12), (2, 3)])
def test_transforms(shape):
    x = torch.randn(3, *shape, generator=generator(), dtype=torch.float64)
    for forward, backward in ((hartley, hartley), (dct, idct)):
        assert forward(x).square().sum() == pytest.approx(float(x.square().sum()))
        torch.testing.assert_close(backward(forward(x)), x, rtol=0, atol=1e-12)
    rows, columns = (dct_matrix(n, x.dtype, x.device) for n in shape)
    torch.testing.assert_close(dct(x), rows @ x @ columns.mT, rtol=0, atol=1e-12)


def test_block_transform_is_the_transform_of_each_block():
    x = torch.randn(2, 6, 9, generator=generator(), dtype=torch.float64)
    coefficients = block_dct(x, 3)
    torch.testing.assert_close(coefficients[:, 3:6, 6:9], dct(x[:, 3:6, 6:9]), rtol=0, atol=1e-12)
    torch.testing.assert_close(block_idct(coefficients, 3), x, rtol=0, atol=1e-12)


KERNELS = {
    "uniform": uniform_kernel(9),
    "uniform-even": uniform_kernel(4),
    "disk": disk_kernel(3.3),
    "line": line_kernel(12.5, 30.0),
    "shake": trajectory_kernel(31, 0.5, generator()),
    "shake-straight": trajectory_kernel(8, 0.0, generator(1)),
}


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_are_light_that_stays_in_place(name):
    kernel = KERNELS[name]
    side = len(kernel)
    assert kernel.shape == (side, side) and side % 2 == 1
    assert (kernel >= 0).all() and float(kernel.sum()) == pytest.approx(1)
    offset = torch.arange(side, dtype=torch.float64) - side // 2
    assert float((kernel.sum(0) * offset).sum()) == pytest.approx(0, abs=1e-9)
    assert float((kernel.sum(1) * offset).sum()) == pytest.approx(0, abs=1e-9)


def test_kernels_have_the_size_that_was_asked_for():
    offset = lambda kernel: torch.arange(len(kernel), dtype=torch.float64) - len(kernel) // 2  # noqa: E731
    variance = lambda profile, kernel: float((profile * offset(kernel) ** 2).sum())  # noqa: E731
    # Variances of a box of n pixels, of a disk of radius r along one axis, of a path of length n at 30 degrees.
    assert variance(KERNELS["uniform"].sum(0), KERNELS["uniform"]) == pytest.approx((9**2 - 1) / 12)
    # Pixels are squares, which adds the variance of one.
    assert variance(KERNELS["disk"].sum(0), KERNELS["disk"]) == pytest.approx(3.3**2 / 4 + 1 / 12, rel=0.01)
    across, up = KERNELS["line"].sum(0), KERNELS["line"].sum(1)
    assert variance(across, KERNELS["line"]) > 2 * variance(up, KERNELS["line"])
    assert KERNELS["shake"][[0, -1]].sum() + KERNELS["shake"][:, [0, -1]].sum() > 0  # it fills its square


def test_motion_rises_to_the_right():
    kernel = line_kernel(9, 45)
    assert kernel[:4, 5:].sum() > 0.3  # the upper right quadrant; row 0 is the top
    assert kernel[:4, :4].sum() == 0


@pytest.mark.parametrize("edges", ["reflect", "circular"])
def test_a_point_of_light_becomes_the_kernel(edges):
    kernel = trajectory_kernel(9, 0.7, generator())
    operator = blur_operator(kernel, (1, 32, 30), edges)
    x = torch.zeros(1, 1, 32, 30, dtype=torch.float64)
    x[..., 16, 15] = 1
    torch.testing.assert_close(operator(x)[0, 0, 12:21, 11:20], kernel, rtol=0, atol=1e-12)


def test_symmetric_and_general_blur_agree():
    kernel = disk_kernel(2.5)
    symmetric, general = blur_operator(kernel, ODD, "circular"), CircularBlur(kernel, ODD, taper=False)
    r = measurements(general)
    for method in ("adjoint", "pinv", "measurement_to_spectral"):
        torch.testing.assert_close(getattr(symmetric, method)(r), getattr(general, method)(r), rtol=0, atol=1e-9)
    torch.testing.assert_close(
        symmetric.regularized_pinv(r, 0.01), general.regularized_pinv(r, 0.01), rtol=0, atol=1e-9
    )


@pytest.mark.parametrize("name", ["uniform", "disk"])
def test_reflecting_blur_is_blur_of_the_mirrored_image(name):
    kernel = KERNELS[name]
    x = images(operator_of(0), batch=1)[..., :13, :13]
    reach = len(kernel) // 2
    mirrored = torch.from_numpy(np.pad(x.numpy(), ((0, 0), (0, 0), (reach, reach), (reach, reach)), "symmetric"))
    expected = torch.nn.functional.conv2d(mirrored.transpose(0, 1), kernel[None, None]).transpose(0, 1)
    torch.testing.assert_close(blur_operator(kernel, (3, 13, 13), "reflect")(x), expected, rtol=0, atol=1e-10)


def smooth_photo(height, width):
    """A picture whose opposite edges differ, as a photo's do."""
    rows, columns = torch.linspace(-1, 1, height).double()[:, None], torch.linspace(-1, 1, width).double()
    return (0.6 * rows + 0.3 * columns + 0.1 * torch.sin(20 * rows * columns)).expand(1, 3, height, width)


def test_tapering_spares_a_real_photo_the_stripes_of_circular_edges():
    kernel, photo = line_kernel(11, 30), smooth_photo(64, 60)
    padded = torch.nn.functional.pad(photo, (20, 20, 20, 20), mode="reflect")
    taken = CircularBlur(kernel, padded.shape[1:], taper=False)(padded)[..., 20:-20, 20:-20]
    error = {}
    for edges in ("reflect", "circular"):
        operator = blur_operator(kernel, photo.shape[1:], edges)
        y = operator.measurement_of(taken)
        torch.testing.assert_close(y[..., 12:-12, 12:-12], taken[..., 12:-12, 12:-12], rtol=0, atol=1e-9)
        restored = operator.regularized_pinv(y, 1e-3)
        error[edges] = float((restored - photo)[..., 12:-12, 12:-12].square().mean().sqrt())
    assert error["reflect"] < 0.5 * error["circular"]


def test_uploaded_kernels():
    task = TASKS["deblur-kernel"]()
    build = lambda picture, shape=(3, 64, 64): task.operator(shape, generator(), task.prepare(picture, shape[-2:]))  # noqa: E731
    pixels = np.zeros((4, 7), np.uint8)
    pixels[2, 3] = 200
    x = images(operator_of(1), batch=1)
    operator = build(Image.fromarray(pixels).convert("RGB"), (3, 16, 16)).to("cpu", torch.float64)
    torch.testing.assert_close(operator(x), x, rtol=0, atol=1e-12)  # one central point blurs nothing
    assert max(task.prepare(Image.new("RGB", (3000, 700), "white"), (64, 64)).shape) == 255
    with pytest.raises(ProblemError, match="black"):
        build(Image.new("RGB", (9, 9)))
    with pytest.raises(ProblemError, match="small picture"):
        build(Image.new("RGB", (200, 9), "white"))
    with pytest.raises(ProblemError, match="needs a blur kernel"):
        task.operator(SQUARE, generator(), None)


def test_masks():
    task = TASKS["inpaint-mask"]()
    mask = task.prepare(Image.new("RGB", (4, 4), "white"), (16, 16))
    assert mask.shape == (16, 16)
    with pytest.raises(ProblemError, match="whole image"):
        task.operator(SQUARE, generator(), mask)
    with pytest.raises(ProblemError, match="17x16"):
        task.operator(SQUARE, generator(), torch.zeros(16, 17))
    with pytest.raises(ProblemError, match="needs a mask"):
        task.operator(SQUARE, generator(), None)


def test_which_pixels_are_missing():
    known = lambda name, **parameters: TASKS[name](**parameters).operator((3, 12, 10), generator(), None).mask[0, 0]  # noqa: E731
    grid = known("inpaint-periodic", period=3)
    assert grid.sum() == 4 * 4 and grid[::3, ::3].all()
    left = known("inpaint-half", half="left")
    assert not left[:, :5].any() and left[:, 5:].all()
    box = known("inpaint-box", box_height=0.5, box_width=0.3, box_y=1.0, box_x=0.0)
    assert (box == 0).sum() == 6 * 3 and not box[6:, :3].any()
    assert 0.5 < float((known("inpaint-random", missing=0.7) == 0).double().mean()) < 0.9


@pytest.mark.parametrize("name", ["super-resolution", "super-resolution-bicubic"])
def test_sizes_that_do_not_divide_end_in_a_sentence(name):
    with pytest.raises(ProblemError, match="multiples of 4"):
        TASKS[name]().operator(ODD, generator(), None)


@pytest.mark.parametrize("factor", [2, 3, 4, 8])
def test_bicubic_is_what_pillow_does(factor):
    """But at the edges, where Pillow drops the taps that fall outside."""
    size = 12 * factor
    x = images(operator_of(0), batch=1)
    x = torch.nn.functional.interpolate(x, size=(size, size), mode="bilinear")
    ours = TASKS["super-resolution-bicubic"](factor=factor).operator((3, size, size), generator(), None)(x)
    pillow = Image.fromarray(x[0, 0].float().numpy()).resize((12, 12), Image.Resampling.BICUBIC)
    assert np.abs(np.asarray(pillow) - ours[0, 0].numpy())[2:-2, 2:-2].max() < 1e-5


@pytest.mark.parametrize("edges", ["reflect", "circular"])
def test_bicubic_keeps_constants_and_mirrors(edges):
    matrix = bicubic_matrix(24, 3, edges)
    torch.testing.assert_close(matrix.sum(1), torch.ones(8, dtype=torch.float64), rtol=0, atol=1e-12)
    torch.testing.assert_close(matrix.flip(0, 1), matrix, rtol=0, atol=1e-12)


def test_bicubic_folds_its_spectrum_at_circular_edges():
    """Its singular values are the roots of the mean of |h|^2 over the frequencies that alias."""
    size, factor = 24, 4
    matrix = bicubic_matrix(size, factor, "circular")
    transfer = torch.fft.fft(matrix[0])
    folded = transfer.abs().square().view(factor, size // factor).mean(0).sqrt().sort(descending=True).values
    torch.testing.assert_close(torch.linalg.svdvals(matrix), folded, rtol=0, atol=1e-12)


def test_grey_photos_are_measured_as_they_are():
    grey = images(operator_of(0), batch=1)[:, :1]
    for weights in ("mean", "luma"):
        operator = TASKS["colorize"](weights=weights).operator(ODD, generator(), None)
        torch.testing.assert_close(operator.measurement_of(grey.expand(-1, 3, -1, -1)), grey, rtol=0, atol=1e-12)
        torch.testing.assert_close(operator.measurement_of(grey), grey, rtol=0, atol=1e-12)
    with pytest.raises(ProblemError, match="3 channels"):
        TASKS["colorize"](weights="luma").operator((1, 8, 8), generator(), None)


def test_mosaics():
    operator = TASKS["demosaic"](pattern="GRBG").operator(SQUARE, generator(), None)
    x = torch.stack([torch.full((16, 16), value) for value in (0.1, 0.2, 0.3)])[None]
    y = operator(x)
    torch.testing.assert_close(y[0, 0, :2, :2], torch.tensor([[0.2, 0.1], [0.3, 0.2]]))
    shown = operator.preview(y)
    torch.testing.assert_close(shown[0, :, 0, 0], torch.tensor([-1, 0.2, -1]))
    torch.testing.assert_close(operator.measurement_of(shown), y)
    torch.testing.assert_close(operator.measurement_of(y.expand(-1, 3, -1, -1)), y)
    with pytest.raises(ProblemError, match="3 channels"):
        TASKS["demosaic"]().operator((1, 8, 8), generator(), None)


class Allocation(TorchDispatchMode):
    """Adds up the bytes of every tensor that is made, freed or not."""

    def __init__(self):
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, tuple | list) else (result,):
            if torch.is_tensor(tensor):
                self.bytes += tensor.numel() * tensor.element_size()
        return result


def test_compressed_sensing_needs_little_memory():
    """A quarter of 3x512x512 stays under 200 MB, even if nothing were freed in between."""
    with Allocation() as making:
        operator = TASKS["compressed-sensing"]().operator((3, 512, 512), generator(), None)
    x = torch.ones(1, 3, 512, 512)
    with Allocation() as measuring:
        y = operator(x)
    with Allocation() as solving:
        operator.regularized_pinv(y, 0.1)
    assert making.bytes + max(measuring.bytes, solving.bytes) < 200e6
    # Random signs spread every image over all rows, a constant one too.
    assert y.shape == (1, 3, 65536)
    assert float(y.square().mean()) == pytest.approx(1, abs=0.02) and y.abs().max() < 6


def test_phase_retrieval_keeps_the_energy_of_light():
    operator = TASKS["phase-retrieval"]().operator(ODD, generator(), None)
    x = images(operator)
    y = operator(x)
    torch.testing.assert_close(y.square().sum(), (x + 1).square().sum())
    torch.testing.assert_close(operator(x.flip(-1, -2)), y, rtol=0, atol=1e-12)
    assert (operator(-x) - y).abs().max() > 0.1


def test_nonlinear_blur_is_the_linear_one_on_flat_images():
    operator = TASKS["deblur-nonlinear"](radius=2.0).operator(ODD, generator(), None)
    flat = 0.3 + 1e-4 * images(operator)
    torch.testing.assert_close(operator(flat), operator.blur(flat), rtol=0, atol=1e-7)
    x = torch.full((1, *ODD), -1.0, dtype=torch.float64)
    x[..., 8, 6] = 1
    assert (operator(x) > operator.blur(x) + 0.05).sum() > 20  # a lamp becomes a bright disk
    assert operator(x).min() > -1 - 1e-9 and operator(x).max() < 1 + 1e-9


@pytest.mark.parametrize("value", [-1.0, 1.0])
def test_nonlinear_blur_has_one_slope_where_its_curve_goes_straight_on(value):
    """Black and white are in every photo: the derivative there is the limit from both sides."""
    operator = TASKS["deblur-nonlinear"](radius=2.0).operator(ODD, generator(), None)
    x = torch.full((1, *ODD), value, dtype=torch.float64)
    direction = images(operator)[:1]
    _, at = torch.func.jvp(operator, (x,), (direction,))
    for side in (-1e-6, 1e-6):
        _, near = torch.func.jvp(operator, (x + side,), (direction,))
        torch.testing.assert_close(at, near, rtol=0, atol=1e-4)
        torch.testing.assert_close(at, (operator(x + side * direction) - operator(x)) / side, rtol=0, atol=1e-4)


def textured(height, width):
    """A colour picture of 8-bit pixels with edges and texture, (1, 3, H, W)."""
    rows, columns = torch.arange(height).double()[:, None], torch.arange(width).double()
    waves = [torch.sin(rows / (5 + c)) * torch.cos(columns / (7 - c)) for c in range(3)]
    patches = torch.rand(1, 3, height // 6 + 1, width // 6 + 1, generator=generator(), dtype=torch.float64) - 0.5
    patches = patches.repeat_interleave(6, -1).repeat_interleave(6, -2)[..., :height, :width]
    picture = 0.5 * torch.stack(waves)[None] + patches + 0.3 * ((rows - columns * 0.7) > 5) - 0.1
    picture = picture + 0.05 * torch.randn(picture.shape, generator=generator(), dtype=torch.float64)
    return ((picture.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
@pytest.mark.parametrize("quality", [2, 30, 50, 95])
def test_jpeg_is_what_pillow_does(quality, subsampling):
    x = textured(67, 58)
    pixels = ((x[0] + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling=subsampling)
    saved = Image.open(file)
    ours = TASKS["jpeg"](quality=quality, subsampling=subsampling).operator(tuple(x.shape[1:]), generator(), None)(x)
    difference = (ours[0].permute(1, 2, 0).numpy() + 1) * 127.5 - np.asarray(saved.convert("RGB"), dtype=np.float64)
    loss = (ours - x) * 127.5
    # What differs are halves that fixed-point arithmetic rounds to the other side.
    assert 10 * np.log10(255**2 / np.mean(difference**2)) > 42
    assert np.sqrt(np.mean(difference**2)) < 0.5 * float(loss.square().mean().sqrt())
    tables = [np.array(table).reshape(8, 8) for table in saved.quantization.values()]
    for table, found in zip((LUMA_TABLE, CHROMA_TABLE), tables, strict=True):
        np.testing.assert_array_equal(quantisation_table(table, quality).numpy(), found)


def test_surrogates_are_near_what_they_stand_for():
    """The more so the finer the steps are; colour at half the resolution is part of both."""
    for name, parameters in (
        ("jpeg", {"quality": 95, "subsampling": "4:4:4"}),
        ("jpeg", {"quality": 95, "subsampling": "4:2:0"}),
        ("bit-depth", {"bits": 8}),
    ):
        operator = TASKS[name](**parameters).operator(SQUARE, generator(), None)
        x = 0.4 * images(operator)
        assert (operator.exact(x) - operator.surrogate(x)).square().mean().sqrt() < 0.04


def test_levels_and_clipping():
    x = torch.linspace(-1.5, 1.5, 301, dtype=torch.float64).view(1, 1, 1, -1)
    levels = TASKS["bit-depth"](bits=2).operator((1, 1, 301), generator(), None)
    assert levels(x).unique().tolist() == pytest.approx([-1, -1 / 3, 1 / 3, 1])
    torch.testing.assert_close(levels(levels(x)), levels(x))
    both = TASKS["hdr"](exposure=2.0).operator((1, 1, 301), generator(), None)
    assert both(x).min() == -1 and both(x).max() == 1 and both(0.25 + 0 * x).max() == 0.5
    high = TASKS["hdr"](exposure=2.0, clipped="highlights").operator((1, 1, 301), generator(), None)
    assert high(x).max() == 1 and float(high(-1 + 0 * x).max()) == pytest.approx(-1)


def test_the_seed_decides_what_is_random():
    for name in ("inpaint-random", "compressed-sensing", "deblur-shake"):
        x = images(operator_of(0), batch=1)
        first, again, other = (TASKS[name]().operator(ODD, generator(seed), None)(x) for seed in (1, 1, 2))
        torch.testing.assert_close(first, again, rtol=0, atol=0)
        assert (first - other).abs().max() > 1e-3


@pytest.mark.parametrize("index", range(len(CASES)), ids=label)
def test_a_task_says_whether_its_operators_are_linear(index):
    assert TASKS[CASES[index][0]].linear == operator_of(index).linear
