"""What the fitting process and its owner say to each other."""

from __future__ import annotations

import msgspec


class Fit(msgspec.Struct, tag=True):
    """A request: find the clusters.

    Attributes:
        vectors: Distinct unit vectors, float32, as bytes.
        dimensions: Of a vector.
        places: Place of each photo's vector among them, int64, as bytes.
        min_cluster_size: Photos of the smallest cluster.
        min_samples: Neighbours that make a photo a core point.
        seed: Of everything random.
    """

    vectors: bytes
    dimensions: int
    places: bytes
    min_cluster_size: int
    min_samples: int
    seed: int


class Warm(msgspec.Struct, tag=True):
    """A request: compile what will be needed, there is time."""


class FitPhase(msgspec.Struct, tag=True):
    """A reply: how far the work is.

    Attributes:
        what: What is being done.
        share: Of the whole work, 0 to 1.
    """

    what: str
    share: float


class Fitted(msgspec.Struct, tag=True):
    """A reply: the clusters.

    Attributes:
        labels: Selected cluster of each photo, -1 for noise; int32, as bytes.
        tree: Condensed tree above the selected clusters: see `Branch`.
        map: Position of each photo, two float32, as bytes.
    """

    labels: bytes
    tree: list[Branch]
    map: bytes


class Branch(msgspec.Struct, array_like=True):
    """A cluster of the condensed tree that has others below it, or was selected.

    Attributes:
        node: Its number.
        parent: The one it split off from, None for the whole library.
        size: Photos in it when it split off.
        label: Its label if it was selected, None for a group of others.
    """

    node: int
    parent: int | None
    size: int
    label: int | None


class Unfit(msgspec.Struct, tag=True):
    """A reply: why there are no clusters."""

    reason: str


FitRequest = Fit | Warm
FitReply = FitPhase | Fitted | Unfit
