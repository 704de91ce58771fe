"""Opening the clusters of a workspace, to look at them, change them or take them away."""

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
    """Return every photo of a library in its place.

    Without a clustering, every photo stands in `no caption` or `unclustered`.

    Args:
        workspace: Where the clusters are.
        journal: The captions journal.
        photos_dir: The photos, None on a machine that has only the journal.
        chunk_size: Photos to a chunk at most, None for the size chosen last.
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
    """Return the last clustering of a workspace, None where there is none to be read."""
    try:
        return read_clustering(clusters_path(workspace))
    except NoClusters:
        return None


def search_embedder(workspace: Path) -> str | None:
    """Return the embedder whose vectors to search: that of the clusters, else any there is."""
    from pipeline.embeddings.store import embedders_with_vectors

    clustering = previous_clustering(workspace)
    if clustering is not None:
        return clustering.head.embedder
    return next(iter(embedders_with_vectors(workspace)), None)


def _measure_by(workspace: Path, clustering: Clustering | None) -> Measure:
    """Return what measures photos by the vectors they were clustered by, while those are there."""
    if clustering is None or not has_extra("clusters"):
        return lambda keys: None

    def measure(keys: Sequence[str]) -> PhotoMeasures | None:
        from pipeline.clusters.measuring import measure_photos

        return measure_photos(workspace, clustering.head, keys)

    return measure
