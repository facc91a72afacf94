"""What is particular to one family of operators."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from operations import ODD, SQUARE, generator, images, operator_of
from PIL import Image
from torch.utils._python_dispatch import TorchDispatchMode

from inverse.errors import ProblemError
from inverse.operators import TASKS
from inverse.operators.bicubic import bicubic_matrix
from inverse.operators.jpeg import CHROMA_TABLE, LUMA_TABLE, quantisation_table


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
