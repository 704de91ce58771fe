"""Boxes of text: how they are cut out upright, and in which order they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.ocr.base import Quad

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Corners = NDArray[np.float32]
    """Shape (4, 2), float32: x and y in pixels, clockwise from the text's own top left."""

    Pixels = NDArray[np.uint8]
    """Shape (height, width, 3), uint8, blue first, as OpenCV has it."""

UPRIGHT = 1.5
"""A box that is so many times as high as wide holds a turned line, as PaddleOCR has it."""


def along_text(corners: Corners) -> Corners:
    """Return a box that starts where its text does, as far as its shape tells.

    Args:
        corners: The box, clockwise from its top left in the picture. A narrow, high box is
            taken for a line that runs downwards; the shape does not tell if it is upside down.
    """
    import numpy as np

    width, height = lengths(corners)
    return np.roll(corners, -1, axis=0) if height >= UPRIGHT * width else corners


def upside_down(corners: Corners) -> Corners:
    """Return the box of a line that is upside down, from that line's own top left."""
    import numpy as np

    return np.roll(corners, -2, axis=0)


def lengths(corners: Corners) -> tuple[float, float]:
    """Return width and height of a box along its own sides, in pixels."""
    import numpy as np

    top, right, bottom, left = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    return float(max(top, bottom)), float(max(right, left))


def overlap(one: Corners, other: Corners) -> bool:
    """Tell whether the middle of one of two boxes lies in the other."""
    import cv2

    return any(
        cv2.pointPolygonTest(box, (float(point[0]), float(point[1])), False) >= 0
        for box, point in ((one, other.mean(axis=0)), (other, one.mean(axis=0)))
    )


def cut_out(pixels: Pixels, corners: Corners) -> Pixels:
    """Return the pixels of a box, made straight and at least one pixel in size."""
    import cv2
    import numpy as np

    width, height = (max(1, int(length)) for length in lengths(corners))
    straight = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(np.ascontiguousarray(corners, np.float32), straight)
    cut = cv2.warpPerspective(
        pixels, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(cut, dtype=np.uint8)


def quad_inside(corners: Corners, size: tuple[int, int]) -> Quad:
    """Return a box inside a picture of that width and height, as plain numbers."""
    a, b, c, d = (
        (min(max(0.0, float(x)), size[0]), min(max(0.0, float(y)), size[1])) for x, y in corners
    )
    return a, b, c, d


def reading_order(boxes: list[Corners]) -> list[int]:
    """Return the places of boxes from top to bottom, and within a row from left to right.

    Two boxes are in one row if the heights of their middles differ by less than half of the
    height of the lower box.
    """
    middles = [box.mean(axis=0) for box in boxes]
    heights = [min(lengths(box)) for box in boxes]
    rows: list[list[int]] = []
    for place in sorted(range(len(boxes)), key=lambda place: float(middles[place][1])):
        if rows:
            first = rows[-1][0]
            apart = abs(middles[place][1] - middles[first][1])
            if apart < min(heights[place], heights[first]) / 2:
                rows[-1].append(place)
                continue
        rows.append([place])
    return [
        place for row in rows for place in sorted(row, key=lambda place: float(middles[place][0]))
    ]
