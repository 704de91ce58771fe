"""Opening the clusters of a workspace, to show, change or export the clusters."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from backends.registry import has_extra
from pipeline.captions.edits import read_edits
from pipeline.captions.library import read_library
from pipeline.clusters.chunk_file import chosen_chunk_size
from pipeline.clusters.errors import NoClusters
from pipeline.clusters.label_journal import LabelJournal, label_journal_path
from pipeline.clusters.moments import moments
from pipeline.clusters.tree_file import Clustering, clusters_path, read_clustering
from pipeline.clusters.view import ClusterView, Measure, PhotoMeasures
from pipeline.photos.walk import walk_photos


class ClusteredLibrary:
    """A library and its last clustering, read once.

    A change by hand alters neither of them, so a view after a change is made from
    memory: the label journal is played back over what was read.

    Args:
        workspace: The directory of the clusters.
        journal: The captions journal.
        photos_dir: The photos directory, None on a machine that has only the journal.
        chunk_size: Most photos in a chunk, None for the size that was chosen last.

    Attributes:
        photos: The photos of the journal and those on disk.
        label_journal: The changes made by hand.
    """

    def __init__(
        self,
        workspace: Path,
        journal: Path,
        photos_dir: Path | None,
        *,
        chunk_size: int | None = None,
    ) -> None:
        paths = walk_photos(photos_dir).paths if photos_dir is not None else ()
        self.photos = read_library(journal, paths, photos_dir)
        self.label_journal = LabelJournal(label_journal_path(workspace))
        self.label_journal.refresh()
        self._clustering = previous_clustering(workspace)
        self._moment = moments(self.photos, photos_dir)
        self._measure = _measure_by(workspace, self._clustering)
        self._chunk_size = chunk_size or chosen_chunk_size(workspace)

    def view(self) -> ClusterView:
        """Return every photo in its place, with the changes that the label journal holds.

        Without a clustering, every photo stands in `no caption` or `unclustered`.
        """
        return ClusterView(
            self.photos,
            self._clustering,
            self.label_journal.standing,
            moment=self._moment,
            measure=self._measure,
            chunk_size=self._chunk_size,
        )


def open_view(
    workspace: Path, journal: Path, photos_dir: Path | None, *, chunk_size: int | None = None
) -> ClusterView:
    """Read a library and return every photo in its place; see `ClusteredLibrary`."""
    return ClusteredLibrary(workspace, journal, photos_dir, chunk_size=chunk_size).view()


def damage_by_hand(workspace: Path, journal: Path) -> list[str]:
    """Return a sentence for each damaged journal of what people wrote: edits, and clusters.

    Such lines are passed over, and nobody but their author can write them again.
    """
    labels = LabelJournal(label_journal_path(workspace))
    labels.refresh()
    return [*read_edits(journal).warnings, *labels.warnings]


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
