"""The ten primitives, as patterns of weights: 0 is background, 255 is foreground.

A primitive has groups of forms. A group is one size (or direction) in every place where it
lies whole in the grid. Everything is computed with integers, so that it is the same on every
machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]
    Forms = NDArray[np.uint8]

GRID = 16
"""Pixels on a side."""

FULL = 255
"""The weight of pure foreground."""

PLATEAUS = 4
"""Lengths of a plateau: a gradient stays at its first and its last shade for 0 to 3 steps."""

STEPS = ((2, 0), (2, 1), (2, 2), (1, 2), (0, 2), (-1, 2), (-2, 2), (-2, 1))
"""Directions of a line: half pixels right and down from one pixel of it to the next."""

RISING = ((1, 1), (1, 2), (2, 1), (1, 3), (3, 1), (2, 3), (3, 2))
SLOPES = ((1, 0), (0, 1), *RISING, *((-right, down) for right, down in RISING))
"""Directions in which a gradient rises: right and down; the shades decide which end is light."""


class Primitive(NamedTuple):
    """A class of pictures.

    Attributes:
        name: Name of the class.
        description: What a picture of the class shows.
        parameters: What varies, and in which range.
        groups: Makes the groups, each of uint8 weights (forms, GRID, GRID).
    """

    name: str
    description: str
    parameters: dict[str, str]
    groups: Callable[[], Iterator[Forms]]


def everywhere(pattern: Mask) -> Forms:
    """Return a pattern (height, width) at every place where it lies whole in the grid.

    Returns:
        Weights uint8 (places, GRID, GRID), by rows.
    """
    height, width = pattern.shape
    places = [(y, x) for y in range(GRID - height + 1) for x in range(GRID - width + 1)]
    forms = np.zeros((len(places), GRID, GRID), np.uint8)
    for form, (y, x) in zip(forms, places, strict=True):
        form[y : y + height, x : x + width][pattern] = FULL
    return forms


def solid(height: int, width: int) -> Mask:
    """Return a rectangle, all foreground."""
    return np.ones((height, width), np.bool_)


def round_mask(diameter: int) -> Mask:
    """Return the pixels of a square whose centres lie within a circle of that diameter."""
    twice = 2 * np.arange(diameter) - (diameter - 1)  # from the centre, in half pixels
    distance: Mask = twice[:, None] ** 2 + twice**2 <= diameter**2
    return distance


def hollow(outer: Mask, inner: Mask) -> Mask:
    """Return a mask with another, smaller one cut out of its middle."""
    width = (len(outer) - len(inner)) // 2
    found = outer.copy()
    found[width:-width, width:-width] &= ~inner
    return found


def points() -> Iterator[Forms]:
    """Yield the one group of points."""
    yield everywhere(solid(1, 1))


def lines() -> Iterator[Forms]:
    """Yield lines by direction and length."""
    for right, down in STEPS:
        for length in range(6, GRID + 1):
            along = np.arange(length)
            x, y = along * abs(right) // 2, along * down // 2
            pattern = np.zeros((y[-1] + 1, x[-1] + 1), np.bool_)
            pattern[y, x] = True
            yield everywhere(pattern if right >= 0 else pattern[:, ::-1])


def crosses() -> Iterator[Forms]:
    """Yield upright crosses by width and arm."""
    for width, shortest in ((1, 2), (2, 3), (3, 4)):
        for arm in range(shortest, (GRID - width) // 2 + 1):
            pattern = np.zeros((2 * arm + width, 2 * arm + width), np.bool_)
            pattern[arm : arm + width] = True
            pattern[:, arm : arm + width] = True
            yield everywhere(pattern)


def squares() -> Iterator[Forms]:
    """Yield filled squares by side."""
    for side in range(4, 15):
        yield everywhere(solid(side, side))


def frames() -> Iterator[Forms]:
    """Yield outlines of squares by width and side."""
    for width in (1, 2, 3):
        for side in range(2 * width + 3, 15):
            hole = side - 2 * width
            yield everywhere(hollow(solid(side, side), solid(hole, hole)))


def discs() -> Iterator[Forms]:
    """Yield filled circles by diameter."""
    for diameter in range(7, GRID):
        yield everywhere(round_mask(diameter))


def rings() -> Iterator[Forms]:
    """Yield circles with a round hole by width and diameter."""
    for width in (1, 2, 3):
        for diameter in range(max(7, 2 * width + 4), GRID):
            yield everywhere(hollow(round_mask(diameter), round_mask(diameter - 2 * width)))


def triangles() -> Iterator[Forms]:
    """Yield isosceles and right-angled triangles, each in four directions, by height."""
    for height in range(4, 9):
        row, column = np.arange(height)[:, None], np.arange(2 * height - 1)
        upright = abs(column - (height - 1)) <= row
        yield from map(everywhere, (upright, upright[::-1], upright.T, upright.T[:, ::-1]))
    for height in range(5, 15):
        corner = np.arange(height)[:, None] >= np.arange(height)
        yield from map(everywhere, (corner, corner[::-1], corner[:, ::-1], corner[::-1, ::-1]))


def gradients() -> Iterator[Forms]:
    """Yield linear ramps over the whole grid by direction; plateaus vary within a group."""
    row, column = np.arange(GRID)[:, None], np.arange(GRID)
    for right, down in SLOPES:
        across = column if right >= 0 else column[::-1]
        way, step = abs(right) * across + down * row, abs(right) + down
        yield np.stack(
            [
                _ramp(way, step, before, after)
                for before in range(PLATEAUS)
                for after in range(PLATEAUS)
            ]
        )


def _ramp(way: NDArray[np.int_], step: int, before: int, after: int) -> Forms:
    first, span = before * step, (GRID - 1 - before - after) * step
    risen = np.clip(way - first, 0, span)
    return ((FULL * risen + span // 2) // span).astype(np.uint8)


def checkerboards() -> Iterator[Forms]:
    """Yield boards by size of cell and number of cells; the first cell may be either shade."""
    for cell in (2, 3, 4):
        for cells in range(4, GRID // cell + 1):
            index = np.arange(cell * cells) // cell
            odd = (index[:, None] + index) % 2 == 1
            yield np.concatenate([everywhere(odd), everywhere(~odd)])


ANYWHERE = "anywhere whole in the grid"

PRIMITIVES = (
    Primitive("point", "one pixel", {"place": "any of the 256 pixels"}, points),
    Primitive(
        "line",
        "a straight line, one pixel wide",
        {
            "direction": "8: multiples of 45 degrees, and slopes 1:2 and 2:1 between them",
            "length": "6..16 pixels",
            "place": ANYWHERE,
        },
        lines,
    ),
    Primitive(
        "cross",
        "an upright cross with four equal arms",
        {"width": "1..3", "arm": "2 (width 1), 3 (2) or 4 (3) up to 7, 7, 6", "place": ANYWHERE},
        crosses,
    ),
    Primitive("square", "a filled square", {"side": "4..14", "place": ANYWHERE}, squares),
    Primitive(
        "frame",
        "the outline of a square, its hole at least 3 wide",
        {"width": "1..3", "side": "2 width + 3..14", "place": ANYWHERE},
        frames,
    ),
    Primitive("disc", "a filled circle", {"diameter": "7..15", "place": ANYWHERE}, discs),
    Primitive(
        "ring",
        "a circle with a round hole at least 4 wide",
        {"width": "1..3", "diameter": "max(7, 2 width + 4)..15", "place": ANYWHERE},
        rings,
    ),
    Primitive(
        "triangle",
        "a filled triangle, isosceles or right-angled",
        {
            "kind": "isosceles of height 4..8 and base 2 height - 1, or right-angled of leg 5..14",
            "direction": "4",
            "place": ANYWHERE,
        },
        triangles,
    ),
    Primitive(
        "gradient",
        "a linear ramp over the whole grid",
        {
            "direction": "16: right and down by 1:0, 0:1, 1:1, 1:2, 2:1, 1:3, 3:1, 2:3, 3:2, "
            "and the same to the left",
            "plateaus": "0..3 steps before the ramp, 0..3 after it",
        },
        gradients,
    ),
    Primitive(
        "checkerboard",
        "a square board of cells, at least 4 by 4, in two shades",
        {
            "cell": "2..4 pixels",
            "cells": "4..8 on a side, as fit",
            "first cell": "either shade",
            "place": ANYWHERE,
        },
        checkerboards,
    ),
)
"""Every class; the place of a class here is its label."""

NAMES = tuple(primitive.name for primitive in PRIMITIVES)
CLASSES = len(PRIMITIVES)
