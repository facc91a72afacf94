"""A damage said in pixels, on a photo that has more of them."""

import numpy as np
import pytest
import torch
from PIL import Image

from inverse.errors import ProblemError
from inverse.operators import TASKS
from inverse.randomness import generator

SIDE, FACTOR = 96, 2
WIDE = {name: kind for name, kind in TASKS.items() if kind.lengths or kind.auxiliary == "kernel"}
LENGTHS = {"std": 2.5, "kernel_size": 9, "length": 11.0, "radius": 4.0}


def smooth(side):
    """The same scene at any size: waves that both sizes resolve."""
    x = (torch.arange(side, dtype=torch.float64) + 0.5).div(side).mul(2 * torch.pi).expand(side, side)
    y = x.T
    return torch.stack([torch.cos(2 * x) * torch.cos(3 * y), torch.cos(3 * x), torch.cos(x + y)])[None] / 2


def kernel():
    y, x = np.mgrid[-8:9, -8:9]
    return Image.fromarray((255 * np.exp(-((x / 4.0) ** 2) - (y / 2.0) ** 2)).astype(np.uint8))


def damaged(task, picture, side):
    drawn = generator(0)
    size = (3, side, side)
    helper = None if picture is None else task.prepare(picture, size[1:])
    return task.operator(size, drawn, helper).to("cpu", torch.float64)(smooth(side))


@pytest.mark.parametrize("kind", [kind for name, kind in WIDE.items() if name != "deblur-shake"], ids=lambda k: k.name)
def test_a_photo_of_more_pixels_is_blurred_the_same_way(kind):
    task = kind(**{name: LENGTHS[name] for name in kind.lengths}, edges="circular")
    picture = kernel() if kind.auxiliary else None
    larger, enlarged = task.enlarged(FACTOR, picture)
    small = damaged(task, picture, SIDE)
    large = torch.nn.functional.avg_pool2d(damaged(larger, enlarged, FACTOR * SIDE), FACTOR)
    unscaled = torch.nn.functional.avg_pool2d(damaged(task, picture, FACTOR * SIDE), FACTOR)
    assert (large - small).abs().max() < 0.2 * (unscaled - small).abs().max()


def test_a_path_that_is_drawn_is_as_much_longer():
    task = WIDE["deblur-shake"](kernel_size=15)
    assert task.enlarged(FACTOR)[0] == task.replace(kernel_size=30)


def test_what_has_no_length_stays_as_it_is():
    for kind in TASKS.values():
        if kind.name not in WIDE:
            mask = Image.new("L", (4, 4))
            assert kind().enlarged(3.0, mask) == (kind(), mask)


@pytest.mark.parametrize("name", WIDE)
def test_beyond_what_can_be_undone_it_is_refused(name):
    with pytest.raises(ProblemError, match=r"at most .* Shrink the photo first|shrink the photo first"):
        WIDE[name]().enlarged(100.0, kernel())
