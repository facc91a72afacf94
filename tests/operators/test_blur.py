"""Kernels and blurs: light that stays in place, edges, and the pictures that visitors upload as kernels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from operations import ODD, SQUARE, generator, images, measurements, operator_of
from PIL import Image

from inverse.errors import ProblemError
from inverse.operators import TASKS
from inverse.operators.convolution import CircularBlur, blur_operator
from inverse.operators.kernels import disk_kernel, line_kernel, trajectory_kernel, uniform_kernel

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
