"""`clusters.jsonl`: the result of the last clustering in one file.

The file holds a head, then a line for each cluster, then a line for each photo that has a
vector. Changes by hand are not in this file but in the journal of `label_journal.py`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import msgspec

from journal import (
    MAX_LINE_BYTES,
    UNREADABLE,
    atomic_rewrite,
    open_lines,
    record_key,
    why_unreadable,
)
from pipeline.clusters.errors import NoClusters

VERSION = 1


class ClusteringHead(msgspec.Struct, kw_only=True):
    """How the clusters were found.

    Attributes:
        version: Version of this format.
        at: Time of the clustering, UTC, RFC 3339.
        embedder: Name of the embedder.
        model: Model of the embedder.
        seed: Seed of all random numbers.
        min_cluster_size: Photos of the smallest cluster.
        min_samples: Neighbours that make a photo a core point.
        assign_noise: Whether photos that fit into no cluster are in their nearest cluster.
        fitted: Photos that were fitted; the others were assigned.
        input: Hash of the input, to tell whether anything has changed since.
        nodes: Number of lines of clusters.
        photos: Number of lines of photos.
        successors: Cluster to which the photos of a former cluster went, by the former id.
    """

    version: int = VERSION
    at: str
    embedder: str
    model: str
    seed: int
    min_cluster_size: int
    min_samples: int
    assign_noise: bool
    fitted: int
    input: str
    nodes: int
    photos: int
    successors: dict[str, str] = {}


class Node(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A cluster, or a group of clusters.

    Attributes:
        id: Stable from one clustering to the next.
        parent: Id of its group, None at the top.
        title: The joined keywords.
        keywords: Words that distinguish the captions of the cluster, the best first.
        exemplar: Key of the photo nearest to the centroid.
        cohesion: Mean cosine of the photos to the centroid.
        leaf: Whether the node contains photos, not other nodes.
    """

    id: str
    parent: str | None = None
    title: str
    keywords: list[str]
    exemplar: str | None = None
    cohesion: float
    leaf: bool = True


class Placed(msgspec.Struct, omit_defaults=True, kw_only=True, gc=False):
    """The place of a photo in the clustering.

    Attributes:
        rel_path: POSIX path below the photos directory, in Unicode NFC.
        raw_path: Base64 of the path's bytes, only where they are not UTF-8.
        cluster: Id of the leaf of the photo, None for noise.
        nearest: Id of the nearest leaf, if that is another leaf.
        distance: Cosine distance to the centroid of the leaf, for noise of the nearest leaf.
        x: Horizontal position on the map.
        y: Vertical position on the map.
    """

    rel_path: str
    raw_path: str | None = None
    cluster: str | None = None
    nearest: str | None = None
    distance: float
    x: float | None = None
    y: float | None = None

    @property
    def key(self) -> str:
        """The name under which every journal knows the photo."""
        return record_key(self.rel_path, self.raw_path)


class Clustering(msgspec.Struct):
    """The content of the file."""

    head: ClusteringHead
    nodes: list[Node]
    placed: list[Placed]


def clusters_path(workspace: Path) -> Path:
    """Return the path of the clusters of a workspace."""
    return workspace / "clusters.jsonl"


def write_clustering(path: Path, clustering: Clustering) -> None:
    """Replace the last clustering by a new one.

    Raises:
        DiskFull: there is no room; the last clustering is untouched.
    """
    encoder = msgspec.json.Encoder()

    def lines() -> Iterator[bytes]:
        for record in (clustering.head, *clustering.nodes, *clustering.placed):
            yield encoder.encode(record) + b"\n"

    needed = sum(map(len, lines()))
    with atomic_rewrite(path, needed=needed) as file:
        file.writelines(lines())


def read_clustering(path: Path) -> Clustering:
    """Read the last clustering.

    Raises:
        NoClusters: there is no clustering, or the file cannot be read.
    """
    anew = "`pcc cluster --force`"
    try:
        with open_lines(path) as file:
            head = msgspec.json.decode(file.readline(MAX_LINE_BYTES), type=ClusteringHead)
            anew = f"`pcc cluster --force --embedder {shlex.quote(head.embedder)}`"
            if head.version != VERSION:
                raise NoClusters(f"{path} is of another version; {anew} makes it anew")
            node, placed = msgspec.json.Decoder(Node), msgspec.json.Decoder(Placed)
            nodes = [node.decode(file.readline(MAX_LINE_BYTES)) for _ in range(head.nodes)]
            photos = [placed.decode(file.readline(MAX_LINE_BYTES)) for _ in range(head.photos)]
    except FileNotFoundError:
        raise NoClusters("there are no clusters yet; `pcc cluster` makes them") from None
    except UNREADABLE as error:
        why = why_unreadable(error)
        raise NoClusters(f"{path} cannot be read ({why}); {anew} makes it anew") from None
    groups: set[str | None] = {None}
    for found in nodes:
        if found.parent not in groups:
            raise NoClusters(f"{path} makes no tree; {anew} makes it anew")
        if not found.leaf:
            groups.add(found.id)
    return Clustering(head, nodes, photos)
