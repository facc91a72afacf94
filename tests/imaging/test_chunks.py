"""PNGs: metadata that does not matter is not looked at, and what the colours mean is."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from inverse.errors import ImageError, ParameterError
from inverse.imaging import colours, images
from inverse.imaging.chunks import Chunks
from inverse.settings import Settings, carriers

Y, X = np.mgrid[:20, :24]
COLOURS = Image.fromarray(np.stack([X * 10, Y * 12, X * Y % 256], -1).astype(np.uint8))
GREY = COLOURS.convert("L")


def encode(image, format="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def chunk(kind, data, right=True):
    checksum = zlib.crc32(kind + data) ^ (not right)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def with_chunks(image, *parts):
    whole = encode(image)
    return whole[:33] + b"".join(parts) + whole[33:]


def differs(data, image):
    return np.abs(np.asarray(images.load(data)).astype(int) - np.asarray(image.convert("RGB"))).max()


def test_a_wrong_checksum_matters_where_pixels_depend_on_it_only():
    for kind, content in ((b"tEXt", b"a\0b"), (b"tIME", bytes(7)), (b"gAMA", struct.pack(">I", 100_000))):
        assert differs(with_chunks(COLOURS, chunk(kind, content, right=False)), COLOURS) == 0, kind
    damaged = bytearray(encode(COLOURS.convert("P")))
    damaged[damaged.index(b"PLTE") + 4 + 768] ^= 1
    with pytest.raises(ImageError):
        images.load(bytes(damaged))


@pytest.mark.parametrize("kind", [b"gAMA", b"sRGB", b"cHRM", b"iCCP", b"tRNS", b"pHYs", b"acTL", b"fcTL", b"eXIf"])
def test_an_ancillary_chunk_of_nonsense_does_not_matter(kind):
    for content in (b"", b"x", b"\xff" * 3):
        assert differs(with_chunks(COLOURS, chunk(kind, content)), COLOURS) == 0, content


def test_megabytes_of_packed_text_do_not_matter():
    packet = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"<x:xmpmeta> " * 150_000)
    assert differs(with_chunks(COLOURS, chunk(b"iTXt", packet)), COLOURS) == 0


def test_settings_are_found_beside_megabytes_of_other_text():
    settings, info = Settings.create(seed=7), PngInfo()
    info.add_itxt("XML:com.adobe.xmp", "x" * 2_000_000, zip=True)
    info.add_itxt(carriers.KEY, settings.to_json(), zip=True)
    assert carriers.read(encode(COLOURS, pnginfo=info))["seed"] == 7
    info.chunks.pop()
    with pytest.raises(ParameterError, match="no settings"):
        carriers.read(encode(COLOURS, pnginfo=info))


def test_the_view_reads_as_a_file_at_any_place():
    data = with_chunks(COLOURS, chunk(b"tEXt", b"a\0" + b"x" * 999), chunk(b"gAMA", struct.pack(">I", 45455)))
    whole = data.replace(chunk(b"tEXt", b"a\0" + b"x" * 999), b"")
    view = io.BufferedReader(Chunks(io.BytesIO(data)))
    assert view.read() == whole
    for at in range(0, len(whole), 7):
        assert view.seek(at) == at and view.read(5) == whole[at : at + 5]
    assert view.seek(-4, io.SEEK_END) == len(whole) - 4 and view.read() == whole[-4:]


def animation(default_first):
    """Three frames in red, lime and blue; a yellow default image before them is hidden, or there is none."""
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "lime", "blue")]
    if default_first:
        return encode(Image.new("RGB", (16, 16), "yellow"), save_all=True, append_images=frames, default_image=True)
    return encode(frames[0], save_all=True, append_images=frames[1:])


@pytest.mark.parametrize("default_first", [False, True])
def test_the_first_frame_is_that_of_the_animation(default_first):
    """As browsers show it; a default image that is no frame is for those who know no animations."""
    assert images.load(animation(default_first)).getpixel((4, 4)) == (255, 0, 0)


def test_a_damaged_animation_still_has_its_default_image():
    data = bytearray(animation(False))
    at = data.rindex(b"fcTL")
    data[at + 4 : at + 8] = b"\xff" * 4
    assert images.load(bytes(data)).getpixel((4, 4)) == (255, 0, 0)


# Colours


def decoded(values, gamma):
    """sRGB levels of numbers whose light is their power of 1 / gamma."""
    light = (np.asarray(values) / 255) ** (1 / gamma)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def gama(gamma):
    return chunk(b"gAMA", struct.pack(">I", round(gamma * 100_000)))


def chrm(primaries):
    return chunk(b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in primaries)))


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("gamma", [1.0, 1 / 1.8, 1 / 2.6])
@pytest.mark.parametrize("image", [GREY, COLOURS], ids=["grey", "colour"])
def test_gama_is_followed(image, gamma):
    found = np.asarray(images.load(with_chunks(image, gama(gamma)))).astype(float)
    assert np.abs(found - decoded(np.asarray(image.convert("RGB")), gamma)).max() <= 2


def test_what_counts_more_than_gama():
    profile = chunk(b"iCCP", b"a\0\0" + zlib.compress(SRGB))
    for other in (chunk(b"sRGB", b"\0"), profile):
        assert differs(with_chunks(COLOURS, gama(1.0), other), COLOURS) <= 1
    assert differs(with_chunks(COLOURS, gama(1 / 2.2)), COLOURS) == 0  # what programs write beside sRGB
    assert differs(with_chunks(COLOURS, gama(1 / 2.2), chrm(colours.SRGB_PRIMARIES)), COLOURS) == 0


def test_sixteen_bits_of_linear_grey_have_no_steps_in_the_dark():
    values = np.tile(np.arange(0, 2048, 8, dtype=np.uint16), (16, 1))
    found = np.asarray(images.load(with_chunks(Image.fromarray(values), gama(1.0))))[0, :, 0]
    assert np.abs(found - decoded(values[0] / 257, 1.0)).max() <= 1.5
    assert np.diff(found.astype(int)).max() <= 2


def test_chrm_of_other_primaries_is_followed():
    """Red and blue swapped: the picture comes out with red and blue swapped."""
    white, red, green, blue = (colours.SRGB_PRIMARIES[at : at + 2] for at in (0, 2, 4, 6))
    found = images.load(with_chunks(COLOURS, gama(1 / 2.2), chrm((*white, *blue, *green, *red))))
    expected = decoded(np.asarray(COLOURS), 1 / 2.2)[..., ::-1]
    assert np.abs(np.asarray(found) - expected).max() <= 3
    assert differs(with_chunks(COLOURS, gama(1 / 2.2), chrm((0,) * 8)), COLOURS) == 0


def made(gamma, grey=False, described=b""):
    """A profile of that gamma; its description is what the test wants it to be."""
    profile = colours.gamma_profile(gamma, colours.SRGB_PRIMARIES, grey)
    if not described:
        return profile
    text = described.decode().encode("utf-16-be")
    desc = b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(text), 28) + text
    count = struct.unpack(">I", profile[128:132])[0]
    entries = [list(struct.unpack(">4sII", profile[132 + 12 * n : 144 + 12 * n])) for n in range(count)]
    entries = [[name, offset + 12, size] for name, offset, size in entries]
    entries.append([b"desc", len(profile) + 12, len(desc)])
    table = struct.pack(">I", count + 1) + b"".join(struct.pack(">4sII", *entry) for entry in entries)
    whole = profile[:128] + table + profile[132 + 12 * count :] + desc
    return struct.pack(">I", len(whole)) + whole[4:]


def test_a_profile_is_what_it_does_and_not_what_it_is_called():
    linear = made(1.0, described=b"sRGB linear")
    named = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(linear)))
    assert "sRGB" in named
    for format in ("PNG", "TIFF"):
        found = np.asarray(images.load(encode(COLOURS, format, icc_profile=linear))).astype(float)
        assert np.abs(found - decoded(np.asarray(COLOURS), 1.0)).max() <= 2, format
    assert differs(encode(COLOURS, icc_profile=SRGB), COLOURS) == 0


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF"])
def test_a_grey_profile_is_followed(format):
    ramp = Image.fromarray(np.tile(np.arange(256, dtype=np.uint8), (16, 1)))
    options = {"quality": 100} if format == "JPEG" else {}
    found = np.asarray(images.load(encode(ramp, format, icc_profile=made(1 / 1.8, grey=True), **options))).astype(float)
    assert np.abs(found - decoded(np.arange(256), 1 / 1.8)[None, :, None]).max() <= 2


def test_colours_are_converted_before_they_are_mixed_with_white():
    half = Image.merge("RGBA", [*COLOURS.split(), Image.new("L", COLOURS.size, 128)])
    found = np.asarray(images.load(encode(half, icc_profile=made(1.0)))).astype(float)
    expected = 255 + (decoded(np.asarray(COLOURS), 1.0) - 255) * 128 / 255
    assert np.abs(found - expected).max() <= 3
    grey = Image.merge("LA", [GREY, Image.new("L", GREY.size, 128)])
    found = np.asarray(images.load(encode(grey, icc_profile=made(1.0, grey=True)))).astype(float)
    assert np.abs(found - (255 + (decoded(np.asarray(GREY.convert("RGB")), 1.0) - 255) * 128 / 255)).max() <= 3


def test_large_profiles_and_small_sizes():
    assert images.load(encode(COLOURS.convert("L"), icc_profile=made(1.0, grey=True)), max_side=12).size == (12, 10)
    padded = made(1.0) + bytes(2_000_000)
    assert differs(encode(COLOURS, icc_profile=padded), COLOURS) > 40
