"""Exact nearest neighbours by cosine, computed with matrix products."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backends.embedders.base import Vectors

ROWS = 512
"""Rows of similarities that are in memory at once."""

FOLDS = 32
"""Columns that are folded into one before the best columns are selected."""


def nearest(
    vectors: Vectors, k: int, tell: Callable[[float], None] = lambda share: None
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the `k` nearest neighbours of each vector, including the vector itself.

    The result is exact, because the best `k` of a row lie in the `k` folds with the best
    maxima. Only these folds are sorted, so the selection is cheap beside the product. UMAP's
    own search is approximate, depends on the seed, and takes half a minute to compile.

    Args:
        vectors: Shape (n, dimensions), float32, rows of length 1.
        k: Number of neighbours, at most n.
        tell: Called with the share of the work that is done.

    Returns:
        Indices and cosine distances (0 to 2), each of shape (n, k), nearest first.
    """
    count = len(vectors)
    width = max(-(-count // FOLDS), min(count, k))
    places = np.empty((count, k), np.int32)
    distances = np.empty((count, k), np.float32)
    block = np.full((min(ROWS, count), width * FOLDS), -2, np.float32)
    for start in range(0, count, ROWS):
        stop = min(start + ROWS, count)
        found = block[: stop - start]
        found[:, :count] = vectors[start:stop] @ vectors.T
        best = found.reshape(len(found), FOLDS, width).max(1)
        folds = np.argpartition(best, -k, axis=1)[:, -k:] if k < width else _all(best)
        columns = (folds[:, :, None] + width * np.arange(FOLDS)).reshape(len(found), -1)
        values = np.take_along_axis(found, columns, 1)
        chosen = np.lexsort((columns, -values), axis=1)[:, :k]  # ties by index: one right answer
        places[start:stop] = np.take_along_axis(columns, chosen, 1)
        distances[start:stop] = 1 - np.take_along_axis(values, chosen, 1)
        tell(stop / count)
    return places, np.clip(distances, 0, 2, out=distances)


def _all(best: NDArray[np.float32]) -> NDArray[np.int64]:
    return np.broadcast_to(np.arange(best.shape[1]), best.shape)
