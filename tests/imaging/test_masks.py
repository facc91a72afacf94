"""Masks: what counts as missing in each kind of picture, at any size; and known pixels that stay as they are."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from inverse import measured, restore, stream
from inverse.batch.runs import run_all
from inverse.errors import ImageError, ProblemError
from inverse.imaging import images, masks
from inverse.operators import TASKS
from inverse.operators.inpainting import NEGLIGIBLE
from inverse.settings import Settings

SIZE = (96, 64)
BOX = (30, 20, 50, 35)
HOLE = np.zeros((64, 96), bool)
HOLE[20:35, 30:50] = True
Y, X = np.mgrid[:64, :96]
PHOTO = Image.fromarray(np.stack([X * 2, Y * 3, (X * Y) % 256], -1).astype(np.uint8))
QUICK = {"solver": "vml-map", "solver_parameters": {"steps": 2, "gradient_steps": 1}}


def drawn(mode, ground, paint, box=BOX):
    image = Image.new(mode, SIZE, ground)
    image.paste(paint, box)
    return image


def soft():
    """A drawing whose edge is half painted, as a brush leaves it."""
    image = drawn("RGBA", (0, 0, 0, 0), (0, 0, 0, 255))
    image.putalpha(Image.fromarray(np.pad(np.full((15, 20), 255, np.uint8), ((20, 29), (30, 46)), constant_values=0)))
    return image


def erased():
    image = PHOTO.convert("RGBA")
    image.paste((0, 0, 0, 0), BOX)
    return image


def labels():
    image = Image.fromarray(HOLE.astype(np.uint8), "P")
    image.putpalette([0, 0, 0, 128, 0, 0])
    return image


KINDS = {
    "white on black": lambda: drawn("L", 0, 255),
    "one bit": lambda: drawn("1", 0, 1),
    "values 0 and 1": lambda: drawn("L", 0, 1),
    "16 bits, values 0 and 1": lambda: Image.fromarray(HOLE.astype(np.uint16)),
    "16 bits": lambda: Image.fromarray(HOLE.astype(np.uint16) * 65535),
    "floats": lambda: Image.fromarray(HOLE.astype(np.float32)),
    "a palette of labels": labels,
    "red on black": lambda: drawn("RGB", "black", "red"),
    "blue on black": lambda: drawn("RGB", "black", "blue"),
    "white on transparent": lambda: drawn("RGBA", (255, 255, 255, 0), (255, 255, 255, 255)),
    "black on transparent": lambda: drawn("RGBA", (0, 0, 0, 0), (0, 0, 0, 255)),
    "grey on transparent": lambda: drawn("LA", (0, 0), (90, 255)),
    "red, thinly, on transparent": lambda: drawn("RGBA", (0, 0, 0, 0), (230, 20, 20, 110)),
    "softly on transparent": soft,
    "a photo with an erased part": erased,
}


def encoded(image, format="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_mask_marks_the_same_pixels(kind):
    mask = KINDS[kind]()
    for source in (mask, encoded(mask, "TIFF" if mask.mode == "F" else "PNG")):
        found = masks.load(source)
        assert found.mode == "L" and set(np.unique(np.asarray(found))) == {0, 255}
        assert np.array_equal(np.asarray(found) > 0, HOLE)
        assert np.array_equal(np.asarray(masks.load(found)), np.asarray(found))


@pytest.mark.parametrize(
    ("mask", "said"),
    [
        (Image.new("L", SIZE, 0), "marks nothing"),
        (Image.new("RGBA", SIZE, (9, 9, 9, 0)), "marks nothing"),
        (Image.fromarray((X % 7).astype(np.uint8)), "brightest pixel is 6 of 255"),
        (PHOTO, "like a photo"),
        (drawn("RGBA", (0, 0, 0, 255), (0, 0, 0, 0)), "in two ways"),
        (drawn("RGBA", (0, 0, 0, 0), (255, 0, 0, 255), (0, 0, 96, 60)), "in two ways"),
        (Image.merge("RGBA", [Image.fromarray(255 * (X % 2).astype(np.uint8))] * 3 + [drawn("L", 255, 0)]), "two ways"),
    ],
    ids=["black", "transparent", "labels", "photo", "black with a hole", "mostly painted", "both in both"],
)
def test_what_marks_nothing_or_two_things_is_refused(mask, said):
    with pytest.raises(ImageError, match=rf"{said}.*\. [A-Z].*\.$"):
        masks.load(mask)


@pytest.mark.parametrize("size", [(256, 171), (97, 65), (300, 200), (1200, 800), (1500, 1000)])
def test_what_is_touched_is_missing_at_every_size(size):
    """Scratches of one pixel: none is lost, and what none touches is known."""
    scratches = Image.new("L", (1200, 800))
    draw = ImageDraw.Draw(scratches)
    for at in range(10, 1200, 90):
        draw.line((at, 0, at + 60, 799), 255, 1)
    rows, columns = np.nonzero(np.asarray(scratches))
    found = masks.fitted(masks.load(scratches), size[::-1]).numpy() > 0
    width, height = size
    assert found[rows * height // 800, columns * width // 1200].all()
    for row, column in np.argwhere(found)[::37]:
        top, bottom = row * 800 // height, -(-(row + 1) * 800 // height)
        left, right = column * 1200 // width, -(-(column + 1) * 1200 // width)
        assert np.asarray(scratches)[top:bottom, left:right].any()
    shrunk = masks.load(scratches, max_side=max(size))
    assert max(shrunk.size) <= max(size) and np.asarray(shrunk).any(1).all()


@pytest.mark.parametrize("ground", ["black", "transparent", "a photo"])
@pytest.mark.parametrize("times", [2, 4])
def test_a_mask_that_a_program_shrank_still_marks_its_thin_lines(ground, times):
    """Lines of one pixel that became grey, or half transparent: what they touched is missing, all along them."""
    large = Image.new("L", (960, 640))
    draw = ImageDraw.Draw(large)
    for at in range(10, 960, 90):
        draw.line((at, 0, at + 60, 639), 255, 2)
    draw.rectangle((400, 200, 560, 400), 255)
    small = large.resize((960 // times, 640 // times), Image.Resampling.BOX)
    if ground == "transparent":
        small = Image.merge("LA", [Image.new("L", small.size, 255), small])
    elif ground == "a photo":
        photo = PHOTO.resize(small.size).convert("RGBA")
        photo.putalpha(small.point(lambda value: 255 - value))
        small = photo
    found = np.asarray(masks.load(small)) > 0
    touched = np.asarray(large.resize(found.shape[::-1], Image.Resampling.BOX))
    assert found[touched > 60].all() and not found[touched == 0].any()
    assert (found.sum(1) >= 10).all()  # every line, in every row


def test_a_scratch_is_not_mixed_into_the_pixels_beside_it():
    """The shrunk photo's known pixels are those of the photo without the scratch."""
    smooth = Image.fromarray(np.stack([X * 2, Y * 3, X + Y], -1).astype(np.uint8))
    clean = smooth.resize((768, 512), Image.Resampling.BILINEAR)
    scratched, mask = clean.copy(), Image.new("L", clean.size)
    for image, colour in ((scratched, "white"), (mask, 255)):
        ImageDraw.Draw(image).line((40, 0, 600, 511), colour, 3)
    problem = measured(scratched, "inpaint-mask", auxiliary=mask, size=100, sigma_y=0.01)
    right = images.to_tensor(images.fit(clean, 100))
    missing = problem.operator.missing
    error = 127.5 * ((problem.y - right) * problem.operator.mask).abs()
    assert 0.01 < missing < 0.05
    plain = 127.5 * ((images.to_tensor(images.fit(scratched, 100)) - right) * problem.operator.mask).abs()
    assert error.max() < plain.max() / 2 and error.mean() < plain.mean() / 2


@pytest.mark.parametrize("size", [(80, 55), (64, 96), (96, 96), (200, 100)])
def test_a_mask_of_another_shape_is_refused(size):
    mask = Image.new("L", size)
    mask.paste(255, (5, 5, 20, 20))
    with pytest.raises(ProblemError, match=rf"{size[0]}x{size[1]}.*another shape\. Use"):
        measured(PHOTO, "inpaint-mask", auxiliary=mask)


@pytest.mark.parametrize("size", [(48, 32), (49, 33), (24, 16), (25, 17), (192, 128), (1000, 667), (95, 64)])
def test_a_mask_of_the_same_shape_is_fitted(size):
    mask = Image.new("L", size)
    mask.paste(255, (0, 0, size[0] // 3, size[1] // 2))
    assert 0.14 < measured(PHOTO, "inpaint-mask", auxiliary=mask).operator.missing < 0.21


def test_an_orientation_of_the_mask_is_followed():
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = drawn("L", 0, 255).transpose(Image.Transpose.ROTATE_90)
    assert np.array_equal(np.asarray(masks.load(encoded(turned, "JPEG", exif=exif, quality=100))) > 0, HOLE)


# Known pixels


def outside(picture, photo=PHOTO):
    return np.array_equal(np.asarray(picture)[~HOLE], np.asarray(photo)[~HOLE])


def test_known_pixels_of_an_own_photo_stay_exactly():
    mask = drawn("L", 0, 255)
    result = restore(PHOTO, "inpaint-mask", degraded=True, auxiliary=mask, sigma_y=0.02, samples=2, **QUICK)
    assert all(outside(image) for image in result.images)
    assert not np.array_equal(np.asarray(result.image)[HOLE], np.asarray(PHOTO)[HOLE])
    assert float(result.step.residual.min()) > 0  # that of the solver's own estimate, by which runs are compared
    never = {"task_parameters": {"keep_known": "never"}}
    assert not outside(
        restore(PHOTO, "inpaint-mask", degraded=True, auxiliary=mask, sigma_y=0.02, **never, **QUICK).image
    )


@pytest.mark.parametrize(
    ("keep", "sigma_y", "degraded", "kept"),
    [
        ("auto", NEGLIGIBLE, True, True),
        ("auto", NEGLIGIBLE + 0.01, True, False),
        ("auto", 0.0, False, False),
        ("always", 0.3, True, True),
        ("always", 0.3, False, True),
        ("never", 0.0, True, False),
    ],
)
def test_what_auto_means(keep, sigma_y, degraded, kept):
    for name in ("inpaint-random", "inpaint-box", "inpaint-half", "inpaint-periodic", "inpaint-mask"):
        assert TASKS[name](keep_known=keep).keeps_known(sigma_y, degraded) is kept
    assert not TASKS["denoise"]().keeps_known(sigma_y, degraded)


def test_every_step_keeps_them_so_that_a_stopped_run_does():
    problem = measured(PHOTO, "inpaint-mask", auxiliary=drawn("L", 0, 255), sigma_y=0.02)
    seen = [images.to_image(step.x0_hat) for step in stream(problem, **QUICK)]
    assert len(seen) > 1 and all(outside(image) for image in seen)


def test_sweeps_keep_them():
    run = Settings.create(mode="degraded", task="inpaint-mask", sigma_y=0.02, **QUICK)
    *_, last = run_all([run], PHOTO, drawn("L", 0, 255))
    assert outside(last.record.image) and last.record.quality["residual"] > 0


def test_settings_of_before_are_read_as_before():
    found, notes = Settings.from_dict({"schema": 1, "task": {"name": "inpaint-mask", "parameters": {}}})
    assert found.task.keep_known == "auto" and not notes
