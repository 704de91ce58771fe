"""Which boxes count as text: how large a picture must be, and how sure the models must be.

An engine says what it sees; what is too small or too doubtful to be text is decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from backends.ocr.base import TextBox, TextGate
from backends.ocr.geometry import overlap, quad_inside

if TYPE_CHECKING:
    from PIL.Image import Image

    from backends.ocr.geometry import Corners

SMALLEST_SIDE = 8
"""A picture with a shorter side, in pixels, has no room for letters."""

GATE_SCORE, READ_SCORE = 0.4, 0.5
"""Lowest score of a box that counts for the gate, and of a box that is read."""

FAINT_SCORE = 0.1
"""Lowest score of the boxes that the gate looks at for its confidence alone."""

LEAST_CONFIDENCE = 0.5
"""Lowest confidence of a line; below, RapidOCR's authors found more noise than text."""


def has_room(picture: Image) -> bool:
    """Tell whether a picture is large enough to hold text."""
    return min(picture.size) >= SMALLEST_SIDE


def judge(boxes: Sequence[Corners], scores: Sequence[float], size: tuple[int, int]) -> TextGate:
    """Return whether a picture is worth reading.

    Args:
        boxes: What may be text, in pixels of the picture.
        scores: How much each box looks like text, from 0 to 1.
        size: Width and height of the picture, in pixels.
    """
    best = max(scores, default=0.0)
    found = tuple(
        TextBox(quad_inside(box, size), score)
        for box, score in zip(boxes, scores, strict=True)
        if score >= GATE_SCORE
    )
    if found:
        return TextGate(True, best, len(found), found=found)
    if not scores:
        return TextGate(False, best, 0, "Nothing looks like text.")
    return TextGate(False, best, 0, f"Nothing looks enough like text: {GATE_SCORE} is asked.")


def united(boxes: list[Corners], gate: TextGate) -> list[Corners]:
    """Return boxes, and the boxes of the gate that cover none of them."""
    import numpy as np

    found = [np.array(box.quad, dtype=np.float32) for box in gate.found]
    return [*boxes, *(one for one in found if not any(overlap(one, box) for box in boxes))]
