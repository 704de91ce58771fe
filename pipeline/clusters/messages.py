"""The messages between the fitting process and its owner."""

from __future__ import annotations

import msgspec


class Fit(msgspec.Struct, tag=True):
    """A request: find the clusters.

    Attributes:
        vectors: Distinct unit vectors, float32, as bytes.
        dimensions: Numbers in a vector.
        places: Index of each photo's vector in `vectors`, int64, as bytes.
        min_cluster_size: Photos of the smallest cluster.
        min_samples: Neighbours that make a photo a core point.
        seed: Seed of all random numbers.
    """

    vectors: bytes
    dimensions: int
    places: bytes
    min_cluster_size: int
    min_samples: int
    seed: int


class Warm(msgspec.Struct, tag=True):
    """A request: compile what a fit will need, while the owner makes vectors."""


class FitPhase(msgspec.Struct, tag=True):
    """A reply: the progress of the fit.

    Attributes:
        what: What is being done.
        share: Share of the whole work that is done, from 0 to 1.
    """

    what: str
    share: float


class Fitted(msgspec.Struct, tag=True):
    """A reply: the clusters.

    Attributes:
        labels: Selected cluster of each photo, -1 for noise; int32, as bytes.
        tree: The condensed tree above the selected clusters; see `Branch`.
        map: Position of each photo, two float32, as bytes.
    """

    labels: bytes
    tree: list[Branch]
    map: bytes


class Branch(msgspec.Struct, array_like=True):
    """A node of the condensed tree that has nodes below it, or was selected.

    Attributes:
        node: Number of the node.
        parent: Number of the node from which it split off, None for the whole library.
        size: Photos in the node when it split off.
        label: Label of a selected node, None for a group of other nodes.
    """

    node: int
    parent: int | None
    size: int
    label: int | None


class Unfit(msgspec.Struct, tag=True):
    """A reply: the reason why there are no clusters."""

    reason: str


FitRequest = Fit | Warm
FitReply = FitPhase | Fitted | Unfit
