"""The perceptual hash of a picture: the hashes of similar pictures differ in few bits."""

from __future__ import annotations

from functools import cache
from math import cos, pi
from operator import mul
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

SIDE = 32
LOW = 8


@cache
def _cosines() -> list[list[float]]:
    """Return the first eight rows of the type-II cosine transform of 32 samples."""
    return [
        [cos(pi * frequency * (2 * position + 1) / (2 * SIDE)) for position in range(SIDE)]
        for frequency in range(LOW)
    ]


def perceptual_hash(image: Image.Image) -> str:
    """Return the 64-bit pHash of an image as 16 hexadecimal digits.

    The picture is reduced to 32 x 32 grey values; a bit says whether one of the
    64 lowest coefficients of their discrete cosine transform is above the median.
    Source: Zauner, "Implementation and Benchmarking of Perceptual Image Hash
    Functions", 2010, section 3.2.1.

    Args:
        image: An image of any size, in mode RGB or L.
    """
    grey = image.resize((SIDE, SIDE), reducing_gap=2.0).convert("L").tobytes()
    cosines = _cosines()
    rows = [
        [sum(map(mul, row, wave)) for wave in cosines]
        for row in (grey[start : start + SIDE] for start in range(0, SIDE * SIDE, SIDE))
    ]
    columns = list(zip(*rows, strict=True))
    low = [sum(map(mul, column, wave)) for wave in cosines for column in columns]
    middle = median(low[1:])
    bits = 0
    for coefficient in low:
        bits = bits << 1 | (coefficient > middle)
    return f"{bits:016x}"
