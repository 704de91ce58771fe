"""Pictures that are equal, found by a 64-bit hash of each: eight bytes an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.synth.primitives import GRID

if TYPE_CHECKING:
    from numpy.typing import NDArray

FACTOR = np.uint64(0x9E3779B97F4A7C15)
"""2**64 over the golden ratio: odd, its bits well mixed (Knuth, TAOCP 6.4)."""

SHIFT = np.uint64(32)
AT_ONCE = 1024


def hash_images(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return a hash of each image (n, 16, 16): uint64 (n,).

    Each step is a bijection of what came before, so two images that differ in one word never
    have the same hash. Among ten million different images, the probability that any two have
    the same hash is about three in a million.
    """
    words = np.ascontiguousarray(images).reshape(len(images), GRID * GRID).view(np.uint64)
    hashes = np.zeros(len(words), np.uint64)
    for start in range(0, len(words), AT_ONCE):
        part = hashes[start : start + AT_ONCE]
        for word in words[start : start + AT_ONCE].T:
            part ^= word
            part *= FACTOR
            part ^= part >> SHIFT
    return hashes


def count_twins(ours: NDArray[np.uint64], theirs: NDArray[np.uint64]) -> int:
    """Return how many of our images have an equal one among theirs; theirs are sorted."""
    if not len(theirs):
        return 0
    found = np.searchsorted(theirs, ours)
    found[found == len(theirs)] = 0
    return int(np.count_nonzero(theirs[found] == ours))
