"""Turns what a detector's heads say into boxes in pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from backends.detectors.base import Proposal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SMALLEST = 1.0
"""Shortest side of a box, in pixels; in a smaller box there is nothing to see."""


def corners(boxes: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return x0, y0, x1, y1 of boxes given as centre x, centre y, width, height.

    Args:
        boxes: The boxes. Shape (boxes, 4).
    """
    import numpy as np

    centres, sizes = np.split(boxes.astype(np.float64), 2, axis=1)
    return np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)


def best_proposals(
    scores: NDArray[np.floating[Any]],
    boxes: NDArray[np.float64],
    size: tuple[int, int],
    words: Sequence[str],
    *,
    threshold: float,
    most: int,
) -> list[Proposal]:
    """Return the best pairs of a box and a word, the best first.

    Args:
        scores: Score of each word in each box. Shape (boxes, words). NaN proposes nothing.
        boxes: x0, y0, x1, y1 in pixels, possibly beyond the picture. Shape (boxes, 4).
        size: Width and height of the picture, in pixels.
        words: The word of each column of `scores`.
        threshold: The lowest score that counts.
        most: The most proposals to return.
    """
    import numpy as np

    inside = np.clip(boxes, 0, [*size, *size])
    large = (inside[:, 2:] - inside[:, :2]).min(axis=1) >= SMALLEST  # NaN is not
    places, columns = np.nonzero((scores >= threshold) & large.reshape(-1, 1))
    found = scores[places, columns]
    order = np.lexsort((columns, places, -found))[:most]
    return [
        Proposal(tuple(inside[place].tolist()), words[column], float(score))
        for place, column, score in zip(places[order], columns[order], found[order], strict=True)
    ]
