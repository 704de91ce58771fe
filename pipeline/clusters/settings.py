"""How to cluster: what a user may choose, and what suits a library."""

from __future__ import annotations

import msgspec

SAMPLE = 60_000
"""Distinct captions fitted at once: about a minute and a gigabyte. The rest is assigned."""

SIZE_FACTOR = 0.45
SMALLEST_CLUSTER = 3
"""Photos of the smallest cluster: 0.45 times the root of the library, 3 at least. Measured on
5,000 and 25,000 human captions; see decision record 13."""

CORE_SHARE = 0.4
"""HDBSCAN's `min_samples` as a share of the smallest cluster; measured likewise."""


class ClusterSettings(msgspec.Struct, frozen=True):
    """How to cluster.

    Attributes:
        seed: Of everything random.
        min_cluster_size: Photos of the smallest cluster, None for what suits the library.
        assign_noise: Put photos that fit nowhere into their nearest cluster.
        sample: Distinct captions to fit at once.
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
