"""What may be wrong with a record that can be read: each function returns a few words, or None."""

from __future__ import annotations

import math
from collections.abc import Sequence

from journal import system_path
from pipeline.ingest.cache.records import Detection, Outcome, Text

LARGEST_SIDE = 1 << 24
"""Pixels; no file format allows more."""

MOST_LINES = 1 << 20
"""Regions or texts of one photo."""

TOLERANCE = 1.0
"""Pixels by which a box may reach out of its photo: models round."""


def path_fault(rel_path: str, raw_path: str | None) -> str | None:
    """Tell why the path of a record is not one below the photos directory."""
    try:
        spelt = system_path(rel_path, raw_path)
    except ValueError:
        return f"the raw_path {(raw_path or '')[:80]} is no base64"
    for path in (rel_path, spelt):
        if not path or path.startswith("/") or "\0" in path or ".." in path.split("/"):
            return f"image_id {path[:80]!r} leads out of the photos directory"
    return None


def size_fault(width: int | None, height: int | None) -> str | None:
    """Tell why a width and a height cannot be those of a photo."""
    for side in (width, height):
        if side is not None and not 0 < side <= LARGEST_SIDE:
            return f"a photo of {width} x {height} pixels"
    return None


def outcome_fault(outcome: Outcome) -> str | None:
    """Tell what is wrong with an outcome."""
    if not 0 <= outcome.lines <= MOST_LINES:
        return f"lines is {outcome.lines}"
    return size_fault(outcome.width, outcome.height)


def region_fault(region: Detection, width: int | None, height: int | None) -> str | None:
    """Tell what is wrong with a region of a photo of some size, None where that is not known."""
    fault = box_fault(region.bbox, width, height)
    for label in region.labels:
        fault = fault or score_fault(label.score)
    return fault


def text_fault(text: Text, width: int | None, height: int | None) -> str | None:
    """Tell what is wrong with a text in a photo of some size, None where that is not known."""
    if text.quad is not None and len(text.quad) != 4:
        return f"a quad of {len(text.quad)} corners"
    for x, y in text.quad or ():
        if fault := box_fault((x, y, x, y), width, height):
            return fault.replace("the box", "the corner", 1)
    return score_fault(text.confidence)


def box_fault(box: Sequence[float], width: int | None, height: int | None) -> str | None:
    """Tell why a box cannot be one in a photo of some size."""
    x0, y0, x1, y1 = box
    if not all(map(math.isfinite, box)):
        fault = "is not finite"
    elif x1 < x0 or y1 < y0:
        fault = "is reversed"
    elif (
        min(x0, y0) < -TOLERANCE
        or x1 > (width or LARGEST_SIDE) + TOLERANCE
        or y1 > (height or LARGEST_SIDE) + TOLERANCE
    ):
        size = f" of {width} x {height}" if width and height else ""
        fault = f"is outside the photo{size}"
    else:
        return None
    return f"the box {x0:g}, {y0:g}, {x1:g}, {y1:g} {fault}"


def score_fault(score: float) -> str | None:
    """Tell why a number cannot be a score."""
    return None if 0 <= score <= 1 else f"a score of {score:g}"
