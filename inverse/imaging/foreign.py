"""What a file is that is no picture of an accepted format, by its first bytes, and what to do about it."""

from __future__ import annotations

import re

HEAD = 1024
"""Bytes that suffice."""

_EXPORT = "Export it as JPEG or PNG"
_RAW = "Develop it in the camera's or another program, and export it as JPEG or 16-bit TIFF"
_SCREEN = "Open it in the program that it is from, and export it as PNG"
_PHONE = (
    "Export it as JPEG; an iPhone takes JPEGs with Settings > Camera > Formats > Most Compatible, "
    "and other phones have a setting of that kind"
)
_VIDEO = "Save one of its frames as PNG"

_KINDS: tuple[tuple[bytes, str, str], ...] = (
    (rb"....ftyp(?:heic|heix|heim|heis|hevc|hevx|hevm|hevs)", "a HEIC photo", _PHONE),
    (rb"....ftyp(?:mif1|msf1|mif2).{4}(?:.{4})*?(?:heic|heix|heim|heis|hevc)", "a HEIC photo", _PHONE),
    (rb"....ftyp(?:mif1|msf1|mif2)", "a HEIF photo", _PHONE),
    (rb"....ftypcrx ", "a camera's raw photo", _RAW),
    (rb"....ftyp(?!avi[fs])|\x1aE\xdf\xa3|RIFF....AVI |FLV\x01", "a video", _VIDEO),
    (rb"FUJIFILMCCD-RAW|IIU\0|IIR[OS]|MMOR|FOVb|(?:II\*\0.{4}|MM\0\*.{4})CR\x02", "a camera's raw photo", _RAW),
    (rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture", _EXPORT),
    (rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51", "a JPEG 2000 picture", _EXPORT),
    (rb"%PDF", "a PDF document", "Save its page, or the picture in it, as PNG"),
    (rb"%!PS|\xc5\xd0\xd3\xc6", "an EPS or PostScript drawing", _SCREEN),
    (rb"8BPS", "a Photoshop file", _SCREEN),
    (rb"gimp xcf", "a GIMP file", _SCREEN),
    (rb"\0\0[\x01\x02]\0[^\0]", "an icon", _EXPORT),
    (rb"icns", "an icon", _EXPORT),
    (rb"P[1-7][\s#]", "a Netpbm picture", _EXPORT),
    (rb"v/1\x01|#\?RADIANCE|#\?RGBE", "a high-dynamic-range picture", "Tone-map it, and save it as PNG or JPEG"),
    (rb".{128}DICM", "a DICOM image", _EXPORT),
    (rb"PK\x03\x04|Rar!|7z\xbc\xaf|\x1f\x8b", "an archive", "Unpack it, and use the picture in it"),
)
_TEXT = (
    (rb"<svg[\s>]", "an SVG drawing", _SCREEN),
    (rb"<!doctype html|<html", "a web page", "Download the picture itself"),
)


def named(head: bytes) -> tuple[str, str] | None:
    """What a file with these first `HEAD` bytes is, and the remedy, parts of a sentence; None if that is not known."""
    for pattern, name, remedy in _KINDS:
        if re.match(pattern, head[:HEAD], re.DOTALL):
            return name, remedy
    for pattern, name, remedy in _TEXT:
        if re.search(pattern, head[:HEAD].lower()):
            return name, remedy
    return None
