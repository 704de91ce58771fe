"""The vectors that a library lacks, and the jobs that make them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from backends.embedders.base import Embedder
from backends.registry import make_embedder
from journal import JournalWriter, WriterLock
from pipeline.captions.library import LibraryPhoto
from pipeline.embeddings.stage import (
    CaptionEmbeddingStage,
    EmbeddingStage,
    PictureEmbeddingStage,
)
from pipeline.embeddings.store import EmbeddingRecord, VectorKind, VectorStore, store_of, text_hash
from pipeline.jobs.copies import Copies
from pipeline.jobs.job import Job
from pipeline.jobs.progress import Progress
from pipeline.photos.photo import Photo

GROWTH_BEFORE_LEARNING_ANEW = 1.5
"""An embedder that learns from the library learns again when there are half as many new and
changed captions as others."""


class PreparedEmbedding(msgspec.Struct):
    """Vectors to be made: their store is locked, and no model is loaded yet.

    Attributes:
        embedder: Makes the vectors.
        store: Keeps the vectors.
        lock: Lock of the store.
        to_do: Photos that lack a vector, in the order of work.
        held: Number of photos that have a vector.
        stage: Makes the records.
        photos_dir: The photos directory; embedding captions does not need it.
        damage: What was wrong with the store, None where nothing was.
    """

    embedder: Embedder
    store: VectorStore
    lock: WriterLock
    to_do: list[Photo]
    held: int
    stage: EmbeddingStage
    photos_dir: Path
    damage: str | None = None

    def job(self, run: str) -> Job[EmbeddingRecord]:
        """Return the job that makes the vectors; the end of the job releases the lock."""
        progress = Progress(
            run=run,
            stage=self.stage.name,
            backend=self.embedder.name,
            total=len(self.to_do),
            skipped={"success": self.held},
        )
        return Job(
            self.stage,
            self.to_do,
            photos_dir=self.photos_dir,
            open_journal=lambda on_commit, on_failure: JournalWriter(
                self.lock, on_commit, on_failure
            ),
            progress=progress,
            copies=Copies(self.store.journal),
        )


def prepare_captions(
    workspace: Path, name: str, photos: Sequence[LibraryPhoto], kind: VectorKind = "captions"
) -> PreparedEmbedding:
    """Find the captions without a vector: new and changed ones.

    Args:
        workspace: The workspace that keeps the vectors.
        name: Name of the embedder.
        photos: The photos of the library.
        kind: What the captions of the photos are made of.

    Raises:
        SetupError: there is no such embedder, or its extra is missing.
        JournalLocked: another process makes vectors here.
    """
    embedder = make_embedder(name)
    store = store_of(workspace, name, kind)
    captions = {
        photo.key: (photo.caption, text_hash(photo.caption)) for photo in photos if photo.caption
    }
    lock = store.lock()
    kept = sum(store.held.get(key, ("", 0))[0] == of for key, (_, of) in captions.items())
    damage = store.damage
    if not store.fits(embedder.model) or not _still_fits(embedder, store, len(captions), kept):
        store.empty(lock)
    held = store.held
    to_do = [
        photo
        for photo in photos
        if photo.key in captions and held.get(photo.key, ("", 0))[0] != captions[photo.key][1]
    ]
    to_do.sort(key=lambda photo: len(photo.caption or ""))  # a batch of one length pads nothing
    stage = CaptionEmbeddingStage(embedder, store, captions)
    held_now = len(captions) - len(to_do)
    return PreparedEmbedding(
        embedder, store, lock, [_photo(photo) for photo in to_do], held_now, stage, Path(), damage
    )


def prepare_pictures(
    workspace: Path, embedder: Embedder, photos_dir: Path, paths: Sequence[str]
) -> PreparedEmbedding:
    """Find the photos on disk without a vector of their picture.

    Args:
        workspace: The workspace that keeps the vectors.
        embedder: An embedder that sees pictures.
        photos_dir: The photos directory.
        paths: Photos on disk, as the walk found them.

    Raises:
        JournalLocked: another process makes vectors here.
    """
    store = store_of(workspace, embedder.name, "pictures")
    lock = store.lock()
    damage = store.damage
    if not store.fits(embedder.model):
        store.empty(lock)
    known = store.held.keys() | store.failed
    to_do = [photo for photo in map(Photo.at, paths) if photo.key not in known]
    stage = PictureEmbeddingStage(embedder, store)
    return PreparedEmbedding(
        embedder, store, lock, to_do, len(paths) - len(to_do), stage, photos_dir, damage
    )


def _still_fits(embedder: Embedder, store: VectorStore, captions: int, kept: int) -> bool:
    """Tell whether what an embedder learnt can be read, and still fits this library.

    Args:
        embedder: The embedder; it may be one that learns nothing.
        store: The vectors of the embedder.
        captions: Number of captions in the library.
        kept: Number of captions that have a vector.
    """
    if not embedder.learns:
        return True
    learnt = store.learnt()
    learnt_from = store.manifest.learnt_from if store.manifest else None
    unmade = max(
        0, (learnt_from or 0) - len(store.held)
    )  # left by a first embedding that was cut short
    known = min(kept + unmade, learnt_from or 0)
    if learnt is None or captions > GROWTH_BEFORE_LEARNING_ANEW * max(1, known):
        return False
    try:
        embedder.restore(learnt)
    except ValueError:
        return False
    return store.manifest is not None and embedder.dimensions == store.manifest.dimensions


def _photo(photo: LibraryPhoto) -> Photo:
    return Photo(photo.path, photo.key)
