"""Files as cameras, scanners and half-finished downloads leave them: read right, or refused by name."""

import io
import itertools

import numpy as np
import pytest
import tifffile
from PIL import Image

from inverse.errors import ImageError
from inverse.imaging import images

Y, X = np.mgrid[:48, :64]
BASE = np.stack([X / 63, Y / 47, X * Y / (63 * 47)], -1)
NOISE = np.random.default_rng(3).integers(-40, 40, (48, 64, 3))
PHOTO = Image.fromarray(np.clip(np.rint(255 * BASE) + NOISE, 0, 255).astype(np.uint8))


def encode(image, format, **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


CARRIERS = {
    "TIFF raw": ("TIFF", {}),
    "TIFF LZW": ("TIFF", {"compression": "tiff_lzw"}),
    "TIFF deflate": ("TIFF", {"compression": "tiff_adobe_deflate"}),
    "PNG": ("PNG", {}),
    "WebP": ("WEBP", {"lossless": True}),
    "JPEG": ("JPEG", {"quality": 100, "subsampling": "4:4:4"}),
    "AVIF": ("AVIF", {"quality": 100, "subsampling": "4:4:4"}),
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_picture_is_turned_upright_once(carrier, orientation):
    format, options = CARRIERS[carrier]
    exif = Image.Exif()
    exif[0x0112] = orientation
    undo = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}[orientation]
    stored = PHOTO if undo == 1 else PHOTO.transpose(images._TRANSPOSITIONS[undo])
    options = {**options, "tiffinfo": exif} if format == "TIFF" else {**options, "exif": exif}
    found = images.load(encode(stored, format, **options))
    assert found.size == PHOTO.size
    assert np.abs(np.asarray(found).astype(int) - np.asarray(PHOTO)).mean() < 2


@pytest.mark.parametrize("compression", [None, "zlib", "zlib with predictor"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("type", ["u1", "u2", "u4", "f4", "f2", "f8"])
def test_tiffs_are_read_as_tifffile_wrote_them_or_refused(type, planar, compression):
    """Planes or not, tiles or not, with and without alpha, grey, of both byte orders."""
    read = 0
    for tile, alpha, grey, order in itertools.product([None, (16, 16)], [False, True], [False, True], "<>"):
        if (grey and (alpha or planar == "separate")) or (compression == "zlib with predictor" and type[0] == "f"):
            continue
        values = BASE[..., 0] if grey else np.concatenate([BASE, np.ones((48, 64, int(alpha)))], -1)
        top = np.iinfo(type).max if type[0] == "u" else 1
        stored = values * top if type[0] == "f" else np.rint(values * top)
        stored = stored if grey or planar == "contig" else np.moveaxis(stored, -1, 0)
        buffer = io.BytesIO()
        tifffile.imwrite(
            buffer, np.ascontiguousarray(stored).astype(type), photometric="minisblack" if grey else "rgb", tile=tile,
            planarconfig=None if grey else planar, compression=compression and "zlib", byteorder=order,
            predictor=compression == "zlib with predictor" or None, extrasamples=["unassalpha"] if alpha else None,
        )  # fmt: skip
        try:
            found = np.asarray(images.load(buffer.getvalue())) / 255
        except ImageError as error:
            assert "Save it as" in str(error)
            continue
        read += 1
        expected = np.repeat(values[..., None], 3, -1) if grey else values[..., :3]
        assert np.abs(found - expected).max() < 1.5 / 255, (tile, alpha, grey, order)
    assert read or type not in ("u1", "u2")


def jpegs():
    grey = PHOTO.convert("L")
    for options in ({}, {"progressive": True}, {"optimize": True}, {"restart_marker_blocks": 3}, {"quality": 30}):
        for image in (PHOTO, grey, PHOTO.crop((0, 0, 33, 17)), Image.new("RGB", (64, 48), (90, 120, 30))):
            yield encode(image, "JPEG", **options)


def test_a_jpeg_without_the_mark_of_its_end_is_whole():
    for data in jpegs():
        whole = np.asarray(images.load(data))
        for cut in (data[:-2], data[:-1]):
            assert np.array_equal(np.asarray(images.load(cut)), whole)
            assert images.load(cut, max_side=16).size == images.load(data, max_side=16).size


def test_a_jpeg_that_is_cut_is_right_or_refused():
    """Cut anywhere in its pixels, no part of it is silently grey."""
    refused = 0
    for data in jpegs():
        whole, start = np.asarray(images.load(data)), data.index(b"\xff\xda")
        for at in np.linspace(start + 14, len(data) - 3, 25).astype(int):
            try:
                assert np.array_equal(np.asarray(images.load(data[:at])), whole), at
            except ImageError as error:
                refused += 1
                assert ". " in str(error)
    assert refused > 350


def test_a_cut_jpeg_names_the_share_that_is_there():
    data = encode(PHOTO, "JPEG", quality=95)
    start = data.index(b"\xff\xda") + 14
    with pytest.raises(ImageError, match=r"cut off, and the upper (\d+) % .*\. Download") as caught:
        images.load(data[: start + (len(data) - start) * 3 // 4])
    assert 50 <= int(str(caught.value).split("upper ")[1].split(" %")[0]) <= 85
    with pytest.raises(ImageError, match="cut off, and only a part"):
        images.load(encode(PHOTO, "JPEG", progressive=True)[:-400])


def box(brand, *compatible):
    return (20 + 4 * len(compatible)).to_bytes(4, "big") + b"ftyp" + brand + bytes(4) + b"".join(compatible) + bytes(99)


FOREIGN = {
    "HEIC photo.*Most Compatible": [
        box(b"heic"), box(b"mif1", b"mif1", b"heic"), box(b"msf1", b"hevc"), box(b"heix", b"mif1"),
    ],
    "HEIF photo": [box(b"mif1")],
    "raw photo.*Develop": [
        b"FUJIFILMCCD-RAW 0201", box(b"crx "), b"IIRO\x08\0\0\0", b"IIU\0\x18\0\0\0", b"II*\0\x10\0\0\0CR\x02\0",
    ],
    "video": [box(b"isom"), box(b"qt  ")],
    "JPEG XL": [b"\xff\x0a\xfa\x7f", b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(30)],
    "JPEG 2000": [b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(30), b"\xff\x4f\xff\x51" + bytes(30)],
    "SVG": [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a -->\n<svg>"],
    "EPS": [b"%!PS-Adobe-3.0 EPSF-3.0", b"\xc5\xd0\xd3\xc6" + bytes(30)],
    "PDF": [b"%PDF-1.7\n"],
    "Photoshop": [b"8BPS\0\1" + bytes(30)],
    "web page": [b"<!DOCTYPE html><html>", b"\n <html lang='en'>"],
}  # fmt: skip


@pytest.mark.parametrize("said", FOREIGN)
def test_other_files_are_called_by_their_name(said):
    for data in FOREIGN[said]:
        with pytest.raises(ImageError, match=rf"{said}.*\. Use PNG, JPEG"):
            images.load(data)


@pytest.mark.parametrize("tag", [(50706, "B", 4, (1, 4, 0, 0)), (254, "I", 1, 1)])
def test_the_preview_in_a_raw_photo_is_not_taken_for_the_photo(tag):
    buffer = io.BytesIO()
    subfile = tag[3] if tag[0] == 254 else None
    extra = [] if subfile else [(*tag, True)]
    tifffile.imwrite(buffer, np.asarray(PHOTO), photometric="rgb", subfiletype=subfile, extratags=extra)
    with pytest.raises(ImageError, match=r"raw photo.*Develop"):
        images.load(buffer.getvalue())


def test_a_damaged_picture_of_an_accepted_format_is_called_nothing_else():
    for brand in (b"avif", b"avis"):
        with pytest.raises(ImageError, match="not a picture that can be read here"):
            images.load(box(brand))
