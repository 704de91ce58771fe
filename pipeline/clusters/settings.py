"""How to cluster: what a user may choose, and the defaults for a library."""

from __future__ import annotations

import msgspec

SAMPLE = 60_000
"""Most distinct captions that are fitted; these take about a minute and a gigabyte."""

SIZE_FACTOR = 0.45
SMALLEST_CLUSTER = 3
"""The smallest cluster has 0.45 times the square root of the number of photos, and at least 3.
Measured on 5,000 and 25,000 human captions; see decision record 13."""

CORE_SHARE = 0.4
"""HDBSCAN's `min_samples` as a share of the smallest cluster, measured on the same captions."""


class ClusterSettings(msgspec.Struct, frozen=True):
    """How to cluster.

    Attributes:
        seed: Seed of all random numbers.
        min_cluster_size: Photos of the smallest cluster, None for the default of the library.
        assign_noise: Put photos that fit into no cluster into the nearest cluster.
        sample: Most distinct captions that are fitted; the others are assigned.
    """

    seed: int = 0
    min_cluster_size: int | None = None
    assign_noise: bool = False
    sample: int = SAMPLE

    def smallest(self, photos: int) -> int:
        """Return the size of the smallest cluster of a library."""
        return self.min_cluster_size or max(SMALLEST_CLUSTER, round(SIZE_FACTOR * photos**0.5))

    def core(self, smallest: int) -> int:
        """Return how many neighbours make a photo a core point."""
        return max(1, round(CORE_SHARE * smallest))
