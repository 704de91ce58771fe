"""What goes into a clustering, and what is made of what comes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from blake3 import blake3

from backends.embedders.base import Embedder
from journal import utc_now
from pipeline.captions.library import LibraryPhoto
from pipeline.clusters.arrange import Found, Leaves, Named, measure_leaves, name_clusters
from pipeline.clusters.hierarchy import fold
from pipeline.clusters.messages import Fit, Fitted
from pipeline.clusters.overrides import Overrides
from pipeline.clusters.tree_file import Clustering, Head, Placed, write_clustering
from pipeline.embeddings.store import VectorStore

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backends.embedders.base import Vectors

SAMPLE = 60_000
"""Distinct captions fitted at once: about a minute and a gigabyte. The rest is assigned."""

LEAST_PERCENTILE = 10
"""A photo that was not fitted joins a cluster when it is nearer than a tenth of its photos."""

SIZE_FACTOR = 0.45
SMALLEST_CLUSTER = 3
"""Photos of the smallest cluster: 0.45 times the root of the library, 3 at least. Measured on
5,000 and 25,000 human captions; see decision record 13."""

CORE_SHARE = 0.4
"""HDBSCAN's `min_samples` as a share of the smallest cluster; measured likewise."""


class Settings(msgspec.Struct, frozen=True):
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


class ClusterReport(msgspec.Struct, kw_only=True):
    """What a clustering did, as `pcc cluster --json` prints it.

    Attributes:
        photos: Photos of the library.
        clustered: Photos in a cluster.
        unclustered: Photos that fit nowhere.
        no_caption: Photos without a vector.
        clusters: Clusters that photos stand in.
        groups: Groups of clusters.
        kept: Clusters that were there before.
        new: Clusters that were not.
        gone: Titles of clusters that are no more, with where most of their photos went.
        moved: Photos that stand in another cluster than before.
        moves: The largest streams of them: from, to, how many.
        lost: Changes by hand that fit nothing any more, in a sentence each.
        embedder: What made the vectors.
        embedded: Vectors made by this command.
        changed: False when nothing had changed and the old clusters stand.
        seconds: It took.
    """

    photos: int
    clustered: int
    unclustered: int
    no_caption: int
    clusters: int
    groups: int
    kept: int = 0
    new: int = 0
    gone: list[str] = []
    moved: int = 0
    moves: list[tuple[str, str, int]] = []
    lost: list[str] = []
    embedder: str = ""
    embedded: int = 0
    changed: bool = True
    seconds: float = 0.0


class Clusterer:
    """Gathers vectors, and turns what was fitted into `clusters.jsonl`.

    Args:
        photos: The library.
        embedder: What makes the vectors.
        stores: Where they are; the first that holds a photo's counts.
        settings: How to cluster.
        overrides: What was changed by hand.
        previous: The last clustering, None before the first.
        path: Where the clustering is written.

    Attributes:
        clustering: The new one, once it is there.
    """

    def __init__(
        self,
        photos: Sequence[LibraryPhoto],
        embedder: Embedder,
        stores: Sequence[VectorStore],
        settings: Settings,
        overrides: Overrides,
        previous: Clustering | None,
        path: Path,
    ) -> None:
        self._photos = photos
        self._embedder = embedder
        self._stores = stores
        self._settings = settings
        self._overrides = overrides
        self._previous = previous
        self._path = path
        self.clustering: Clustering | None = None

    def has_changed(self) -> bool:
        """Tell whether a clustering now could differ from the last one."""
        return self._previous is None or self._previous.head.input != self._input_hash()

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

    def request(self) -> Fit:
        """Gather the vectors, a sample of them if they are too many."""
        self._gather()
        count = len(self._vectors)
        self._fitted = np.arange(count)
        if count > self._settings.sample:
            random = np.random.default_rng(self._settings.seed)
            self._fitted = np.sort(random.choice(count, self._settings.sample, replace=False))
        self._in_fit = np.isin(self._places, self._fitted)
        places = np.searchsorted(self._fitted, self._places[self._in_fit])
        self._smallest = self._settings.smallest(len(places))
        self._samples = max(1, round(CORE_SHARE * self._smallest))
        return Fit(
            vectors=self._vectors[self._fitted].tobytes(),
            dimensions=self._vectors.shape[1],
            places=places.astype(np.int64).tobytes(),
            min_cluster_size=self._smallest,
            min_samples=self._samples,
            seed=self._settings.seed,
        )

    def _gather(self) -> None:
        for store in self._stores:
            store.refresh()
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
        self._places = np.concatenate(places) if places else np.zeros(0, np.int64)

    def finish(self, fitted: Fitted) -> None:
        """Name the clusters and write them.

        Raises:
            DiskFull: there is no room; the last clustering stands.
        """
        labels = np.full(len(self._keys), -1, np.int32)
        labels[self._in_fit] = np.frombuffer(fitted.labels, np.int32)
        found = Found(
            self._keys, self._captions, self._vectors, self._places, labels, fold(fitted.tree)
        )
        leaves = measure_leaves(found)
        if not self._in_fit.all():
            _assign(found, leaves, self._in_fit)
            leaves = measure_leaves(found)
        named = name_clusters(found, leaves, self._previous, self._overrides.sketches)
        self.clustering = self._clustering(found, leaves, named, fitted)
        write_clustering(self._path, self.clustering)

    def _clustering(self, found: Found, leaves: Leaves, named: Named, fitted: Fitted) -> Clustering:
        positions = np.full((len(found.keys), 2), np.nan, np.float32)
        positions[self._in_fit] = np.frombuffer(fitted.map, np.float32).reshape(-1, 2)
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
        head = Head(
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


def _assign(found: Found, leaves: Leaves, in_fit: NDArray[np.bool_]) -> None:
    """Put photos that were not fitted into the nearest leaf, if they are near enough."""
    reach = np.zeros(len(leaves.cohesion), np.float32)
    for label in range(len(reach)):
        reach[label] = np.percentile(
            leaves.distance[in_fit & (found.labels == label)], 100 - LEAST_PERCENTILE
        )
    near = leaves.distance <= reach[leaves.nearest]
    joins = ~in_fit & near
    found.labels[joins] = leaves.nearest[joins]


def compare_with_previous(
    report: ClusterReport, previous: Clustering | None, clustering: Clustering
) -> None:
    """Fill in what became of the clusters that were there before."""
    leaves = {node.id: node for node in clustering.nodes if node.leaf}
    if previous is None:
        report.new = len(leaves)
        return
    old = {node.id: node for node in previous.nodes if node.leaf}
    report.kept = len(leaves.keys() & old.keys())
    report.new = len(leaves.keys() - old.keys())
    for id_ in old.keys() - leaves.keys():
        heir = clustering.head.successors.get(id_)
        where = f", now in {leaves[heir].title}" if heir in leaves else ", scattered"
        report.gone.append(old[id_].title + where)
    report.gone.sort()
    was = {placed.key: placed.cluster for placed in previous.placed}
    streams: Counter[tuple[str | None, str | None]] = Counter()
    for placed in clustering.placed:
        if placed.key in was and was[placed.key] != placed.cluster:
            streams[was[placed.key], placed.cluster] += 1
    report.moved = streams.total()
    report.moves = [
        (_title(source, old), _title(target, leaves), count)
        for (source, target), count in streams.most_common(SHOWN_MOVES)
    ]


SHOWN_MOVES = 10


def _title(id_: str | None, nodes: Mapping[str, object]) -> str:
    return "unclustered" if id_ is None else getattr(nodes.get(id_), "title", id_)
