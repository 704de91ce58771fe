"""`cluster_report.md`: the tree of clusters as a text to read."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.clusters.view import SPECIAL, Cluster, ClusterView
from pipeline.reports.photo_texts import PhotoTexts
from pipeline.reports.plain import markdown_text

DEEPEST_HEADING = 6
SHOWN_CAPTIONS = 5


def markdown_lines(view: ClusterView, labels: PhotoTexts, made: str) -> Iterator[str]:
    """Yield the lines of the report.

    Args:
        view: The clusters.
        labels: Labels of the photos.
        made: When the report was made, in words.
    """
    leaves = [leaf for leaf in view.leaves() if leaf.id not in SPECIAL]
    yield "# Clusters"
    yield ""
    yield f"{len(view.photos):,} photos in {len(leaves):,} clusters. Made {made}."
    yield ""
    yield labels.summary
    if labels.warning:
        yield ""
        yield f"Warning: {markdown_text(labels.warning)}"
    for cluster in view.clusters.values():
        yield ""
        yield from _section(view, labels, cluster)


def _section(view: ClusterView, labels: PhotoTexts, cluster: Cluster) -> Iterator[str]:
    depth = min(len(view.path(cluster.id)) + 1, DEEPEST_HEADING)
    yield f"{'#' * depth} {markdown_text(heading(labels, cluster))}"
    yield ""
    facts = [f"{cluster.size:,} photos"]
    if cluster.cohesion and cluster.id not in SPECIAL:
        facts.append(f"cohesion {cluster.cohesion:.2f}")
    if cluster.span:
        facts.append(cluster.span)
    if cluster.chunks:
        facts.append(f"{len(cluster.chunks):,} chunks")
    if cluster.locked:
        facts.append("locked")
    if cluster.keywords:
        yield f"Keywords: {markdown_text(', '.join(cluster.keywords))}"
        yield ""
    yield f"{markdown_text(cluster.title)}: {', '.join(facts)}"
    shown = [place for place in sample(cluster, SHOWN_CAPTIONS) if labels.texts[place]]
    if shown:
        yield ""
    for place in shown:
        path = markdown_text(view.photos[place].rel_path)
        yield f"- {markdown_text(labels.texts[place])} ({path})"


def heading(labels: PhotoTexts, cluster: Cluster) -> str:
    """Return the heading of a cluster.

    The heading is the caption of the exemplar, else the nearest word of the vocabulary, else
    the title of the cluster.
    """
    if cluster.exemplar is None or cluster.exemplar in labels.described_places:
        return cluster.title
    return labels.texts[cluster.exemplar] or cluster.title


def sample(cluster: Cluster, most: int) -> list[int]:
    """Return the places of photos that represent a leaf: the exemplar, then evenly spread ones."""
    members = cluster.members
    if len(members) <= most:
        return sorted(members, key=lambda place: place != cluster.exemplar)
    evenly = [members[number * len(members) // most] for number in range(most)]
    if cluster.exemplar is None:
        return evenly
    return [cluster.exemplar, *[place for place in evenly if place != cluster.exemplar]][:most]
