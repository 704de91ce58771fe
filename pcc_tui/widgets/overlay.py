"""What was found in a photo, drawn over its picture: objects as boxes, texts as dashed outlines.

Each object and each text carries its number; the name of an object stands beside its number
only where letters can be read. The list beside the picture has the same numbers and colours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from pcc_tui.clean import clean
from pipeline.ingest.cache.findings import Findings

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

COLOURS = ("#ff0000", "#00ff00", "#00ffff", "#ffff00", "#ff00ff", "#5c5cff")
"""Colours of boxes, in turn: the bright colours of a terminal with 16, far apart on any picture."""

TEXT_COLOUR = "#ffffff"

MOST_DRAWN = 40
"""Most objects drawn, and most texts: more would hide the photo."""

LONGEST_LABEL = 24
FONT_PIXELS = 13

FINE_PIXELS = 240
"""A picture shown with fewer pixels across has room for numbers alone."""

CLEAR = 4
"""Least pixels drawn for one pixel of the terminal: with fewer, shrinking blurs what is drawn."""

SMALL = 11
"""Pixels of the terminal; a smaller object would be hidden by its number."""

DASH = 3
"""Length of a dash, as a multiple of the width of its line."""

DIGITS = (
    *("111101101101111", "010110010010111", "111001111100111", "111001111001111"),
    *("101101111001001", "111100111001111", "111100111101111", "111001010010010"),
    *("111101111101111", "111101111001111"),
)
"""The digits 0 to 9, 3x5 pixels each, row by row: the smallest digits that can be read."""

Point = tuple[float, float]


class Mark(msgspec.Struct, frozen=True):
    """An outline to draw.

    Attributes:
        number: Number of the object or the text.
        corners: Corners in shares of width and height, 0 to 1: left top and right bottom of a
            box, or every corner of the outline of a text.
        label: What the object is called, empty for a text.
    """

    number: int
    corners: tuple[Point, ...]
    label: str = ""


class Overlay(msgspec.Struct, frozen=True):
    """What is to be drawn; equal overlays look alike."""

    boxes: tuple[Mark, ...] = ()
    texts: tuple[Mark, ...] = ()


def overlay_of(found: Findings, *, boxes: bool, texts: bool) -> Overlay:
    """Return what is to be drawn over a photo.

    Args:
        found: What was found in the photo; without the size of the photo nothing can be drawn.
        boxes: Whether to draw objects.
        texts: Whether to draw texts.
    """
    if found.size is None:
        return Overlay()
    regions = found.regions or [] if boxes else []
    lines = found.texts or [] if texts else []
    return Overlay(
        tuple(
            Mark(
                _number(region.region_id),
                _shares(_sorted(region.bbox), found.size),
                clean(region.labels[0].label[:LONGEST_LABEL]) if region.labels else "",
            )
            for region in regions[:MOST_DRAWN]
        ),
        tuple(
            Mark(_number(line.text_id), _shares(line.quad[:16], found.size))
            for line in lines[:MOST_DRAWN]
            if line.quad
        ),
    )


def _number(name: str) -> int:
    """Return the number in `r0` or `t0`, which is all that such a name can be."""
    return int(name[1:])


def _sorted(box: Sequence[float]) -> tuple[Point, Point]:
    """Return the left top and the right bottom corner of a box."""
    x0, y0, x1, y1 = box
    return (min(x0, x1), min(y0, y1)), (max(x0, x1), max(y0, y1))


def _shares(points: Sequence[Point], size: tuple[int, int]) -> tuple[Point, ...]:
    return tuple((_share(x, size[0]), _share(y, size[1])) for x, y in points)


def _share(place: float, whole: int) -> float:
    return min(1.0, max(0.0, place / whole)) if math.isfinite(place) else 0.0


def colour_of(number: int) -> str:
    """Return the colour of a box, as `#rrggbb`."""
    return COLOURS[number % len(COLOURS)]


def draw(picture: Image, overlay: Overlay, shown: tuple[int, int]) -> Image:
    """Return a copy of a picture with an overlay; this is slow, so call it on a thread.

    Args:
        picture: The picture, RGB and upright.
        overlay: What to draw.
        shown: Pixels across and down with which the terminal will show the picture. Where
            they are few, each line is one such pixel wide, and falls on such pixels.

    Returns:
        The copy, RGB, of the size of the picture, or a multiple of that where it is small.
    """
    from PIL import Image, ImageDraw

    fine = shown[0] >= FINE_PIXELS
    size = picture.size if fine else (max(1, shown[0]), max(1, shown[1]))
    layer = Image.new("RGBA", size)
    pen = ImageDraw.Draw(layer)
    width = max(2, round(max(size) / 260)) if fine else 1
    texts = [(mark, [_pixel(point, size) for point in mark.corners]) for mark in overlay.texts]
    boxes = [(mark, [_pixel(point, size) for point in mark.corners]) for mark in overlay.boxes]
    for _, points in texts:
        _dashes(pen, [*points, points[0]], width)
    for mark, points in reversed(boxes):  # the best object on top
        _box(pen, points, colour_of(mark.number), width)
    for mark, points in reversed(texts):
        words = f"t{mark.number}" if fine else f"{mark.number}"
        left, top = _left_top(points)
        beside = left - (8 * len(words) + 6 if fine else 4 * len(words) + 1), top - (not fine)
        _tag(pen, words, beside, TEXT_COLOUR, fine)
    for mark, points in reversed(boxes):
        words = f"r{mark.number} {_in_letters(mark.label)}" if fine else f"{mark.number}"
        left, top = _left_top(points)
        small = not fine and (points[-1][1] - top < SMALL or points[-1][0] - left < SMALL)
        # The number stands above an object that it would hide.
        _tag(pen, words, (left, top - 6 * small), colour_of(mark.number), fine)
    drawn = picture.convert("RGB")
    if not fine:
        times = -(-CLEAR * size[0] // picture.width)
        drawn = drawn.resize((picture.width * times, picture.height * times))
        layer = layer.resize(drawn.size, Image.Resampling.NEAREST)
    drawn.paste(layer, mask=layer)
    return drawn


def _pixel(point: Point, size: tuple[int, int]) -> tuple[int, int]:
    """Return the pixel at a place given in shares; a share of 1 gives the last pixel."""
    return min(size[0] - 1, int(point[0] * size[0])), min(size[1] - 1, int(point[1] * size[1]))


def _left_top(points: list[tuple[int, int]]) -> tuple[int, int]:
    return min(x for x, _ in points), min(y for _, y in points)


def _in_letters(label: str) -> str:
    """Return those letters of a label that the font has; the list shows the whole label."""
    return label.encode("latin-1", "ignore").decode("latin-1").strip()


def _box(pen: ImageDraw, corners: list[tuple[int, int]], colour: str, width: int) -> None:
    """Draw a box, with a dark line inside where there is room, so that it shows on any ground."""
    (x0, y0), (x1, y1) = corners
    pen.rectangle((x0, y0, x1, y1), outline=colour, width=width)
    if min(x1 - x0, y1 - y0) > 12 * width:
        inner = (x0 + width, y0 + width, x1 - width, y1 - width)
        pen.rectangle(inner, outline="#000000", width=max(1, width // 2))


def _dashes(pen: ImageDraw, points: list[tuple[int, int]], width: int) -> None:
    """Draw an outline in dashes, white and black by turns."""
    for (x0, y0), (x1, y1) in pairwise(points):
        steps = max(1, round(math.dist((x0, y0), (x1, y1)) / (DASH * width)))
        for step in range(steps):
            ends = [
                (x0 + (x1 - x0) * at / steps, y0 + (y1 - y0) * at / steps)
                for at in (step, step + 1)
            ]
            pen.line(ends, fill="#000000" if step % 2 else TEXT_COLOUR, width=width)


def _tag(pen: ImageDraw, words: str, corner: tuple[int, int], colour: str, fine: bool) -> None:
    """Write dark words on a ground of the colour, at a corner, within the picture."""
    if not fine:
        _digits(pen, words, corner, colour)
        return
    from PIL import ImageFont

    font = ImageFont.load_default(FONT_PIXELS)
    left, top, right, bottom = font.getbbox(words)
    width, height = int(right - left) + 6, int(bottom - top) + 6
    x, y = _within(pen, corner, width, height)
    pen.rectangle((x, y, x + width, y + height), fill=colour)
    pen.text((x + 3 - left, y + 3 - top), words, fill="#000000", font=font)


def _digits(pen: ImageDraw, words: str, corner: tuple[int, int], colour: str) -> None:
    width, height = 4 * len(words) + 1, 7
    left, top = _within(pen, corner, width, height)
    pen.rectangle((left, top, left + width - 1, top + height - 1), fill=colour)
    for place, digit in enumerate(map(int, words)):
        for spot, bit in enumerate(DIGITS[digit]):
            if bit == "1":
                pen.point((left + 1 + 4 * place + spot % 3, top + 1 + spot // 3), fill="#000000")


def _within(pen: ImageDraw, corner: tuple[int, int], width: int, height: int) -> tuple[int, int]:
    """Return the place nearest to a corner at which a rectangle fits into the picture."""
    across, down = pen.im.size
    return max(0, min(corner[0], across - width)), max(0, min(corner[1], down - height))
