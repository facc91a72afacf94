"""Two sheets of the same kind to draw on: an SVG, and a picture of pixels."""

from __future__ import annotations

import base64
import html
import io
import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

from PIL import Image, ImageColor, ImageDraw, ImageFont

INK, PAPER = "#1e293b", "#ffffff"
FAINT, QUIET = 0.14, 0.75
"""Opacities of lines behind the data, and of words beside it."""

Point = tuple[float, float]


class Canvas(ABC):
    """A sheet. Lengths are in pixels of the SVG, from the upper left; colours are names of CSS, `INK` among them."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height

    @abstractmethod
    def line(
        self, points: Sequence[Point], colour: str = INK, width: float = 1, dash: str = "", opacity: float = 1
    ) -> None:
        """A line through points; `dash` is lengths of strokes and gaps, "5 4"."""

    @abstractmethod
    def area(self, points: Sequence[Point], colour: str, opacity: float = 1) -> None:
        """A filled polygon."""

    @abstractmethod
    def dots(self, points: Sequence[Point], radius: float, colour: str = INK, opacity: float = 1) -> None:
        """Filled circles."""

    @abstractmethod
    def words(
        self, x: float, y: float, text: str, size: int = 12, anchor: str = "start", bold: bool = False,
        opacity: float = 1, upright: bool = True,
    ) -> None:  # fmt: skip
        """Text whose base line begins, has its middle or ends at (x, y); not upright, it is read from below."""

    @abstractmethod
    def picture(self, x: float, y: float, width: float, height: float, image: Image.Image) -> None:
        """A picture, RGBA, stretched to a rectangle."""


class Svg(Canvas):
    """An SVG that stands for itself, and takes the ink of the page that it is put into."""

    def __init__(self, width: int, height: int, title: str = "") -> None:
        super().__init__(width, height)
        self.title, self._parts = title, [f'<rect class="paper" width="{width}" height="{height}" fill="{PAPER}"/>']

    def line(
        self, points: Sequence[Point], colour: str = INK, width: float = 1, dash: str = "", opacity: float = 1
    ) -> None:
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        dashes = f' stroke-dasharray="{dash}"' * bool(dash)
        self._parts.append(
            f'<path d="M{path}" fill="none" stroke="{_css(colour)}" stroke-width="{width:g}" stroke-linejoin="round"'
            f"{dashes}{_faded(opacity)}/>"
        )

    def area(self, points: Sequence[Point], colour: str, opacity: float = 1) -> None:
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self._parts.append(f'<path d="M{path}Z" fill="{_css(colour)}"{_faded(opacity)}/>')

    def dots(self, points: Sequence[Point], radius: float, colour: str = INK, opacity: float = 1) -> None:
        places = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in points)  # strokes of no length, with round ends
        self._parts.append(
            f'<path d="{places}" stroke="{_css(colour)}" stroke-width="{2 * radius:g}" stroke-linecap="round"'
            f"{_faded(opacity)}/>"
        )

    def words(
        self, x: float, y: float, text: str, size: int = 12, anchor: str = "start", bold: bool = False,
        opacity: float = 1, upright: bool = True,
    ) -> None:  # fmt: skip
        turn = "" if upright else f' transform="rotate(-90 {x:.1f} {y:.1f})"'
        weight = ' font-weight="700"' * bold
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}"{weight}{turn}'
            f"{_faded(opacity)}>{html.escape(text)}</text>"
        )

    def picture(self, x: float, y: float, width: float, height: float, image: Image.Image) -> None:
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        data = base64.b64encode(buffer.getvalue()).decode()
        self._parts.append(
            f'<image x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" preserveAspectRatio="none" '
            f'href="data:image/png;base64,{data}"/>'
        )

    def __str__(self) -> str:
        title = html.escape(self.title, quote=True)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" width="{self.width}" '
            f'height="{self.height}" role="img" '
            f'aria-label="{title}" color="{INK}" fill="currentColor" font-family="sans-serif">'
            f"{''.join(self._parts)}</svg>\n"
        )


class Bitmap(Canvas):
    """The same drawn with Pillow at `scale` times the size, and smoothed from `fine` times that.

    What is translucent is mixed with the paper, and not with what lies below it.
    """

    def __init__(self, width: int, height: int, scale: int = 2, fine: int = 2) -> None:
        super().__init__(width, height)
        self.scale, self._by = scale, scale * fine
        self._sheet = Image.new("RGBA", (width * self._by, height * self._by), PAPER)
        self._pen = ImageDraw.Draw(self._sheet)

    def line(
        self, points: Sequence[Point], colour: str = INK, width: float = 1, dash: str = "", opacity: float = 1
    ) -> None:
        strokes = _dashed(points, [float(part) for part in dash.split()]) if dash else [list(points)]
        for stroke in strokes:
            self._pen.line(self._scaled(stroke), _mixed(colour, opacity), max(1, round(width * self._by)), "curve")

    def area(self, points: Sequence[Point], colour: str, opacity: float = 1) -> None:
        self._pen.polygon(self._scaled(points), _mixed(colour, opacity))

    def dots(self, points: Sequence[Point], radius: float, colour: str = INK, opacity: float = 1) -> None:
        for x, y in points:
            box = self._scaled([(x - radius, y - radius), (x + radius, y + radius)])
            self._pen.ellipse(box, _mixed(colour, opacity))

    def words(
        self, x: float, y: float, text: str, size: int = 12, anchor: str = "start", bold: bool = False,
        opacity: float = 1, upright: bool = True,
    ) -> None:  # fmt: skip
        by = self._by
        font = ImageFont.load_default(size=size * by)
        left, top, right, bottom = (round(each) for each in font.getbbox(text, anchor="ls"))
        label = Image.new("L", (max(1, right - left + 2 * by), max(1, bottom - top + 2 * by)))
        ImageDraw.Draw(label).text(
            (by - left, by - top), text, 255, font, anchor="ls", stroke_width=round(0.02 * size * by) * bold
        )
        share = {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor] * (right - left)
        if upright:
            at = (round(x * by - share + left - by), round(y * by + top - by))
        else:
            label = label.transpose(Image.Transpose.ROTATE_90)
            at = (round(x * by + top - by), round(y * by - (right - left) + share - by))
        self._sheet.paste(
            Image.new("RGBA", label.size, INK), at, label.point([round(value * opacity) for value in range(256)])
        )

    def picture(self, x: float, y: float, width: float, height: float, image: Image.Image) -> None:
        by = self._by
        stretched = image.convert("RGBA").resize((round(width * by), round(height * by)), Image.Resampling.BILINEAR)
        self._sheet.alpha_composite(stretched, (round(x * by), round(y * by)))

    def image(self) -> Image.Image:
        """The sheet, RGB, `scale` times as large as the SVG."""
        size = (self.width * self.scale, self.height * self.scale)
        return self._sheet.convert("RGB").resize(size, Image.Resampling.BOX)

    def _scaled(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self._by, y * self._by) for x, y in points]


def _css(colour: str) -> str:
    return "currentColor" if colour == INK else colour


def _mixed(colour: str, opacity: float) -> tuple[int, int, int]:
    ink, paper = ImageColor.getrgb(colour), ImageColor.getrgb(PAPER)
    red, green, blue = (round(opacity * a + (1 - opacity) * b) for a, b in zip(ink[:3], paper[:3], strict=True))
    return red, green, blue


def _faded(opacity: float) -> str:
    return "" if opacity == 1 else f' opacity="{opacity:g}"'


def _dashed(points: Sequence[Point], lengths: list[float]) -> list[list[Point]]:
    """The strokes of a dashed line."""
    strokes, turn, left, drawing = [], 0, lengths[0], True
    stroke = [points[0]]
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        length, at = math.hypot(x1 - x0, y1 - y0), 0.0
        while length - at > left:
            at += left
            place = (x0 + (x1 - x0) * at / length, y0 + (y1 - y0) * at / length)
            if drawing:
                strokes.append([*stroke, place])
            drawing, turn = not drawing, (turn + 1) % len(lengths)
            left, stroke = lengths[turn], [place]
        left -= length - at
        stroke.append((x1, y1))
    return [*strokes, stroke] if drawing and len(stroke) > 1 else strokes
