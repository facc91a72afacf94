"""Chains of damages: every pair of linear tasks keeps adjoint, norm and solve, with a closed form or without."""

import functools
import math

import numpy as np
import pytest
import torch
from operations import columns, generator, images, measurements
from PIL import Image

from inverse import degrade, measured
from inverse.errors import ParameterError, ProblemError
from inverse.operators import TASKS, StraightThrough
from inverse.operators.chain import Chain, link
from inverse.operators.chained import Chained, Iterative, chained
from inverse.operators.folding import Folding

SHAPE = (3, 16, 12)
LINKS = {
    "mask": ("inpaint-mask", {}),
    "random": ("inpaint-random", {"missing": 0.4}),
    "gaussian": ("deblur-gaussian", {"std": 1.0}),
    "circular": ("deblur-gaussian", {"std": 1.2, "edges": "circular"}),
    "motion": ("deblur-motion", {"length": 5.0, "angle": 30.0}),
    "uniform": ("deblur-uniform", {"kernel_size": 3}),
    "mean": ("super-resolution", {"factor": 2}),
    "bicubic": ("super-resolution-bicubic", {"factor": 2}),
    "bicubic-circular": ("super-resolution-bicubic", {"factor": 2, "edges": "circular"}),
    "grey": ("colorize", {"weights": "luma"}),
    "none": ("denoise", {}),
    "mosaic": ("demosaic", {}),
    "sensing": ("compressed-sensing", {"ratio": 0.5}),
}
GREY = {("mosaic", "mosaic"), ("grey", "mosaic"), ("grey", "grey"), ("mosaic", "grey")}
"""Which need three channels, and find one."""
PAIRS = [(a, b) for a in LINKS for b in LINKS if a != "sensing" and (a, b) not in {("mask", "mask"), *GREY}]
CLOSED = {
    ("gaussian", "mean"), ("gaussian", "bicubic"), ("uniform", "mean"), ("circular", "mean"), ("motion", "mean"),
    ("circular", "bicubic-circular"), ("motion", "bicubic-circular"), ("grey", "mask"), ("grey", "gaussian"),
    ("gaussian", "grey"), ("mask", "grey"), ("mean", "mask"), ("mosaic", "mask"), ("random", "mask"), ("mean", "mean"),
    ("grey", "sensing"), ("mean", "grey"), ("grey", "mean"), ("none", "motion"), ("motion", "none"),
}  # fmt: skip
pairs = pytest.mark.parametrize("names", PAIRS, ids="-".join)


def task_of(*names):
    return Chain(tuple(TASKS[LINKS[name][0]].create(LINKS[name][1]) for name in names))


@functools.cache
def operator_of(*names):
    task = task_of(*names)
    auxiliary = None
    if task.auxiliary:
        picture = Image.fromarray(np.random.default_rng(1).integers(0, 256, SHAPE[1:], dtype=np.uint8).repeat(1))
        picture = Image.fromarray((255 * (np.random.default_rng(1).random(SHAPE[1:]) < 0.15)).astype(np.uint8))
        auxiliary = task.prepare(task.load(picture), SHAPE[1:])
    return task.operator(SHAPE, generator(), auxiliary).to("cpu", torch.float64)


@functools.cache
def dense(*names):
    operator = operator_of(*names)
    pixels = math.prod(operator.image_shape)
    return operator(torch.eye(pixels, dtype=torch.float64).view(pixels, *SHAPE)).flatten(1).mT.contiguous()


@pairs
def test_the_second_is_done_to_what_the_first_left(names):
    task, operator = task_of(*names), operator_of(*names)
    if task.auxiliary or "random" in names or "sensing" in names:
        return  # drawn anew below
    x = images(operator)
    first, second = task.links
    one = first.operator(SHAPE, generator(), None).to("cpu", torch.float64)
    other = second.operator(one.measurement_shape, generator(), None).to("cpu", torch.float64)
    torch.testing.assert_close(operator(x), other(one(x)), rtol=0, atol=1e-12)
    assert task.measurement_size(SHAPE[1:]) == tuple(operator.measurement_shape[1:])
    assert task.image_shape(operator.measurement_shape[1:]) == SHAPE[1:]


@pairs
def test_adjoint_and_norm(names):
    operator, matrix = operator_of(*names), dense(*names)
    x, r = images(operator), measurements(operator)
    torch.testing.assert_close(columns(operator(x)), matrix @ columns(x), rtol=0, atol=1e-10)
    torch.testing.assert_close(columns(operator.adjoint(r)), matrix.mT @ columns(r), rtol=0, atol=1e-10)
    value, product = operator.vjp(x, lambda value: r - value)
    torch.testing.assert_close(value, operator(x), rtol=0, atol=1e-12)
    torch.testing.assert_close(product, operator.adjoint(r - operator(x)), rtol=0, atol=1e-10)
    assert operator.norm == pytest.approx(float(torch.linalg.matrix_norm(matrix, 2)), rel=1e-3)
    y = operator(x)
    torch.testing.assert_close(operator.project(y), y, rtol=0, atol=0)


@pairs
@pytest.mark.parametrize("c", [1e-5, 0.3, 1e4])
def test_solve(names, c):
    """H^T (H H^T + c I)^-1 of what can be measured, and the solve that follows from it."""
    operator, matrix = operator_of(*names), dense(*names)
    r = operator.project(measurements(operator))
    inverse = torch.linalg.solve(matrix @ matrix.mT + c * torch.eye(len(matrix), dtype=torch.float64), columns(r))
    near = 2e-4 if isinstance(operator, Iterative) and c < 0.01 else 1e-7  # where a thousand iterations do not suffice
    torch.testing.assert_close(columns(operator.regularized_pinv(r, c)), matrix.mT @ inverse, rtol=1e-7, atol=near)
    each = torch.tensor([c, 2 * c], dtype=torch.float64).view(-1, 1, 1, 1)
    if operator.measures_pictures:
        torch.testing.assert_close(
            operator.regularized_pinv(r, each)[1:], operator.regularized_pinv(r[1:], 2 * c), rtol=1e-6, atol=1e-8
        )
    v = images(operator)
    x = operator.solve(v, 30.0, 0.7)
    torch.testing.assert_close(30.0 * operator.adjoint(operator(x)) + 0.7 * x, v, rtol=0, atol=1e-7)


@pairs
def test_pseudo_inverse_explains_what_is_measured(names):
    """Of a picture that neither is at its limits with, H H^+ H x is H x but for what is below the cut."""
    operator = operator_of(*names)
    x = torch.full((1, *SHAPE), 0.4, dtype=torch.float64)
    y = operator(x)
    torch.testing.assert_close(operator(operator.pinv(y)), y, rtol=0, atol=0.05)


@pairs
def test_decomposition(names):
    operator = operator_of(*names)
    if not operator.has_svd:
        return
    x, other, r = images(operator), images(operator, seed=8), measurements(operator)
    coefficients = operator.to_spectral(x)
    torch.testing.assert_close(operator.from_spectral(coefficients), x, rtol=0, atol=1e-10)
    torch.testing.assert_close((coefficients * operator.to_spectral(other)).sum(), (x * other).sum(), rtol=0, atol=1e-9)
    s = operator.singular_values
    assert float(s.max()) == pytest.approx(operator.norm, abs=1e-12)
    s = s.expand_as(coefficients)
    spectral = operator.measurement_to_spectral(r)
    assert (spectral[s == 0] == 0).all()
    torch.testing.assert_close(operator.measurement_to_spectral(operator(x)), s * coefficients, rtol=0, atol=1e-9)
    torch.testing.assert_close(operator.from_spectral(s * spectral), operator.adjoint(r), rtol=0, atol=1e-9)


def test_closed_forms_where_they_exist():
    for names in PAIRS:
        closed = not isinstance(operator_of(*names), Iterative) and operator_of(*names).has_filter
        assert closed or names not in CLOSED, names
    assert isinstance(operator_of("gaussian", "mean"), Folding) and operator_of("gaussian", "mean").has_svd
    assert isinstance(operator_of("motion", "mean"), Folding) and not operator_of("motion", "mean").has_svd
    assert (
        operator_of("grey", "gaussian", "mean").has_svd and operator_of("gaussian", "grey", "mean", "mask").image_shape
    )


def test_three_and_four_links():
    for names in (("gaussian", "mean", "mask"), ("motion", "grey", "mask"), ("mask", "gaussian", "mean", "grey")):
        operator, matrix = operator_of(*names), dense(*names)
        r = operator.project(measurements(operator))
        expected = matrix.mT @ torch.linalg.solve(
            matrix @ matrix.mT + 0.01 * torch.eye(len(matrix), dtype=torch.float64), columns(r)
        )
        torch.testing.assert_close(columns(operator.regularized_pinv(r, 0.01)), expected, rtol=1e-7, atol=1e-7)
        assert operator.norm == pytest.approx(float(torch.linalg.matrix_norm(matrix, 2)), rel=1e-3)


def test_in_single_precision_at_the_largest_sigma():
    """As a solver asks at sigma = 80: closed forms to 2e-3 of a pixel's range, others explain most of what is there."""
    c = 0.05**2 / 80**2
    for names in (("gaussian", "mean"), ("motion", "mean"), ("grey", "mask"), ("mean", "mask")):
        operator = operator_of(*names)
        r = operator(images(operator))
        single = operator.to("cpu").regularized_pinv(r.float(), c)
        assert single.dtype == torch.float32
        assert (operator(single.double()) - operator(operator.regularized_pinv(r, c))).abs().max() < 2e-3
    for names in (("gaussian", "mask"), ("mask", "gaussian"), ("motion", "gaussian")):
        operator = operator_of(*names)
        r = operator(images(operator))
        left = r - operator(operator.to("cpu").regularized_pinv(r.float(), c).double())
        assert left.norm() < 0.3 * r.norm()


# What is not linear

NONLINEAR = [
    ("deblur-gaussian", "super-resolution", "jpeg"), ("jpeg", "inpaint-random"), ("deblur-uniform", "bit-depth"),
    ("hdr", "jpeg"), ("colorize", "jpeg"), ("jpeg", "jpeg"), ("deblur-nonlinear", "super-resolution"),
]  # fmt: skip


@pytest.mark.parametrize("names", NONLINEAR, ids="-".join)
def test_gradient(names):
    """Autograd through the chain is that of the links' surrogates, by finite differences."""
    task = Chain(tuple(link(name) for name in names))
    operator = task.operator((3, 16, 16), generator(), None).to("cpu", torch.float64)
    assert not operator.linear and not task.linear and operator.norm > 0
    x, cotangent = 0.9 * images(operator, batch=1), measurements(operator, batch=1)
    value, product = operator.vjp(x, lambda _: cotangent)
    torch.testing.assert_close(value, operator(x), rtol=0, atol=1e-12)
    direction, h = images(operator, batch=1, seed=9), 1e-6

    def smooth(operator, x):
        if isinstance(operator, Chained):
            return smooth(operator.outer, smooth(operator.inner, x))
        return operator.surrogate(x) if isinstance(operator, StraightThrough) else operator(x)

    if any(isinstance(each, StraightThrough) for each in (operator.inner, operator.outer)) or names[-1] == "jpeg":
        difference = (smooth(operator, x + h * direction) - smooth(operator, x - h * direction)) / (2 * h)
        assert float((product * direction).sum()) == pytest.approx(float((difference * cotangent).sum()), rel=1e-4)


def test_the_noise_comes_before_what_rounds():
    """Of blur, fewer pixels, noise, JPEG: the file is a JPEG, and its noise was in the small picture."""
    task = Chain(tuple(map(link, ("deblur-gaussian", "super-resolution", "jpeg"))))
    operator = task.operator((3, 32, 32), generator(), None)
    x = images(operator, dtype=torch.float32)
    seen = []

    def disturb(y):
        seen.append(y)
        return y + 0.1

    y = operator.measure(x, disturb)
    assert seen[0].shape[-2:] == (8, 8) and y.shape[-2:] == (8, 8)
    torch.testing.assert_close(seen[0], operator.inner(x))
    torch.testing.assert_close(y, operator.outer.exact(seen[0] + 0.1))
    scratched = Chain(tuple(map(link, ("jpeg", "inpaint-random")))).operator((3, 16, 16), generator(), None)
    x = images(scratched, dtype=torch.float32)
    hidden = scratched.measure(x, disturb)
    torch.testing.assert_close(hidden, scratched.outer(scratched.inner.exact(x + 0.1)))
    assert (hidden[:, :, scratched.outer.mask[0, 0] == 0] == 0).all() and seen[-1].shape[-2:] == (16, 16)


# As a task


def test_what_cannot_follow_is_refused():
    with pytest.raises(ParameterError, match="a picture each"):
        Chain((link("inpaint-mask"), link("deblur-kernel")))
    with pytest.raises(ParameterError, match="keep_known"):
        Chain((link({"name": "inpaint-box", "parameters": {"keep_known": "always"}}), link("jpeg")))
    with pytest.raises(ParameterError, match="2 to 4"):
        Chain((link("jpeg"),) * 5)
    with pytest.raises(ProblemError, match="Put it last"):
        Chain((link("compressed-sensing"), link("jpeg"))).operator((3, 16, 16), generator(), None)
    with pytest.raises(ProblemError, match="leave nothing"):
        half = [link({"name": "inpaint-half", "parameters": {"half": half}}) for half in ("left", "right")]
        Chain(tuple(half)).operator((3, 16, 16), generator(), None)
    for bad in (3, {"name": "jpeg", "quality": 3}, {"parameters": {}}, None):
        with pytest.raises(ParameterError):
            link(bad)


def test_the_weightiest_names_it():
    def name(*names):
        return Chain(tuple(map(link, names))).name

    assert name("deblur-gaussian", "super-resolution") == "super-resolution"
    assert name("super-resolution", "jpeg") == "jpeg"
    assert name("inpaint-random", "colorize") == name("colorize", "inpaint-random") == "colorize"
    assert name("inpaint-random", "deblur-gaussian") == "deblur-gaussian"
    assert name("denoise", "inpaint-random") == "inpaint-random"


def test_a_grey_photo_with_scratches(photo):
    """The mask is at the size that it meets, the photo's three channels become the grey that was measured."""
    mask = Image.new("L", photo.size)
    mask.paste(255, (5, 5, 40, 8))
    grey = photo.convert("L").convert("RGB")
    problem = measured(grey, "colorize", then=["inpaint-mask"], auxiliary=mask, sigma_y=0.01)
    height, width = photo.height, photo.width
    assert tuple(problem.y.shape) == (1, 1, height, width)
    assert problem.operator.missing == pytest.approx(35 * 3 / height / width)
    assert (problem.y[0, 0, 5:8, 5:40] == 0).all() and (problem.y[0, 0, 9:] != 0).any()
    assert not problem.keeps_known
    small = degrade(
        photo, "super-resolution", task_parameters={"factor": 2}, then=["inpaint-mask"], auxiliary=mask, sigma_y=0
    )
    assert small.y.shape[-1] == small.truth.shape[-1] // 2 and small.operator.missing > 0


def test_chained_by_hand_is_the_same():
    blur, mean = (TASKS[name]().operator(SHAPE, generator(), None) for name in ("deblur-gaussian", "super-resolution"))
    assert isinstance(chained(blur, mean), Folding)
