"""What a clustering changed, compared with the changes by hand applied on both sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import msgspec

from pipeline.clusters.view import NO_CAPTION, SPECIAL, UNCLUSTERED, ClusterView

SHOWN_MOVES = 10


class ClusterReport(msgspec.Struct, kw_only=True, tag_field="kind", tag="cluster"):
    """What a clustering did, as `pcc cluster --json` prints it.

    Attributes:
        photos: Photos of the library.
        clustered: Photos in a cluster.
        unclustered: Photos that fit nowhere.
        no_caption: Photos without a vector.
        clusters: Clusters that contain photos.
        groups: Groups of clusters.
        kept: Clusters that existed before.
        new: Clusters that did not exist before.
        gone: Titles of clusters that no longer exist, and where most of their photos went.
        moved: Photos that were clustered before, and are in another cluster now.
        moves: The largest groups of moved photos: from, to, how many.
        lost: Names given by hand that no longer fit a cluster, in a sentence each.
        embedder: Name of the embedder that made the vectors.
        embedded: Vectors made by this command.
        changed: False if nothing had changed, so that the old clusters are kept.
        seconds: Wall-clock time in seconds.
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


def count_clusters(view: ClusterView) -> ClusterReport:
    """Return a report of the present clusters, without a comparison."""
    leaves = [leaf for leaf in view.leaves() if leaf.id not in SPECIAL]
    return ClusterReport(
        photos=len(view.photos),
        clustered=sum(leaf.size for leaf in leaves),
        unclustered=view.leaf_of.count(UNCLUSTERED),
        no_caption=view.leaf_of.count(NO_CAPTION),
        clusters=len(leaves),
        groups=sum(bool(cluster.children) for cluster in view.clusters.values()),
        lost=[
            f"the name {change.title!r}: its cluster is no more" for change in view.arrangement.lost
        ],
    )


def compare(
    report: ClusterReport, before: ClusterView, after: ClusterView, placed: Collection[str]
) -> None:
    """Fill in what became of the clusters of the last clustering.

    Args:
        report: The report of the present clusters.
        before: The view of the last clustering.
        after: The view of the new clustering, of the same photos and changes by hand.
        placed: Keys of the photos in the last clustering.
    """
    old = {leaf.id for leaf in before.leaves()} - {*SPECIAL}
    new = {leaf.id for leaf in after.leaves()} - {*SPECIAL}
    report.kept, report.new = len(old & new), len(new - old)
    streams: Counter[tuple[str, str]] = Counter()
    for place, photo in enumerate(after.photos):
        if photo.key in placed:
            streams[before.leaf_of[place], after.leaf_of[place]] += 1
    for id_ in old - new:
        heirs = {target: count for (source, target), count in streams.items() if source == id_}
        heir = max(heirs, key=lambda target: (heirs[target], target), default=None)
        where = f", most of it now in {after.clusters[heir].title}" if heir else ""
        report.gone.append(before.clusters[id_].title + where)
    report.gone.sort()
    moves = Counter({ends: count for ends, count in streams.items() if ends[0] != ends[1]})
    report.moved = moves.total()
    report.moves = [
        (before.clusters[source].title, after.clusters[target].title, count)
        for (source, target), count in moves.most_common(SHOWN_MOVES)
    ]
