"""Right pixels or a sentence: nothing between."""

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageFile

from inverse.errors import ImageError
from inverse.imaging import images


def encode(image, format="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def png_header(width, height):
    """A PNG that claims a size, with next to no data behind it."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


RAMP = np.tile(np.linspace(0, 1, 256), (16, 1))


@pytest.mark.parametrize(
    "image",
    [
        Image.fromarray((RAMP * 65535).astype(np.uint16)),
        Image.fromarray((RAMP * 65535).astype(np.int32)),
        Image.fromarray(RAMP.astype(np.float32)),
        Image.fromarray((RAMP * 255).astype(np.float32)),
        Image.fromarray((RAMP * 65535).astype(np.float32)),
        Image.fromarray(np.rint(RAMP * 255).astype(np.uint8)),
    ],
    ids=["uint16", "int32", "float-1", "float-255", "float-65535", "uint8"],
)
def test_ramps_keep_their_brightness(image):
    for source in (image, encode(image, "TIFF")):
        pixels = np.asarray(images.load(source)) / 255
        assert np.abs(pixels - RAMP[..., None]).max() <= 1 / 255
        assert abs(pixels.mean() - RAMP.mean()) <= 1 / 255


def test_sixteen_bit_png_keeps_its_brightness():
    pixels = np.asarray(images.load(encode(Image.fromarray((RAMP * 65535).astype(np.uint16))))) / 255
    assert np.abs(pixels - RAMP[..., None]).max() <= 1 / 255


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "YCbCr", "LAB", "HSV", "RGBX", "RGB"])
def test_every_mode_becomes_rgb(photo, mode):
    if mode == "LAB":
        transform = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
        image = ImageCms.applyTransform(photo, transform)
    else:
        image = photo.convert(mode)
    loaded = images.load(image)
    assert loaded.mode == "RGB" and loaded.size == photo.size
    assert abs(np.asarray(loaded).mean() - np.asarray(photo).mean()) < 12


def test_cmyk_jpeg_keeps_its_colours(photo):
    loaded = images.load(encode(photo.convert("CMYK"), "JPEG", quality=95))
    assert np.abs(np.asarray(loaded).astype(int) - np.asarray(photo)).mean() < 4


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparency_is_laid_on_white(mode):
    image = Image.new("RGBA", (20, 20), (0, 0, 0, 0)).convert(mode)
    assert np.asarray(images.load(image)).min() == 255


def test_palette_transparency_is_laid_on_white():
    image = Image.new("P", (8, 8), 0)
    image.putpalette([10, 20, 30] * 256)
    loaded = images.load(encode(image, "GIF", transparency=0))
    assert np.asarray(loaded).min() == 255


def test_animation_gives_its_first_frame():
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "lime", "blue")]
    for format in ("GIF", "WEBP", "PNG"):
        options = {"lossless": True} if format == "WEBP" else {}
        data = encode(frames[0], format, save_all=True, append_images=frames[1:], duration=50, **options)
        assert np.asarray(images.load(data))[5, 5].tolist() == [255, 0, 0], format


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_rotation_is_undone_and_metadata_dropped(photo, orientation):
    inverse = {2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x8825] = {2: (48.0, 8.0, 0.0)}
    stored = photo
    if orientation > 1:
        stored = photo.transpose(images._TRANSPOSITIONS[inverse[orientation]])
    loaded = images.load(encode(stored, "PNG", exif=exif))
    assert np.array_equal(np.asarray(loaded), np.asarray(photo))
    assert not loaded.getexif() and not loaded.info


@pytest.mark.parametrize(
    ("size", "said"),
    [
        ((7000, 7000), "7000x7000"),
        ((20000, 20000), "400 megapixels"),
        ((20000, 100), "20000x100"),
        ((17000, 2000), "17000x2000; the limit"),  # neither too many pixels nor too narrow
        ((100_000, 100_000), "10000 megapixels"),
        ((8000, 100), "8000x100"),
        ((1601, 100), "1601x100, longer than 1:16"),
    ],
)
def test_bombs_are_refused_from_the_header(size, said, monkeypatch):
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("its pixels were decoded"))
    tracemalloc.start()
    with pytest.raises(ImageError, match=said):
        images.load(png_header(*size))
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()


@pytest.mark.parametrize(
    "data",
    [b"", b"not a picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"%!PS-Adobe-3.0 EPSF-3.0"],
    ids=["empty", "text", "svg", "pdf", "eps"],
)
def test_what_is_no_picture_is_refused_with_the_accepted_formats(data):
    with pytest.raises(ImageError, match="Use PNG, JPEG"):
        images.load(data)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "AVIF"])
def test_truncated_files_are_refused_and_whole_ones_read(photo, format):
    data = encode(photo, format)
    assert images.load(data).size == photo.size
    with pytest.raises(ImageError, match=r"\. [A-Z]"):
        images.load(data[: len(data) // 2])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_files_give_a_picture_or_a_sentence(data):
    format = data.draw(st.sampled_from(["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP"]))
    whole = bytearray(encode(Image.new("RGB", (24, 20), (200, 100, 50)), format))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert images.load(bytes(whole)).mode == "RGB"
    except ImageError as error:
        assert ". " in str(error)


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path / "none.png", tmp_path):
        with pytest.raises(ImageError, match="cannot be opened"):
            images.load(path)


def test_a_picture_that_does_not_fit_into_memory_is_told_so():
    class Full(io.BytesIO):
        def read(self, *_):
            raise MemoryError

    with pytest.raises(ImageError, match="does not fit into memory"):
        images.load(Full())


def test_one_pixel():
    assert images.load(encode(Image.new("RGB", (1, 1), (1, 2, 3)))).getpixel((0, 0)) == (1, 2, 3)


def test_max_side_shrinks(photo):
    assert images.load(encode(photo), max_side=36).size == (36, 28)
    big = Image.new("RGB", (2000, 1000))
    assert images.load(encode(big, "JPEG"), max_side=100).size == (100, 50)


@given(width=st.integers(1, 90), height=st.integers(1, 90), multiple=st.sampled_from([1, 2, 3, 4, 8]))
def test_fit_gives_multiples_and_keeps_the_size_nearly(width, height, multiple):
    fitted = images.fit(Image.new("RGB", (width, height)), None, multiple)
    for found, was in zip(fitted.size, (width, height), strict=True):
        assert found % multiple == 0 and found > 0
        assert was - multiple < found <= max(was, multiple)


def test_fit_crops_the_center_and_squares(photo):
    assert images.fit(photo, 28).size == (36, 28)
    assert images.fit(photo, 32, square=True).size == (32, 32)
    middle = images.fit(photo, None, 16)
    assert np.array_equal(np.asarray(middle), np.asarray(photo.crop((4, 4, 68, 52))))


def test_tensor_round_trip_is_exact(photo):
    x = images.to_tensor(photo)
    assert x.shape == (1, 3, 56, 72) and -1 <= x.min() < x.max() <= 1
    assert np.array_equal(np.asarray(images.to_image(x)), np.asarray(photo))
    assert np.asarray(images.to_image(torch.full((3, 2, 2), 9.0))).min() == 255


@pytest.mark.parametrize("thing", [None, 3, np.zeros((8, 8, 3), np.uint8), torch.zeros(1, 3, 8, 8)])
def test_what_is_no_photo_at_all_is_not_called_damaged(thing):
    with pytest.raises(ImageError, match="Convert it"):
        images.load(thing)
