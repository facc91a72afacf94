"""Odd pictures: every kind of pixel keeps its brightness and colours, or is refused with a sentence."""

import io
import os
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from inverse.errors import ImageError
from inverse.imaging import images, tiffs

RAMP = np.linspace(0, 1, 256) ** 2  # not symmetric, so that an inverted one has another mean
STRIP = np.tile(RAMP, (16, 1))


def encode(image, format="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(array, bits, colour, *extra, interlaced=0):
    """A PNG of big-endian samples (H, W, ...)."""
    array = array.astype(">u2") if bits == 16 else array
    rows = b"".join(b"\0" + row.tobytes() for row in array)
    header = struct.pack(">IIBBBBB", array.shape[1], array.shape[0], bits, colour, 0, 0, interlaced)
    parts = [chunk(b"IHDR", header), *extra, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def tiff(array, photometric=1, kind=1, extra=None, order="<"):
    """An uncompressed TIFF of samples (H, W) or (H, W, C); kind is its SampleFormat."""
    array = array if array.ndim == 3 else array[..., None]
    array = array.astype(array.dtype.newbyteorder(order))
    height, width, count = array.shape
    bits, data = array.dtype.itemsize * 8, array.tobytes()
    tags = {256: (4, [width]), 257: (4, [height]), 258: (3, [bits] * count), 259: (3, [1]), 262: (3, [photometric]),
            273: (4, [0]), 277: (3, [count]), 278: (4, [height]), 279: (4, [len(data)]),
            339: (3, [kind] * count)}  # fmt: skip
    if extra is not None:
        tags[338] = (3, [extra])
    entries, blobs = b"", b""
    start = 8 + 2 + 12 * len(tags) + 4
    long = sum(len(v) * 2 for t, v in tags.values() if t == 3 and len(v) > 2)
    tags[273] = (4, [start + long])
    for tag, (width, values) in sorted(tags.items()):
        packed = struct.pack(f"{order}{len(values)}{'H' if width == 3 else 'I'}", *values)
        if len(packed) > 4:
            packed, blobs = struct.pack(f"{order}I", start + len(blobs)), blobs + packed
        entries += struct.pack(f"{order}HHI", tag, width, len(values)) + packed.ljust(4, b"\0")
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(tags))
    return head + entries + bytes(4) + blobs + data


def grey(dtype, top):
    return np.rint(STRIP * top).astype(dtype)


def rgb(dtype, top, *more):
    return np.stack([grey(dtype, top)] * 3 + list(more), -1)


FULL16 = np.full(STRIP.shape, 65535, np.uint16)
HALF16 = np.full(STRIP.shape, 32896, np.uint16)
BITS = np.tile(np.arange(256) % 3 == 0, (16, 1))
INFINITE = STRIP.astype(np.float32).copy()
INFINITE[:2, :3] = [[np.nan, np.inf, -np.inf]] * 2
OUTLIER = STRIP.astype(np.float32).copy()
OUTLIER[3, 5] = 1e30
GREY8 = Image.fromarray(grey(np.uint8, 255))

RIGHT = {
    "png-grey16": (png(grey(np.uint16, 65535), 16, 0), STRIP),
    "png-rgb16": (png(rgb(np.uint16, 65535), 16, 2), STRIP),
    "png-la16": (png(np.stack([grey(np.uint16, 65535), HALF16], -1), 16, 4), STRIP / 2 + 0.5),
    "png-rgba16": (png(rgb(np.uint16, 65535, FULL16), 16, 6), STRIP),
    "png-1": (encode(Image.fromarray(BITS)), BITS * 1.0),
    "png-palette-half-transparent": (encode(GREY8.convert("P"), transparency=bytes([128] * 256)), STRIP / 2 + 0.5),
    "png-interlaced": (png(np.full((1, 1), 99, np.uint8), 8, 0, interlaced=1), np.full((1, 1), 99 / 255)),
    "tiff-grey16": (tiff(grey(np.uint16, 65535)), STRIP),
    "tiff-grey16-big-endian": (tiff(grey(np.uint16, 65535), order=">"), STRIP),
    "tiff-grey16-white-is-zero": (tiff(65535 - grey(np.uint16, 65535), photometric=0), STRIP),
    "tiff-grey8-white-is-zero": (tiff(255 - grey(np.uint8, 255), photometric=0), STRIP),
    "tiff-rgb16": (tiff(rgb(np.uint16, 65535), 2), STRIP),
    "tiff-rgb16-big-endian": (tiff(rgb(np.uint16, 65535), 2, order=">"), STRIP),
    "tiff-rgba16": (tiff(rgb(np.uint16, 65535, FULL16), 2, extra=2), STRIP),
    "tiff-cmyk16": (tiff(np.concatenate([65535 - rgb(np.uint16, 65535), 0 * FULL16[..., None]], -1), 5), STRIP),
    "tiff-signed16": (tiff(grey(np.int16, 32767), kind=2), STRIP),
    "tiff-unsigned32": (tiff(grey(np.uint32, 2**32 - 1)), STRIP),
    "tiff-signed32": (tiff(grey(np.int32, 2**31 - 1), kind=2), STRIP),
    "tiff-signed32-of-16-bits": (tiff(grey(np.int32, 65535), kind=2), STRIP),
    "tiff-float-1": (tiff(STRIP.astype(np.float32), kind=3), STRIP),
    "tiff-float-1-big-endian": (tiff(STRIP.astype(np.float32), kind=3, order=">"), STRIP),
    "tiff-float-255": (tiff((255 * STRIP).astype(np.float32), kind=3), STRIP),
    "tiff-float-65535": (tiff((65535 * STRIP).astype(np.float32), kind=3), STRIP),
    "tiff-float-beyond-1": (tiff((1.5 * STRIP).astype(np.float32), kind=3), np.minimum(1.5 * STRIP, 1)),
    "tiff-float-infinite": (tiff(INFINITE, kind=3), np.nan_to_num(INFINITE, posinf=1, neginf=0)),
    "tiff-float-outlier": (tiff(OUTLIER, kind=3), np.minimum(OUTLIER, 1)),
    "tiff-lzw": (encode(GREY8.convert("RGB"), "TIFF", compression="tiff_lzw"), STRIP),
    "tiff-fax": (encode(Image.fromarray(BITS), "TIFF", compression="group4"), BITS * 1.0),
    "tiff-bigtiff": (encode(GREY8, "TIFF", big_tiff=True), STRIP),
    "tiff-pages": (encode(GREY8, "TIFF", save_all=True, append_images=[Image.new("L", (256, 16))] * 300), STRIP),
    "gif": (encode(GREY8, "GIF"), STRIP),
    "bmp-palette": (encode(GREY8.convert("P"), "BMP"), STRIP),
    "webp-lossless": (encode(GREY8.convert("RGBA"), "WEBP", lossless=True), STRIP),
    "avif": (encode(GREY8.convert("RGB"), "AVIF", quality=100), STRIP),
    "jpeg-progressive": (encode(GREY8.convert("RGB"), "JPEG", quality=98, progressive=True), STRIP),
    "jpeg-cmyk": (encode(GREY8.convert("RGB").convert("CMYK"), "JPEG", quality=98), STRIP),
    "mpo": (encode(GREY8, "MPO", quality=98, save_all=True, append_images=[Image.new("L", (256, 16))]), STRIP),
}


@pytest.mark.parametrize("name", RIGHT)
def test_brightness_is_kept_within_a_255th(name):
    data, expected = RIGHT[name]
    pixels = np.asarray(images.load(data)) / 255
    assert abs(pixels.mean() - expected.mean()) <= 1 / 255
    assert np.abs(pixels - expected[..., None]).max() <= 4 / 255  # JPEG and AVIF are lossy; the others keep to one


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (tiff((2 * STRIP - 1).astype(np.float32), kind=3), "black is 0"),
        (tiff(grey(np.int32, 65535) - 30000, kind=2), "black is 0"),
        (tiff(np.full((9, 9), np.nan, np.float32), kind=3), "no pixel that is a number"),
        (tiff(grey(np.int8, 127), kind=2), "sign"),
        (tiff(STRIP, kind=3), "PNG or 8-bit TIFF"),
        (tiff(STRIP.astype(np.float16), kind=3), "PNG or 8-bit TIFF"),
        (tiff(rgb(np.float32, 1), 2, kind=3), "PNG or 8-bit TIFF"),
    ],
    ids=["float-signed", "int-signed", "all-nan", "int8", "float64", "float16", "float-rgb"],
)
def test_pixels_that_nobody_can_read_are_refused(data, said):
    with pytest.raises(ImageError, match=said):
        images.load(data)


def test_colours_of_a_profile_become_srgb(photo):
    """A profile whose red and blue are swapped gives the picture with red and blue swapped, at any size."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", profile[128:132])[0]
    for index in range(count):
        at = 132 + 12 * index
        name = bytes(profile[at : at + 4])
        swapped = {b"rXYZ": b"bXYZ", b"bXYZ": b"rXYZ", b"desc": b"none"}
        profile[at : at + 4] = swapped.get(name, name)
    expected = np.asarray(photo)[..., ::-1].astype(int)
    for format in ("PNG", "TIFF"):
        found = np.asarray(images.load(encode(photo, format, icc_profile=bytes(profile)))).astype(int)
        assert np.abs(found - expected).mean() < 2, format
    assert images.load(encode(photo, icc_profile=bytes(profile)), max_side=36).size == (36, 28)


def printers_profile(lab):
    """Of inks whose every mixture has one colour, in bytes of Lab."""
    same = bytes(range(256))
    table = b"mft1" + bytes(4) + struct.pack(">BBBx9i", 4, 3, 2, *(65536 * (i % 4 == 0) for i in range(9)))
    table += same * 4 + bytes(lab) * 2**4 + same * 3
    head = struct.pack(">I4xI4s4s4s12x4s", 144 + len(table), 0x02400000, b"prtr", b"CMYK", b"Lab ", b"acsp")
    head = head.ljust(68, b"\0") + struct.pack(">3I", 63190, 65536, 54061)  # D50
    return head.ljust(128, b"\0") + struct.pack(">I4sII", 1, b"A2B0", 144, len(table)) + table


@pytest.mark.parametrize("format", ["TIFF", "JPEG"])
def test_inks_of_a_profile_become_srgb(format):
    cyan = Image.new("CMYK", (20, 16), (200, 0, 0, 0))
    white = printers_profile((255, 128, 128))
    assert images.load(encode(cyan, format, icc_profile=white)).getpixel((3, 3)) == (255, 255, 255)
    assert images.load(encode(cyan, format)).getpixel((3, 3))[0] < 60


@pytest.mark.parametrize("profile", [b"\0" * 200, b"junk" * 5000, os.urandom(3000), b"x" * 5_000_000])
def test_a_profile_that_is_none_changes_nothing(photo, profile):
    assert np.array_equal(np.asarray(images.load(encode(photo, "TIFF", icc_profile=profile))), np.asarray(photo))


def test_a_srgb_profile_changes_nothing(photo):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.array_equal(np.asarray(images.load(encode(photo, icc_profile=profile))), np.asarray(photo))


def test_the_callers_picture_is_left_as_it_is(photo):
    for mode in ("RGB", "CMYK", "RGBA", "L"):
        mine = photo.convert(mode)
        mine.info["icc_profile"] = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        before = mine.tobytes()
        assert images.load(mine, max_side=20).size == (20, 16)
        assert mine.size == photo.size and mine.tobytes() == before


def entry(*tags):
    packed = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + packed + bytes(4)


PLAIN = [(256, 4, 1, 64), (257, 4, 1, 64), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1), (277, 3, 1, 1)]
SMALL = encode(Image.new("RGB", (64, 48), (200, 100, 50)))


def with_chunk(kind, data):
    return SMALL[:33] + chunk(kind, data) + SMALL[33:]


def patched(format, at, data):
    whole = bytearray(encode(Image.new("P", (64, 48)), format))
    whole[at : at + len(data)] = data
    return bytes(whole)


HARMLESS = {
    "zTXt bomb": lambda: with_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(100_000_000), 1)),
    "iTXt bomb": lambda: with_chunk(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(bytes(100_000_000), 1)),
    "iCCP bomb": lambda: with_chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(100_000_000), 1)),
    "many zTXt": lambda: SMALL[:33] + 90 * chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(900_000))) + SMALL[33:],
    "large tEXt": lambda: with_chunk(b"tEXt", b"a\0" + bytes(20_000_000)),
}
"""Text and profiles that are never unpacked beyond a bound: the picture behind them is as good as any."""

REFUSED = {
    "chunks without end": lambda: SMALL[:33] + 1_000_000 * chunk(b"tEXt", b"a\0b") + SMALL[33:],
    "JPEG 65500x10": lambda: encode(Image.new("L", (65500, 10)), "JPEG"),
    "JPEG 65500x65500": lambda: encode(Image.new("L", (64, 48)), "JPEG").replace(
        struct.pack(">HH", 48, 64), struct.pack(">HH", 65500, 65500)
    ),
    "GIF 65535x65535": lambda: patched("GIF", 6, struct.pack("<HH", 65535, 65535)),
    "BMP 20000x-20000": lambda: patched("BMP", 18, struct.pack("<ii", 20000, -20000)),
    "PNG 0x5": lambda: SMALL[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", 0, 5, 8, 2, 0, 0, 0)) + SMALL[33:],
    "PNG 1x10000": lambda: encode(Image.new("RGB", (1, 10000))),
    "TIFF tiles 16000": lambda: entry(*PLAIN, (322, 4, 1, 16000), (323, 4, 1, 16000), (324, 4, 1, 200)) + bytes(99),
    "TIFF tiles 2^30": lambda: entry(*PLAIN, (322, 4, 1, 2**30), (323, 4, 1, 2**30), (324, 4, 1, 200)) + bytes(99),
    "TIFF strip 2^31": lambda: entry(*PLAIN, (273, 4, 1, 160), (278, 4, 1, 64), (279, 4, 1, 2**31)) + bytes(9999),
    "TIFF 2^32 bits": lambda: entry(*PLAIN[:2], (258, 3, 2**32 - 1, 8), *PLAIN[3:]) + bytes(99),
    "TIFF of itself": lambda: entry(*PLAIN, (273, 4, 1, 0), (279, 4, 1, 99)),
    "SVG": lambda: b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
    "PDF": lambda: encode(Image.new("RGB", (64, 48)), "PDF"),
    "EPS": lambda: encode(Image.new("RGB", (64, 48)), "EPS"),
    "ICO": lambda: encode(Image.new("RGB", (64, 64)), "ICO"),
    "ICNS": lambda: encode(Image.new("RGB", (64, 64)), "ICNS"),
    "PPM": lambda: encode(Image.new("RGB", (64, 48)), "PPM"),
    "TGA": lambda: encode(Image.new("RGB", (64, 48)), "TGA"),
    "JPEG 2000": lambda: encode(Image.new("RGB", (64, 48)), "JPEG2000"),
    "PSD": lambda: b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 48, 64, 8, 3) + bytes(200),
    "HEIC": lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500),
}

MEASURE = """
import re, sys, time
from pathlib import Path
from PIL import Image
from inverse.imaging import images, tiffs
from inverse.errors import ImageError

def now(name):
    return int(re.search(name + r":\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1])

try: images.load(b"")
except ImageError: pass
for path in sys.argv[1:]:
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew; getrusage would count the parent's
    before, start = now("VmRSS"), time.process_time()
    try: said = f"took it: {images.load(path).size}"
    except ImageError as error: said = str(error)
    print(f"{time.process_time() - start:.3f}|{(now('VmHWM') - before) / 1024:.1f}|{said}")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of a process as Linux tells it")
def test_bombs_and_other_formats_are_refused_fast_and_in_little_memory(tmp_path):
    """By their content: each is called a PNG. In a process of its own, whose memory nobody else uses.

    Refusing takes less time than reading the largest picture that is allowed.
    """
    paths = []
    for number, make in enumerate((REFUSED | HARMLESS).values()):
        paths.append(tmp_path / f"{number}.png")
        paths[-1].write_bytes(make())
    (tmp_path / "allowed.png").write_bytes(encode(Image.new("L", (8000, 5000), 7), compress_level=1))
    command = [sys.executable, "-c", MEASURE, *map(str, paths), str(tmp_path / "allowed.png")]
    *lines, allowed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(lines) == len(REFUSED | HARMLESS) and allowed.endswith("took it: (8000, 5000)")
    reading = float(allowed.split("|")[0])
    for name, line in zip(REFUSED | HARMLESS, lines, strict=True):
        seconds, megabytes, said = line.split("|")
        if name in HARMLESS:
            assert said == "took it: (64, 48)", (name, said)
        else:
            assert ". " in said and said.endswith(".") and "took it" not in said, (name, said)
            assert str(tmp_path) not in said, (name, said)
        assert float(seconds) < reading and float(megabytes) < 50, (name, line)


@pytest.mark.parametrize(
    "data",
    [
        with_chunk(b"tEXt", b"a\0" + b"x" * 2_000_000),
        with_chunk(b"eXIf", b"MM\0*\0\0\0\x08\xff\xff" + b"\x01\x12\0\4\xff\xff\xff\xff\0\0\0\0" * 65535),
        with_chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\1\x87\x69\0\4\0\0\0\1\0\0\0\x08\0\0\0\x08"),
        with_chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\1\x01\x12\0\2\0\0\0\4abc\0\0\0\0\0"),
    ],
    ids=["long text", "EXIF of 65535 entries", "EXIF of itself", "orientation as text"],
)
def test_odd_metadata_does_not_matter(data):
    assert images.load(data).getpixel((9, 9)) == (200, 100, 50)


def test_tiles_of_a_small_picture_have_a_limit_of_their_own():
    for side, said in ((tiffs.MIN_TILE, "damaged"), (tiffs.MIN_TILE + 16, f"in tiles of {tiffs.MIN_TILE + 16}x")):
        tiles = entry(*PLAIN, (322, 4, 1, side), (323, 4, 1, side), (324, 4, 1, 200)) + bytes(99)
        with pytest.raises(ImageError, match=said):
            images.load(tiles)


def test_every_row_of_a_large_picture_of_16_bits_keeps_its_brightness():
    """More pixels than are converted at a time."""
    rows = np.linspace(0, 65535, 2100).astype(np.uint16)[:, None]
    pixels = np.asarray(images.load(Image.fromarray(np.tile(rows, (1, 1024)))))[..., 0]
    assert np.abs(pixels - rows / 257).max() <= 1


def test_forty_megapixels_are_the_limit():
    assert images.load(encode(Image.new("L", (8000, 5000), 7), compress_level=1), max_side=80).size == (80, 50)
    with pytest.raises(ImageError, match="8001x5000"):
        images.load(encode(Image.new("L", (8001, 5000)), compress_level=1))


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    for path in (tmp_path / "pipe.png", "/dev/zero"):
        with pytest.raises(ImageError, match="no file"):
            images.load(path)
