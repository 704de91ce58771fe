"""Measuring a set of photos with the vectors of the photos."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from pipeline.clusters.naming import centroid, most_typical
from pipeline.clusters.tree_file import ClusteringHead
from pipeline.clusters.view import PhotoMeasures
from pipeline.embeddings.store import VectorKind, VectorStore, store_of


def measure_photos(
    workspace: Path, head: ClusteringHead, keys: Sequence[str]
) -> PhotoMeasures | None:
    """Return cohesion, exemplar and distances of some photos.

    Args:
        workspace: The directory of the vectors.
        head: Head of the clustering, which names the vectors.
        keys: Keys of the photos.

    Returns:
        The measures, None if no photo has a vector.
    """
    vectors: dict[int, np.ndarray] = {}
    for store in _stores(workspace, head.embedder):
        store.refresh()
        if not store.fits(head.model):
            continue
        held = [
            (place, store.held[key][1])
            for place, key in enumerate(keys)
            if key in store.held and place not in vectors
        ]
        if held:
            rows = store.vectors()[[row for _, row in held]]
            vectors.update(zip((place for place, _ in held), rows, strict=True))
    if not vectors:
        return None
    places = sorted(vectors)
    matrix = np.stack([vectors[place] for place in places])
    with np.errstate(all="ignore"):  # a damaged array must not print warnings
        cosine = matrix @ centroid(matrix)
    if not np.isfinite(cosine).all():
        return None
    distances: list[float | None] = [None] * len(keys)
    for place, value in zip(places, cosine.tolist(), strict=True):
        distances[place] = round(max(0.0, 1 - value), 4)
    return PhotoMeasures(float(cosine.mean()), places[most_typical(cosine)], distances)


@lru_cache(4)
def _stores(workspace: Path, embedder: str) -> list[VectorStore]:
    """Return the stores of the vectors that were clustered; vectors of pictures come first."""
    kinds: tuple[VectorKind, ...] = ("pictures", "captions", "labels")
    return [store_of(workspace, embedder, kind) for kind in kinds]
