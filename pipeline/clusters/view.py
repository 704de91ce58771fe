"""The library as people see it: the last clustering, changed by hand, cut into chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from pipeline.captions.library import LibraryPhoto
from pipeline.clusters.chunks import CHUNK_SIZE, cut
from pipeline.clusters.label_journal import LabelChange
from pipeline.clusters.moments import dated
from pipeline.clusters.playback import Playback
from pipeline.clusters.tree_file import Clustering

UNCLUSTERED = "unclustered"
NO_CAPTION = "no caption"
SPECIAL = (UNCLUSTERED, NO_CAPTION)
"""Leaves that are not clusters; they come last."""


class PhotoMeasures(NamedTuple):
    """Measures of a set of photos by their vectors.

    Attributes:
        cohesion: Mean cosine to the centroid.
        exemplar: Index, in the set, of the photo nearest to the centroid.
        distances: Cosine distance of each photo to the centroid; None without a vector.
    """

    cohesion: float
    exemplar: int
    distances: list[float | None]


Measure = Callable[[Sequence[str]], PhotoMeasures | None]
"""Measures the photos of some keys; returns None if there are no vectors."""


class Cluster(msgspec.Struct):
    """A cluster, or a group of clusters, as people see it.

    Attributes:
        id: Stable from one clustering to the next; also `unclustered` and `no caption`.
        title: The title given by hand, else the joined keywords.
        parent: Id of the group, None at the top.
        keywords: Words that distinguish the captions of the cluster, the best first.
        children: Ids of the children, the largest first; empty for a leaf.
        members: For a leaf, indices of its photos in the library, in the order of the chunks.
        chunks: For a leaf, index in `members` at which each chunk begins.
        size: Photos in the cluster and below.
        exemplar: Index of the photo nearest to the centroid.
        cohesion: Mean cosine of the photos to the centroid.
        first: Day of the earliest photo, ISO 8601.
        last: Day of the latest photo, ISO 8601.
        named: Whether the title was given by hand.
        locked: Whether the cluster keeps exactly its present photos.
    """

    id: str
    title: str
    parent: str | None = None
    keywords: list[str] = []
    children: list[str] = []
    members: list[int] = []
    chunks: list[int] = []
    size: int = 0
    exemplar: int | None = None
    cohesion: float | None = None
    first: str | None = None
    last: str | None = None
    named: bool = False
    locked: bool = False

    def chunk(self, number: int) -> list[int]:
        """Return the indices of the photos of a chunk; chunks are counted from 0."""
        end = self.chunks[number + 1] if number + 1 < len(self.chunks) else len(self.members)
        return self.members[self.chunks[number] : end]

    @property
    def span(self) -> str:
        """First and last day, `2019-05-01 to 2021-08-03`; empty if no photo is dated."""
        if self.first is None or self.first == self.last:
            return self.first or ""
        return f"{self.first} to {self.last}"


class ClusterView:
    """Every photo of a library in its cluster and chunk. A `place` is an index in `photos`.

    Args:
        photos: The library.
        clustering: The last clustering, None before the first.
        changes: Changes by hand, in order.
        moment: Returns when the photo at a place was taken.
        measure: Measures clusters that were changed by hand.
        chunk_size: Most photos in a chunk.

    Attributes:
        photos: The library.
        clusters: Clusters by id, a group before its parts.
        roots: Ids of the clusters at the top.
        leaf_of: Id of the leaf of each photo.
        distance: Distance of each photo to the centroid of its leaf; None if undefined.
        position: Position of each photo on the map, None if undefined.
        place_of: Place of each photo, by the key of the photo.
    """

    def __init__(
        self,
        photos: list[LibraryPhoto],
        clustering: Clustering | None,
        changes: Iterable[LabelChange] = (),
        *,
        moment: Callable[[int], float | None] = lambda place: None,
        measure: Measure = lambda keys: None,
        chunk_size: int = CHUNK_SIZE,
    ) -> None:
        self.photos = photos
        self.place_of = {photo.key: place for place, photo in enumerate(photos)}
        self.leaf_of = [UNCLUSTERED if photo.caption else NO_CAPTION for photo in photos]
        self.distance: list[float | None] = [None] * len(photos)
        self.position: list[tuple[float, float] | None] = [None] * len(photos)
        self.clusters: dict[str, Cluster] = {}
        self.roots: list[str] = []
        self._measure = measure
        nodes, successors = (
            ([], None) if clustering is None else (clustering.nodes, clustering.head.successors)
        )
        self.arrangement = Playback(nodes, changes, successors)
        if clustering is not None:
            self._place(clustering)
        self._chunk_of: dict[int, str] = {}
        self._plant(moment, chunk_size)

    def _place(self, clustering: Clustering) -> None:
        """Put each photo that has a vector into its leaf."""
        assigned = clustering.head.assign_noise
        where = self.arrangement
        for placed in clustering.placed:
            place = self.place_of.get(placed.key)
            if place is None:
                continue  # no longer in the journal or on disk
            found = placed.cluster or (placed.nearest if assigned else None)
            leaf = where.leaf_of(placed.key, found)
            self.leaf_of[place] = leaf or UNCLUSTERED
            if leaf is not None and leaf == found:
                self.distance[place] = placed.distance
            if placed.x is not None and placed.y is not None:
                self.position[place] = (placed.x, placed.y)
        for key, leaf in where.pinned():
            place = self.place_of.get(key)
            if place is not None and self.leaf_of[place] != leaf:
                self.leaf_of[place] = leaf
                where.touched.add(leaf)

    def _plant(self, moment: Callable[[int], float | None], chunk_size: int) -> None:
        """Build the tree: leaves with photos and chunks, and groups above the leaves."""
        members: dict[str, list[int]] = {}
        for place, leaf in enumerate(self.leaf_of):
            members.setdefault(leaf, []).append(place)
        made: dict[str, Cluster] = {}
        for leaf, places in members.items():
            made[leaf] = self._leaf(leaf, places)
            chunks = cut(places, moment, lambda place: self.photos[place].rel_path, chunk_size)
            made[leaf].members = [place for chunk in chunks for place in chunk]
            at = 0
            for chunk in chunks:
                made[leaf].chunks.append(at)
                at += len(chunk)
        self._group(made)

    def _leaf(self, leaf: str, places: list[int]) -> Cluster:
        if leaf in SPECIAL:
            cluster = Cluster(leaf, leaf)
        else:
            node = self.arrangement.nodes[leaf]
            cluster = Cluster(
                leaf,
                node.title,
                node.parent,
                node.keywords,
                named=leaf in self.arrangement.named,
                locked=leaf in self.arrangement.locked,
                cohesion=node.cohesion,
                exemplar=self.place_of.get(node.exemplar or ""),
            )
            if leaf in self.arrangement.touched:
                self._measure_anew(cluster, places)
        cluster.size = len(places)
        days = sorted(filter(None, (dated(self.photos[place]) for place in places)))
        if days:
            cluster.first, cluster.last = days[0][:10], days[-1][:10]
        return cluster

    def _measure_anew(self, cluster: Cluster, places: list[int]) -> None:
        """Measure a cluster whose photos differ from the photos of the clustering."""
        measured = self._measure([self.photos[place].key for place in places])
        if measured is None:
            if cluster.exemplar not in places:
                cluster.exemplar = min(places, key=self._nearness)
            return
        cluster.cohesion = measured.cohesion
        cluster.exemplar = places[measured.exemplar]
        for place, distance in zip(places, measured.distances, strict=True):
            self.distance[place] = distance

    def _nearness(self, place: int) -> tuple[float, int]:
        distance = self.distance[place]
        return (9.0 if distance is None else distance), place

    def _group(self, leaves: dict[str, Cluster]) -> None:
        """Put the groups above the leaves; a group with a single child is replaced by the child."""
        groups: dict[str, Cluster] = {}
        nodes = self.arrangement.nodes

        def group_of(id_: str | None) -> Cluster | None:
            if id_ is None or id_ not in nodes:
                return None
            if id_ not in groups:
                node = nodes[id_]
                groups[id_] = Cluster(
                    id_,
                    node.title,
                    node.parent,
                    node.keywords,
                    children=[],
                    cohesion=node.cohesion,
                    exemplar=self.place_of.get(node.exemplar or ""),
                    named=id_ in self.arrangement.named,
                )
                if (above := group_of(node.parent)) is not None:
                    above.children.append(id_)
            return groups[id_]

        for leaf in leaves.values():
            if (above := group_of(leaf.parent)) is not None:
                above.children.append(leaf.id)
        everything = groups | leaves
        for id_ in sorted(groups, key=lambda id_: -self._depth(id_, groups)):
            self._settle(groups[id_], everything)
        tops = [cluster for cluster in everything.values() if self._is_top(cluster, everything)]
        tops.sort(key=lambda top: (top.id in SPECIAL, top.id == NO_CAPTION, -top.size, top.id))
        self.roots = [top.id for top in tops]
        for root in self.roots:
            for id_ in _below(root, everything):
                self.clusters[id_] = everything[id_]

    def _settle(self, group: Cluster, everything: dict[str, Cluster]) -> None:
        """Sum up a group whose children are summed up already."""
        children = [everything[child] for child in group.children]
        if len(children) == 1:
            (only,) = children
            only.parent = group.parent
            if group.named and not only.named:
                only.title, only.named = group.title, True
            if group.parent in everything:
                above = everything[group.parent]
                above.children[above.children.index(group.id)] = only.id
            del everything[group.id]
            return
        children.sort(key=lambda child: (-child.size, child.id))
        group.children = [child.id for child in children]
        group.size = sum(child.size for child in children)
        group.first = min((child.first for child in children if child.first), default=None)
        group.last = max((child.last for child in children if child.last), default=None)
        below = set(_below(group.id, everything))
        if group.exemplar is None or self.leaf_of[group.exemplar] not in below:
            group.exemplar = children[0].exemplar

    @staticmethod
    def _is_top(cluster: Cluster, everything: dict[str, Cluster]) -> bool:
        return cluster.parent not in everything

    @staticmethod
    def _depth(id_: str, groups: dict[str, Cluster]) -> int:
        depth, above = 0, groups[id_].parent
        while above in groups:
            depth, above = depth + 1, groups[above].parent
        return depth

    @property
    def has_clusters(self) -> bool:
        """Whether there is any cluster beside `unclustered` and `no caption`."""
        return any(id_ not in SPECIAL for id_ in self.clusters)

    def path(self, id_: str) -> list[str]:
        """Return the titles on the path from the top to a cluster."""
        titles: list[str] = []
        above: str | None = id_
        while above in self.clusters:
            titles.append(self.clusters[above].title)
            above = self.clusters[above].parent
        return titles[::-1]

    def leaves(self) -> Iterator[Cluster]:
        """Yield the leaves, which contain the photos, in the order of display."""
        return (cluster for cluster in self.clusters.values() if not cluster.children)

    def places(self, id_: str) -> list[int]:
        """Return the places of all photos in a cluster and below."""
        return [
            place for below in _below(id_, self.clusters) for place in self.clusters[below].members
        ]

    def chunk_of(self, place: int) -> str:
        """Return the id of the chunk of a photo, such as `3fa9c1d2-004`."""
        if not self._chunk_of:
            for leaf in self.leaves():
                for number in range(len(leaf.chunks)):
                    name = chunk_id(leaf.id, number)
                    self._chunk_of.update(dict.fromkeys(leaf.chunk(number), name))
        return self._chunk_of[place]


def chunk_id(leaf: str, number: int) -> str:
    """Return the id of a chunk of a leaf; chunks are counted from 0."""
    return f"{leaf.replace(' ', '-')}-{number + 1:03d}"


def _below(id_: str, clusters: dict[str, Cluster]) -> Iterator[str]:
    """Yield the id of a cluster and all ids below, a group before its parts."""
    yield id_
    for child in clusters[id_].children:
        yield from _below(child, clusters)
