"""Gathering the input of a clustering, and writing the result."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from blake3 import blake3

from backends.embedders.base import Embedder
from journal import utc_now
from pipeline.captions.library import LibraryPhoto
from pipeline.clusters.gathering import Gathered, counts, gather
from pipeline.clusters.hierarchy import fold
from pipeline.clusters.label_journal import LabelJournal, label_journal_path
from pipeline.clusters.messages import Fitted
from pipeline.clusters.naming import FitResult, Leaves, Named, measure_leaves, name_clusters
from pipeline.clusters.opening import previous_clustering
from pipeline.clusters.settings import ClusterSettings
from pipeline.clusters.tree_file import (
    Clustering,
    ClusteringHead,
    Placed,
    clusters_path,
    write_clustering,
)
from pipeline.embeddings.store import VectorStore

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_PERCENTILE = 10
"""A photo that was not fitted joins a cluster if a tenth of the cluster's photos are farther."""


class ClusteringJob:
    """Gathers vectors, and turns the result of a fit into `clusters.jsonl`.

    Args:
        photos: The library.
        embedder: The embedder that made the vectors.
        stores: The vectors; the first store that holds a vector of a photo counts.
        settings: How to cluster.
        workspace: The directory of the clustering and of the changes by hand.

    Attributes:
        previous: The last clustering, None before the first.
        clustering: The new clustering, None until it is written.
    """

    def __init__(
        self,
        photos: Sequence[LibraryPhoto],
        embedder: Embedder,
        stores: Sequence[VectorStore],
        settings: ClusterSettings,
        workspace: Path,
    ) -> None:
        self._photos = photos
        self._embedder = embedder
        self._stores = stores
        self._settings = settings
        self._workspace = workspace
        self.previous = previous_clustering(workspace)
        self.clustering: Clustering | None = None

    def has_changed(self) -> bool:
        """Tell whether a new clustering could differ from the last one."""
        return self.previous is None or self.previous.head.input != self._input_hash()

    def _input_hash(self) -> str:
        """Return a hash of the settings and of the caption or picture behind each vector."""
        hasher = blake3(msgspec.json.encode(self._settings))
        for store in self._stores:
            hasher.update(msgspec.json.encode(store.manifest))
            for photo in self._photos:
                if counts(photo, store):
                    hasher.update(f"{photo.key}\0{store.held[photo.key][0]}\n".encode())
        return hasher.hexdigest(16)

    def gather(self, *, force: bool = False) -> Gathered | None:
        """Gather the vectors, or a sample if there are too many.

        Args:
            force: Whether to gather the vectors even if nothing has changed.

        Returns:
            The vectors, None if nothing has changed.
        """
        for store in self._stores:
            store.refresh()
        if not force and not self.has_changed():
            return None
        return gather(self._photos, self._stores, self._settings)

    def finish(self, gathered: Gathered, fitted: Fitted) -> None:
        """Name the clusters and write them.

        Raises:
            DiskFull: there is no room; the last clustering is kept.
        """
        labels = gathered.spread(np.frombuffer(fitted.labels, np.int32), -1)
        found = FitResult(
            gathered.keys,
            gathered.captions,
            gathered.vectors,
            gathered.places,
            labels,
            fold(fitted.tree),
        )
        leaves = measure_leaves(found)
        if len(gathered.sample) < len(gathered.vectors):
            _assign(found, leaves, np.isin(gathered.places, gathered.sample))
            leaves = measure_leaves(found)
        # Read only now, because people may have made changes while the vectors were made.
        self.previous = previous_clustering(self._workspace)
        changes = LabelJournal(label_journal_path(self._workspace))
        changes.refresh()
        named = name_clusters(found, leaves, self.previous, changes.sketches)
        positions = gathered.spread(np.frombuffer(fitted.map, np.float32).reshape(-1, 2), np.nan)
        placed = self._placed(found, leaves, named, positions)
        self.clustering = Clustering(self._head(gathered, named, len(placed)), named.nodes, placed)
        write_clustering(clusters_path(self._workspace), self.clustering)

    def _placed(
        self, found: FitResult, leaves: Leaves, named: Named, positions: NDArray[np.float32]
    ) -> list[Placed]:
        """Return the photos in their leaves; `positions` has shape (photos, 2), NaN for none."""
        photo_of = {photo.key: photo for photo in self._photos}
        placed = []
        for place, key in enumerate(found.keys):
            label, near = int(found.labels[place]), named.leaf_ids[leaves.nearest[place]]
            own = None if label < 0 else named.leaf_ids[label]
            x, y = positions[place].tolist()
            placed.append(
                Placed(
                    rel_path=photo_of[key].rel_path,
                    raw_path=photo_of[key].raw_path,
                    cluster=own,
                    nearest=None if near == own else near,
                    distance=round(float(leaves.distance[place]), 4),
                    x=None if np.isnan(x) else round(x, 3),
                    y=None if np.isnan(y) else round(y, 3),
                )
            )
        return placed

    def _head(self, gathered: Gathered, named: Named, photos: int) -> ClusteringHead:
        return ClusteringHead(
            at=utc_now(),
            embedder=self._embedder.name,
            model=self._embedder.model,
            seed=self._settings.seed,
            min_cluster_size=gathered.min_cluster_size,
            min_samples=gathered.min_samples,
            assign_noise=self._settings.assign_noise,
            fitted=int(gathered.in_fit.sum()),
            input=self._input_hash(),
            nodes=len(named.nodes),
            photos=photos,
            successors=named.successors,
        )


def _assign(found: FitResult, leaves: Leaves, in_fit: NDArray[np.bool_]) -> None:
    """Put each photo that was not fitted into the nearest leaf, if the photo is near enough."""
    reach = np.zeros(len(leaves.cohesion), np.float32)
    for label in range(len(reach)):
        reach[label] = np.percentile(
            leaves.distance[in_fit & (found.labels == label)], 100 - LEAST_PERCENTILE
        )
    near = leaves.distance <= reach[leaves.nearest]
    joins = ~in_fit & near
    found.labels[joins] = leaves.nearest[joins]
