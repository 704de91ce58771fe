"""Sizes and boxes of pictures: pure arithmetic, in pixels, upright, width before height."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

Size = tuple[int, int]
"""Width and height in pixels."""

Box = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels."""


def fit_within(size: Size, longest: int) -> Size:
    """Return a size scaled down, never up, to `longest` on its longer side."""
    scale = min(1.0, longest / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def cover(size: Size, target: Size) -> Size:
    """Return a size scaled, up or down, until it just covers a target.

    One side equals that side of the target, the other is at least as long. The aspect
    ratio is kept, to the nearest pixel.
    """
    width, height = size
    if width * target[1] >= height * target[0]:
        return max(target[0], _rounded(width * target[1], height)), target[1]
    return target[0], max(target[1], _rounded(height * target[0], width))


def centred_box(size: Size, target: Size) -> Box:
    """Return the box of a target's size in the middle of a picture at least as large."""
    left, top = (size[0] - target[0]) // 2, (size[1] - target[1]) // 2
    return left, top, left + target[0], top + target[1]


def nearest_multiple(length: int, step: int) -> int:
    """Return the multiple of `step` nearest to a length, at least one; a tie goes up."""
    return max(1, (2 * length + step) // (2 * step)) * step


def nearest_aspect(size: Size, choices: Sequence[Size]) -> Size:
    """Return the choice whose aspect ratio is nearest, by the ratio of the two ratios.

    With the ratio, a photo and the same photo turned by 90 degrees get choices that are
    turned by 90 degrees as well. The plain difference of the ratios would not give that.
    """
    aspect = log(size[0] / size[1])
    return min(choices, key=lambda choice: abs(log(choice[0] / choice[1]) - aspect))


def _rounded(dividend: int, divisor: int) -> int:
    """Return a quotient rounded to the nearest integer, halves up, without floats."""
    return (2 * dividend + divisor) // (2 * divisor)
