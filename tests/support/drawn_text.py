"""Pictures with drawn text, and the position of the text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

Point = tuple[float, float]
Colour = tuple[int, int, int]

BLACK, WHITE = (20, 20, 20), (245, 245, 245)

WORDS = ["anchor", "basket", "candle", "dinner", "engine", "forest", "garden", "harbour"]
WORDS += ["island", "jacket", "kitchen", "ladder", "market", "number", "orange", "pocket"]


class Drawn(NamedTuple):
    """A picture with one line of text.

    Attributes:
        image: The picture, RGB.
        quad: Corners of the ink, clockwise from the top left of the text, in pixels.
    """

    image: Image.Image
    quad: tuple[Point, Point, Point, Point]


def draw_line(
    text: str,
    size: int,
    *,
    canvas: tuple[int, int] = (800, 600),
    angle: float = 0,
    ink: Colour = BLACK,
    paper: Colour = WHITE,
) -> Drawn:
    """Draw a line into the middle of a picture.

    Args:
        text: The text, drawn in Pillow's own font.
        size: Size of the font in pixels.
        canvas: Width and height of the picture in pixels.
        angle: Clockwise rotation of the text in degrees.
        ink: Colour of the letters.
        paper: Colour of the background.
    """
    font = ImageFont.load_default(size)
    left, top, right, bottom = ImageDraw.Draw(Image.new("L", (1, 1))).textbbox((0, 0), text, font)
    width, height = right - left, bottom - top
    middle = (canvas[0] / 2, canvas[1] / 2)
    corner = (middle[0] - width / 2, middle[1] - height / 2)
    mask = Image.new("L", canvas)
    ImageDraw.Draw(mask).text((corner[0] - left, corner[1] - top), text, 255, font)
    mask = mask.rotate(-angle, Image.Resampling.BICUBIC)
    image = Image.new("RGB", canvas, paper)
    image.paste(ink, mask=mask)
    a, b, c, d = (
        _turned((middle[0] + x * width / 2, middle[1] + y * height / 2), middle, angle)
        for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    )
    return Drawn(image, (a, b, c, d))


def draw_page(
    lines: Sequence[str],
    size: int,
    *,
    canvas: tuple[int, int] = (1280, 800),
    ink: Colour = BLACK,
    paper: Colour = WHITE,
) -> Image.Image:
    """Draw lines below each other, as on a screenshot, from the top left corner on."""
    font = ImageFont.load_default(size)
    image = Image.new("RGB", canvas, paper)
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        draw.text((2 * size, (1.8 * number + 1) * size), line, ink, font)
    return image


def draw_east_asian(text: str, size: int) -> Image.Image:
    """Draw a line in the font that OpenCV carries, which has Han, Kana and Hangul."""
    import cv2
    import numpy as np

    pixels = np.full((3 * size, (len(text) + 2) * size, 3), WHITE, dtype=np.uint8)
    cv2.putText(pixels, text, (size, 2 * size), BLACK, cv2.FontFace("uni"), size)
    return Image.fromarray(pixels)


def sentence(rng: Random, words: int) -> str:
    """Return a sentence of the given number of plain words."""
    return " ".join(rng.choice(WORDS) for _ in range(words))


def _turned(point: Point, middle: Point, angle: float) -> Point:
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    x, y = point[0] - middle[0], point[1] - middle[1]
    return middle[0] + x * cos - y * sin, middle[1] + x * sin + y * cos
