"""Opening the clusters of a workspace, to show, change or export the clusters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from backends.registry import has_extra
from pipeline.captions.library import read_library
from pipeline.clusters.chunk_file import chosen_chunk_size
from pipeline.clusters.errors import NoClusters
from pipeline.clusters.label_journal import LabelJournal, label_journal_path
from pipeline.clusters.moments import moments
from pipeline.clusters.tree_file import Clustering, clusters_path, read_clustering
from pipeline.clusters.view import ClusterView, Measure, PhotoMeasures
from pipeline.photos.walk import walk_photos


def open_view(
    workspace: Path, journal: Path, photos_dir: Path | None, *, chunk_size: int | None = None
) -> ClusterView:
    """Return the view of a library: every photo in its cluster and chunk.

    Without a clustering, every photo is in `no caption` or `unclustered`.

    Args:
        workspace: The directory of the clusters.
        journal: The captions journal.
        photos_dir: The photos directory, None on a machine that has only the journal.
        chunk_size: Most photos in a chunk, None for the size that was chosen last.
    """
    paths = walk_photos(photos_dir).paths if photos_dir is not None else ()
    photos = read_library(journal, paths)
    changes = LabelJournal(label_journal_path(workspace))
    changes.refresh()
    clustering = previous_clustering(workspace)
    return ClusterView(
        photos,
        clustering,
        changes.standing,
        moment=moments(photos, photos_dir),
        measure=_measure_by(workspace, clustering),
        chunk_size=chunk_size or chosen_chunk_size(workspace),
    )


def previous_clustering(workspace: Path) -> Clustering | None:
    """Return the last clustering of a workspace, None if there is none that can be read."""
    try:
        return read_clustering(clusters_path(workspace))
    except NoClusters:
        return None


def search_embedder(workspace: Path) -> str | None:
    """Return the embedder whose vectors to search: that of the clusters, else any with vectors."""
    from pipeline.embeddings.store import embedders_with_vectors

    clustering = previous_clustering(workspace)
    if clustering is not None:
        return clustering.head.embedder
    return next(iter(embedders_with_vectors(workspace)), None)


def _measure_by(workspace: Path, clustering: Clustering | None) -> Measure:
    """Return a function that measures photos by the vectors that were clustered, if they exist."""
    if clustering is None or not has_extra("clusters"):
        return lambda keys: None

    def measure(keys: Sequence[str]) -> PhotoMeasures | None:
        from pipeline.clusters.measuring import measure_photos

        return measure_photos(workspace, clustering.head, keys)

    return measure
