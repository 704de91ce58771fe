"""HDBSCAN's `min_cluster_size` and `min_samples`, by the size of a library.

Both were measured on 5,000 and 25,000 human captions; see decision record 13.
"""

from __future__ import annotations

import math

SIZE_FACTOR = 0.45
LEAST = 3
"""The smallest cluster has 0.45 times the square root of the number of photos, and at least 3."""

CORE_SHARE = 0.4
"""`min_samples` as a share of the smallest cluster."""


def min_cluster_size_for(photos: int) -> int:
    """Return how many photos make a cluster in a library of so many photos."""
    return max(LEAST, round(SIZE_FACTOR * math.sqrt(photos)))


def min_samples_for(min_cluster_size: int) -> int:
    """Return how many neighbours make a photo a core point."""
    return max(1, round(CORE_SHARE * min_cluster_size))
