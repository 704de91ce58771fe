"""How to cluster: what a user may choose, and the defaults for a library."""

from __future__ import annotations

import msgspec

SAMPLE = 60_000
"""Most distinct captions that are fitted; these take about a minute and a gigabyte."""


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
