"""What goes into a clustering, and what is made of what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from blake3 import blake3

from backends.embedders.base import Embedder
from journal import utc_now
from pipeline.captions.library import LibraryPhoto
from pipeline.clusters.hierarchy import fold
from pipeline.clusters.label_journal import LabelJournal, label_journal_path
from pipeline.clusters.messages import Fit, Fitted
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

    from backends.embedders.base import Vectors

LEAST_PERCENTILE = 10
"""A photo that was not fitted joins a cluster when it is nearer than a tenth of its photos."""


class ClusteringJob:
    """Gathers vectors, and turns what was fitted into `clusters.jsonl`.

    Args:
        photos: The library.
        embedder: What makes the vectors.
        stores: Where they are; the first that holds a photo's counts.
        settings: How to cluster.
        workspace: Where the last clustering and changes by hand are, and the new one goes.

    Attributes:
        previous: The last clustering, None before the first.
        clustering: The new one, once it is there.
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
        """Tell whether a clustering now could differ from the last one."""
        return self.previous is None or self.previous.head.input != self._input_hash()

    def _input_hash(self) -> str:
        """Return a hash of the settings and of what each vector is of."""
        hasher = blake3(msgspec.json.encode(self._settings))
        for store in self._stores:
            hasher.update(msgspec.json.encode(store.manifest))
            for photo in self._photos:
                if photo.key in store.held and self._counts(photo, store):
                    hasher.update(f"{photo.key}\0{store.held[photo.key][0]}\n".encode())
        return hasher.hexdigest(16)

    def _counts(self, photo: LibraryPhoto, store: VectorStore) -> bool:
        """Tell whether a store's vector of a photo is to be used."""
        return photo.key in store.held and (store.of_pictures or photo.caption is not None)

    def request(self, *, force: bool = False) -> Fit | None:
        """Gather the vectors, a sample of them if they are too many.

        Args:
            force: Whether to do so even if nothing has changed.

        Returns:
            None where nothing has changed.
        """
        for store in self._stores:
            store.refresh()
        if not force and not self.has_changed():
            return None
        self._gather()
        count = len(self._vectors)
        self._fitted = np.arange(count)
        if count > self._settings.sample:
            random = np.random.default_rng(self._settings.seed)
            self._fitted = np.sort(random.choice(count, self._settings.sample, replace=False))
        is_fitted = np.zeros(count, bool)
        is_fitted[self._fitted] = True
        self._smallest = self._settings.smallest(int(is_fitted[self._places].sum()))
        # As many copies of a caption as make a cluster are enough; the others go with them.
        self._in_fit = is_fitted[self._places] & (_copy_numbers(self._places) < self._smallest)
        places = np.searchsorted(self._fitted, self._places[self._in_fit])
        self._samples = self._settings.core(self._smallest)
        return Fit(
            vectors=self._vectors[self._fitted].tobytes(),
            dimensions=self._vectors.shape[1],
            places=places.astype(np.int64).tobytes(),
            min_cluster_size=self._smallest,
            min_samples=self._samples,
            seed=self._settings.seed,
        )

    def _gather(self) -> None:
        keys: list[str] = []
        captions: list[str] = []
        parts: list[Vectors] = []
        places: list[NDArray[np.int64]] = []
        at, seen = 0, set[str]()
        for store in self._stores:
            chosen = [
                photo
                for photo in self._photos
                if photo.key not in seen and self._counts(photo, store)
            ]
            seen.update(photo.key for photo in chosen)
            keys += [photo.key for photo in chosen]
            captions += [photo.caption or "" for photo in chosen]
            if chosen:
                vectors, where = store.take([photo.key for photo in chosen])
                parts.append(vectors)
                places.append(where + at)
                at += len(vectors)
        self._keys, self._captions = keys, captions
        self._vectors = np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)
        if len(parts) == 1:
            self._vectors = parts[0]  # not copied
        self._places = np.concatenate(places) if places else np.zeros(0, np.int64)

    def finish(self, fitted: Fitted) -> None:
        """Name the clusters and write them.

        Raises:
            DiskFull: there is no room; the last clustering stands.
        """
        labels = np.full(len(self._keys), -1, np.int32)
        labels[self._in_fit] = np.frombuffer(fitted.labels, np.int32)
        labels = self._with_copies(labels, -1)
        found = FitResult(
            self._keys, self._captions, self._vectors, self._places, labels, fold(fitted.tree)
        )
        leaves = measure_leaves(found)
        if len(self._fitted) < len(self._vectors):
            _assign(found, leaves, np.isin(self._places, self._fitted))
            leaves = measure_leaves(found)
        # Read now, not before the vectors were made: people may have changed things meanwhile.
        self.previous = previous_clustering(self._workspace)
        changes = LabelJournal(label_journal_path(self._workspace))
        changes.refresh()
        named = name_clusters(found, leaves, self.previous, changes.sketches)
        self.clustering = self._clustering(found, leaves, named, fitted)
        write_clustering(clusters_path(self._workspace), self.clustering)

    def _with_copies(self, values: NDArray[Any], nothing: float) -> NDArray[Any]:
        """Give the photos that were left out of the fit what the first of their caption got."""
        of_caption = np.full((len(self._vectors), *values.shape[1:]), nothing, values.dtype)
        in_fit = np.flatnonzero(self._in_fit)[::-1]
        of_caption[self._places[in_fit]] = values[in_fit]
        left_out = ~self._in_fit
        values[left_out] = of_caption[self._places[left_out]]
        return values

    def _clustering(
        self, found: FitResult, leaves: Leaves, named: Named, fitted: Fitted
    ) -> Clustering:
        positions = np.full((len(found.keys), 2), np.nan, np.float32)
        positions[self._in_fit] = np.frombuffer(fitted.map, np.float32).reshape(-1, 2)
        positions = self._with_copies(positions, np.nan)
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
        head = ClusteringHead(
            at=utc_now(),
            embedder=self._embedder.name,
            model=self._embedder.model,
            seed=self._settings.seed,
            min_cluster_size=self._smallest,
            min_samples=self._samples,
            assign_noise=self._settings.assign_noise,
            fitted=int(self._in_fit.sum()),
            input=self._input_hash(),
            nodes=len(named.nodes),
            photos=len(placed),
            successors=named.successors,
        )
        return Clustering(head, named.nodes, placed)


def _copy_numbers(places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for each photo how many before it have the same caption."""
    order = np.argsort(places, kind="stable")
    starts = np.searchsorted(places[order], places[order])
    numbers = np.empty(len(places), np.int64)
    numbers[order] = np.arange(len(places)) - starts
    return numbers


def _assign(found: FitResult, leaves: Leaves, in_fit: NDArray[np.bool_]) -> None:
    """Put photos that were not fitted into the nearest leaf, if they are near enough."""
    reach = np.zeros(len(leaves.cohesion), np.float32)
    for label in range(len(reach)):
        reach[label] = np.percentile(
            leaves.distance[in_fit & (found.labels == label)], 100 - LEAST_PERCENTILE
        )
    near = leaves.distance <= reach[leaves.nearest]
    joins = ~in_fit & near
    found.labels[joins] = leaves.nearest[joins]
