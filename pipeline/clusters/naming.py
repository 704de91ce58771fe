"""From labels of photos to a clustering: groups, titles, exemplars and lasting ids."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from pipeline.clusters.hierarchy import Group
from pipeline.clusters.keywords import Lexicon, titles
from pipeline.clusters.recognition import Sketch, like_sketches, match_groups, new_id, recognise
from pipeline.clusters.tree_file import Clustering, Node

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backends.embedders.base import Vectors


BLOCK = 8192
"""Photos measured at once; a larger block takes more memory and saves no time."""


class FitResult(msgspec.Struct):
    """The result of the fitting process, with its input.

    Attributes:
        keys: Keys of the photos.
        captions: Captions of the photos; empty for a photo whose vector is of the picture.
        vectors: Distinct unit vectors, shape (n, dimensions).
        places: Index of each photo's vector in `vectors`.
        labels: Leaf of each photo, -1 for noise.
        top: The readable tree above the leaves.
    """

    keys: list[str]
    captions: list[str]
    vectors: Vectors
    places: NDArray[np.int64]
    labels: NDArray[np.int32]
    top: list[Group]


class Leaves(msgspec.Struct):
    """Measures of the leaves, and of each photo against the leaves.

    Attributes:
        centroids: Unit vectors, shape (leaves, dimensions).
        nearest: For each photo, the leaf with the nearest centroid.
        distance: For each photo, the cosine distance to the centroid of its leaf; for noise,
            the distance to the nearest centroid.
        cohesion: Mean cosine of the photos of each leaf to its centroid.
        exemplars: Index of the photo nearest to each centroid.
    """

    centroids: Vectors
    nearest: NDArray[np.int64]
    distance: NDArray[np.float32]
    cohesion: list[float]
    exemplars: list[int]


def measure_leaves(found: FitResult) -> Leaves:
    """Measure the leaves of a clustering."""
    count = int(found.labels.max(initial=-1)) + 1
    centroids = np.zeros((count, found.vectors.shape[1]), np.float32)
    for label in range(count):
        centroids[label] = centroid(found.vectors[found.places[found.labels == label]])
    if not count:
        nothing = np.zeros(len(found.keys), np.int64)
        return Leaves(centroids, nothing, np.ones(len(found.keys), np.float32), [], [])
    nearest_of = np.empty(len(found.vectors), np.int64)
    for start in range(0, len(found.vectors), BLOCK):
        rows = slice(start, start + BLOCK)
        nearest_of[rows] = (found.vectors[rows] @ centroids.T).argmax(1)
    nearest = nearest_of[found.places]
    own = np.where(found.labels < 0, nearest, found.labels)
    cosine = np.empty(len(own), np.float32)
    for start in range(0, len(own), BLOCK):
        rows = slice(start, start + BLOCK)
        pairs = found.vectors[found.places[rows]] * centroids[own[rows]]
        cosine[rows] = pairs.sum(1)
    cohesion, exemplars = [], []
    for label in range(count):
        members = np.flatnonzero(found.labels == label)
        cohesion.append(float(cosine[members].mean()))
        exemplars.append(int(members[most_typical(cosine[members])]))
    distance = np.clip(1 - cosine, 0, 2).astype(np.float32)
    return Leaves(centroids, nearest, distance, cohesion, exemplars)


def most_typical(cosine: NDArray[np.float32]) -> int:
    """Return the place of the greatest cosine similarity to a centroid, the first of equal ones.

    Processors add in different orders, so that equal sums differ in their last bits. Without
    rounding, the exemplar of a cluster would depend on the machine.
    """
    return int(cosine.round(5).argmax())


def centroid(vectors: Vectors) -> Vectors:
    """Return the direction of the mean of some vectors, of length 1."""
    mean: Vectors = vectors.mean(0)
    length = float(np.linalg.norm(mean))
    return mean / length if length > 1e-9 else vectors[0]


class Named(msgspec.Struct):
    """The clusters of a clustering with their ids.

    Attributes:
        nodes: Groups and leaves, a group before its parts.
        leaf_ids: Id of each leaf, by the label of the leaf.
        successors: Cluster to which the photos of a former cluster went, by the former id.
    """

    nodes: list[Node]
    leaf_ids: list[str]
    successors: dict[str, str]


def name_clusters(
    found: FitResult, leaves: Leaves, previous: Clustering | None, sketches: dict[str, Sketch]
) -> Named:
    """Give every cluster a title and an id; a cluster that existed before keeps its id.

    Args:
        found: The result of the fit.
        leaves: The measures of the leaves.
        previous: The last clustering, whose ids are used again.
        sketches: Sketches of the clusters that changes by hand name.
    """
    flat = _flatten(found.top)
    members = [_members(found.labels, group) for group, _ in flat]
    ids, successors = _ids(found, flat, members, previous, sketches)
    keywords = Lexicon(found.captions).keywords(members)
    nodes = []
    parents = [parent for _, parent in flat]
    for place, title in enumerate(titles(keywords, parents)):
        group, parent = flat[place]
        if group.label is not None:
            cohesion, exemplar = leaves.cohesion[group.label], leaves.exemplars[group.label]
        else:
            cohesion, exemplar = _measure(found, members[place])
        nodes.append(
            Node(
                id=ids[place],
                parent=None if parent is None else ids[parent],
                title=title,
                keywords=keywords[place],
                exemplar=found.keys[exemplar],
                cohesion=round(cohesion, 4),
                leaf=group.label is not None,
            )
        )
    by_label = {group.label: id_ for (group, _), id_ in zip(flat, ids, strict=True)}
    leaf_ids = [by_label[label] for label in range(len(leaves.cohesion))]
    return Named(nodes, leaf_ids, successors)


def _flatten(top: Sequence[Group]) -> list[tuple[Group, int | None]]:
    """Return every group and leaf with the index of its parent, a group before its parts."""
    flat: list[tuple[Group, int | None]] = []

    def add(group: Group, parent: int | None) -> None:
        place = len(flat)
        flat.append((group, parent))
        for child in group.children:
            add(child, place)

    for group in top:
        add(group, None)
    return flat


def _members(labels: NDArray[np.int32], group: Group) -> NDArray[np.int64]:
    return np.flatnonzero(np.isin(labels, _labels(group)))


def _labels(group: Group) -> list[int]:
    if group.label is not None:
        return [group.label]
    return [label for child in group.children for label in _labels(child)]


def _measure(found: FitResult, members: NDArray[np.int64]) -> tuple[float, int]:
    vectors = found.vectors[found.places[members]]
    cosine = vectors @ centroid(vectors)
    return float(cosine.mean()), int(members[most_typical(cosine)])


def _ids(
    found: FitResult,
    flat: Sequence[tuple[Group, int | None]],
    members: Sequence[NDArray[np.int64]],
    previous: Clustering | None,
    sketches: dict[str, Sketch],
) -> tuple[list[str], dict[str, str]]:
    """Recognise leaves by their photos, then groups by their leaves; give the rest new ids."""
    ids = [""] * len(flat)
    old_leaves, old_groups = _parts_of(previous, set(found.keys))
    taken = {*sketches, *(node.id for node in previous.nodes)} if previous else {*sketches}
    leaves = [at for at, (group, _) in enumerate(flat) if group.label is not None]
    groups = [at for at, (group, _) in enumerate(flat) if group.label is None]
    keys = {at: [found.keys[place] for place in members[at]] for at in leaves}
    seen = recognise([keys[at] for at in leaves], old_leaves, sketches)
    for at, known in zip(leaves, seen.ids, strict=True):
        ids[at] = known or new_id(keys[at], taken)
        taken.add(ids[at])
    successors = {gone: ids[leaves[at]] for gone, at in seen.successors.items()}
    below = {at: {ids[leaf] for leaf in _leaves_below(at, flat)} for at in groups}
    sizes = {ids[at]: len(members[at]) for at in leaves}
    sizes |= {leaf: len(old) for leaf, old in old_leaves.items() if leaf not in sizes}
    photos = [[found.keys[place] for place in members[at]] for at in groups]
    likeness = like_sketches(photos, sketches)
    same = match_groups([below[at] for at in groups], old_groups, sizes, likeness)
    for at, known in zip(groups, same, strict=True):
        ids[at] = known or new_id(below[at], taken)
        taken.add(ids[at])
    if previous is not None:  # a chain of successors ends at a present cluster
        for gone, heir in previous.head.successors.items():
            successors.setdefault(gone, successors.get(heir, heir))
    return ids, {gone: heir for gone, heir in successors.items() if gone not in ids}


def _leaves_below(at: int, flat: Sequence[tuple[Group, int | None]]) -> list[int]:
    """Return the indices of the leaves below a group, which follow the group."""
    count = len(_labels(flat[at][0]))
    return [place for place in range(at, len(flat)) if flat[place][0].label is not None][:count]


def _parts_of(
    previous: Clustering | None, present: Collection[str]
) -> tuple[dict[str, list[str]], dict[str, set[str]]]:
    """Return the photos of each leaf that still exist, and the leaves of each group."""
    leaves: dict[str, list[str]] = {}
    groups: dict[str, set[str]] = {}
    if previous is None:
        return leaves, groups
    parent = {node.id: node.parent for node in previous.nodes}
    for placed in previous.placed:
        if placed.cluster is not None and placed.key in present:
            leaves.setdefault(placed.cluster, []).append(placed.key)
    for leaf in leaves:
        above = parent.get(leaf)
        while above is not None:
            groups.setdefault(above, set()).add(leaf)
            above = parent.get(above)
    return leaves, groups
