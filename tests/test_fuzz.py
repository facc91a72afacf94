"""Fuzzing of everything that reads what strangers made. A few cases always; many with `make test-fuzz`.

The property: a valid result, or an error of ours with a sentence; never anything else, and within bounds.
"""

import base64
import io
import json
import math
import os
import struct
import tracemalloc
import zlib
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from inverse.batch.sweep import Axis, Sweep, axis, sweepable
from inverse.errors import ImageError, InverseError, ParameterError
from inverse.imaging import images
from inverse.operators import TASKS
from inverse.settings import Settings, carriers
from inverse.solvers.presets import solvers_for

MANY = int(os.environ.get("INVERSE_FUZZ_CASES", "5000"))
"""Cases of each test marked `fuzz`."""
FEW = 30
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "AVIF")


def cases(count):
    return settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))


def few_and_many(test):
    """The test twice: a few cases in the fast suite, many under the marker."""

    @pytest.mark.parametrize(
        "count",
        [pytest.param(FEW, id="few"), pytest.param(MANY, id="many", marks=[pytest.mark.fuzz, pytest.mark.slow])],
    )
    def run(count):
        cases(count)(test)()

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


# Pictures


@cache
def seeds():
    """A small valid file of each format and of several kinds of pixels."""
    y, x = np.mgrid[:20, :24]
    colour = Image.fromarray(np.stack([x * 10, y * 12, x * y % 256], -1).astype(np.uint8))
    made = []
    for format in FORMATS:
        for mode in ("RGB", "L", "P", "1", "RGBA", "LA", "CMYK", "I;16", "F"):
            for options in ({}, {"save_all": True, "append_images": [Image.new("RGB", (24, 20))]}):
                buffer = io.BytesIO()
                try:
                    colour.convert("L" if mode in ("I;16", "F") else mode).convert(mode).save(buffer, format, **options)
                except (
                    OSError,
                    ValueError,
                    KeyError,
                    NameError,
                    RuntimeError,
                ):  # not every kind fits
                    continue
                made.append(buffer.getvalue())
    for compression in ("tiff_lzw", "packbits", "tiff_adobe_deflate", "jpeg", "group4"):
        buffer = io.BytesIO()
        colour.convert("1" if compression == "group4" else "RGB").save(buffer, "TIFF", compression=compression)
        made.append(buffer.getvalue())
    return made


EDGES = [bytes(n) for n in (1, 2, 4, 8)] + [b"\xff" * n for n in (1, 2, 4, 8)] + [
    struct.pack(order + code, value)
    for order in "<>" for code, value in (("H", 0x7FFF), ("H", 1), ("I", 0x7FFFFFFF), ("I", 16384), ("I", 65536))
]  # fmt: skip


def mended(data):
    """A PNG whose checksums are right again, so that a change reaches the parser behind them."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    whole, at = bytearray(data), 8
    while at + 12 <= len(whole):
        length = int.from_bytes(whole[at : at + 4], "big")
        if at + 12 + length > len(whole):
            break
        end = at + 8 + length
        whole[end : end + 4] = zlib.crc32(bytes(whole[at + 4 : end])).to_bytes(4, "big")
        at = end + 4
    return bytes(whole)


@st.composite
def damaged(draw):
    data = bytearray(draw(st.sampled_from(seeds())))
    for _ in range(draw(st.integers(0, 6))):
        early = st.integers(0, min(64, len(data) - 1))  # headers matter more than bodies
        at = draw(st.one_of(early, st.integers(0, len(data) - 1)))
        what = draw(st.sampled_from(["byte", "bit", "edge", "cut", "insert", "repeat", "splice"]))
        if what == "byte":
            data[at] = draw(st.integers(0, 255))
        elif what == "bit":
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif what == "edge":
            value = draw(st.sampled_from(EDGES))
            data[at : at + len(value)] = value
        elif what == "cut":
            del data[at : at + draw(st.integers(1, 40))]
        elif what == "insert":
            data[at:at] = draw(st.binary(max_size=20))
        elif what == "repeat":
            data[at:at] = data[at : at + draw(st.integers(1, 40))] * draw(st.integers(1, 50))
        else:
            other = draw(st.sampled_from(seeds()))
            data[at:] = other[draw(st.integers(0, len(other) - 1)) :]
        if not data:
            data = bytearray(b"\0")
    return mended(bytes(data)) if draw(st.booleans()) else bytes(data)


@few_and_many
@given(damaged(), st.sampled_from([None, 16]))
def test_pictures(data, max_side):
    """RGB within the limits, or a sentence; Python's own memory stays within the largest picture's."""
    tracemalloc.start()
    try:
        picture = images.load(data, max_side)
        assert picture.mode == "RGB" and picture.size[0] * picture.size[1] <= images.MAX_PIXELS and not picture.info
        limit = 40e6 + 12 * picture.size[0] * picture.size[1]
    except ImageError as error:
        assert ". " in str(error) and str(error).endswith(".")
        limit = 400e6
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < limit


def test_every_seed_is_read():
    assert len(seeds()) > 60
    for data in seeds():
        assert images.load(data).size == (24, 20)


# Settings

JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
        st.sampled_from([10**400, -(10**400), 1e308, "nan", "NaN", "__class__", "embedded", "7", ""]),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@cache
def valid():
    return [
        Settings.create(task=task, solver=solver, size=96, sigma_y=0.1, seed=3)
        for task in TASKS
        for solver in (solvers_for(task)[0], solvers_for(task)[-1])
    ]


@st.composite
def spoilt_settings(draw):
    """Plain data of valid settings with some of its parts exchanged, left out or added."""
    data = json.loads(draw(st.sampled_from(valid())).to_json())
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.sampled_from([data, data.get("task"), data.get("solver")]))
        if isinstance(place, dict) and isinstance(place.get("parameters"), dict) and draw(st.booleans()):
            place = place["parameters"]
        if not isinstance(place, dict):
            continue
        key = draw(st.one_of(st.sampled_from([*place] or ["x"]), st.text(max_size=12)))
        if draw(st.booleans()):
            place[key] = draw(JSON)
        else:
            place.pop(key, None)
    return draw(st.one_of(st.just(data), JSON)) if draw(st.integers(0, 9)) == 0 else data


def understood(data):
    """Settings and notes; what is understood goes around once more unchanged."""
    found, notes = Settings.from_dict(data)
    assert all(note.endswith(".") and len(note) < 2000 for note in notes)
    assert Settings.from_dict(json.loads(found.to_json())) == (found, [])


@few_and_many
@given(spoilt_settings())
@example({"schema": 10**5000, "task": {}})
@example({"schema": 1, "inverse": 10**5000, "stopped_at": 10**5000, "seed": 10**5000})
@example({"schema": 1, "task": {"name": 10**5000}})
def test_settings_as_plain_data(data):
    try:
        understood(data)
    except InverseError as error:
        assert ". " in str(error) and len(str(error)) < 2000


@st.composite
def carried(draw):
    """Bytes of a file that should hold settings: JSON or PNG, or something that was one."""
    text = draw(st.sampled_from(valid())).to_json().encode()
    if draw(st.booleans()):
        buffer = io.BytesIO()
        Image.new("L", (4, 4)).save(buffer, "PNG", pnginfo=carriers.png_text(text.decode()))
        text = buffer.getvalue()
    data = bytearray(text)
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, max(0, len(data) - 1)))
        if draw(st.booleans()):
            data[at : at + draw(st.integers(0, 9))] = draw(st.binary(max_size=9))
        else:
            data[at:at] = draw(st.sampled_from([b"[" * 2000, b"{", b"\0", b"9" * 5000, b"1e999", b"NaN", b"\xff"]))
    return mended(bytes(data))


@few_and_many
@given(carried())
def test_settings_in_files(content):
    try:
        understood(carriers.read(content))
    except InverseError as error:
        assert ". " in str(error) and len(str(error)) < 2000


@few_and_many
@given(st.sampled_from(range(8)), st.binary(max_size=60), st.text(max_size=40), JSON)
def test_settings_in_links(kind, junk, text, data):
    link = valid()[0].link
    packed = [
        text, base64.urlsafe_b64encode(junk).decode(), base64.urlsafe_b64encode(zlib.compress(junk)).decode(),
        link[: len(junk)] + text + link[len(junk) :], carriers.pack(json.dumps(data)), link, data,
        base64.urlsafe_b64encode(zlib.compress(bytes(3_000_000))).decode(),
    ]  # fmt: skip
    try:
        understood(carriers.unpack(packed[kind]))
        assert kind != 7
    except InverseError as error:
        assert kind != 5 and ". " in str(error) and len(str(error)) < 2000


# Axes

WORDS = st.one_of(
    st.integers().map(str), st.floats().map(str), st.text(max_size=6),
    st.sampled_from(["1e400", "nan", "inf", "log 3", "log", ":", "", "true", "1_0", "٣", "²", "0x1", "karras"]),
    st.just("9" * 400),
)  # fmt: skip


@st.composite
def axis_text(draw):
    words = draw(st.lists(WORDS, max_size=70))
    text = draw(st.sampled_from([",", ":", ":log ", ", "])).join(words)
    return draw(st.one_of(st.just(text), st.text(max_size=60)))


@few_and_many
@given(st.sampled_from(range(64)), axis_text(), st.integers(0, 99))
def test_axes_of_sweeps(which, text, parameter):
    base = valid()[which % len(valid())]
    names = list(sweepable(base))
    name = names[parameter % len(names)] if parameter < 90 else text
    try:
        found = axis(base, name, text)
    except ParameterError as error:
        assert ". " in str(error) and len(str(error)) < 2000
        return
    assert isinstance(found, Axis) and 1 <= len(found.values) <= 64 and len(set(found.values)) == len(found.values)
    assert not any(isinstance(value, float) and not math.isfinite(value) for value in found.values)
    assert axis(base, name, ",".join(map(str, found.values))) == found
    assert len(Sweep(base, (found,)).runs) == len(found.values)
