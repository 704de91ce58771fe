"""Vectors to be clustered, and a check that holds for every result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from backends.embedders.base import unit_rows
from pipeline.clusters.gathering import Gathered
from pipeline.clusters.messages import Fit, Fitted

if TYPE_CHECKING:
    from backends.embedders.base import Vectors


def unit(count: int, dimensions: int = 8, seed: int = 0) -> Vectors:
    """Return random unit vectors."""
    rows = np.random.default_rng(seed).normal(size=(count, dimensions))
    return unit_rows(rows.astype(np.float32))


def blobs(count: int, each: int, dimensions: int = 24, spread: float = 0.05) -> Vectors:
    """Return groups of vectors around directions that are far apart."""
    random = np.random.default_rng(1)
    centres = np.repeat(np.eye(count, dimensions), each, axis=0)
    noise = random.normal(scale=spread, size=centres.shape)
    return unit_rows((centres + noise).astype(np.float32))


def gathered(
    vectors: Vectors, places: Sequence[int] | None = None, *, smallest: int = 3, seed: int = 0
) -> Gathered:
    """Return photos with vectors, all to be fitted; without `places`, one vector for each photo."""
    where = np.arange(len(vectors)) if places is None else np.array(places, np.int64)
    return Gathered(
        keys=[f"{number}.jpg" for number in range(len(where))],
        captions=[""] * len(where),
        vectors=vectors,
        places=where,
        sample=np.arange(len(vectors)),
        in_fit=np.ones(len(where), bool),
        min_cluster_size=smallest,
        min_samples=1,
        seed=seed,
    )


def request(
    vectors: Vectors, places: Sequence[int] | None = None, *, smallest: int = 3, seed: int = 0
) -> Fit:
    """Return a request; without `places`, each vector belongs to one photo."""
    return gathered(vectors, places, smallest=smallest, seed=seed).fit_request()


def labels_of(fitted: Fitted) -> list[int]:
    """Return the label of each photo."""
    labels: list[int] = np.frombuffer(fitted.labels, np.int32).tolist()
    return labels


def assert_whole(fitted: Fitted, photos: int) -> None:
    """Check that each photo has a label and a position, and that the tree has every label."""
    labels = labels_of(fitted)
    assert len(labels) == photos
    positions = np.frombuffer(fitted.map, np.float32)
    assert positions.shape == (2 * photos,)
    assert np.isfinite(positions).all()
    named = [branch.label for branch in fitted.tree if branch.label is not None]
    assert sorted(named) == sorted({*labels} - {-1})
