"""The embedding stages: from captions or decoded pictures to rows of a vector store."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from backends.base import PictureSpec
from backends.embedders.base import Embedder
from journal import Status, split_path
from pipeline.embeddings.store import EmbeddingRecord, VectorManifest, VectorStore
from pipeline.jobs.stage import Decoded, FailedAttempt, Stage, Usage
from pipeline.photos.photo import Photo

PICTURE_EDGE = 384
"""Pixels; the models in use look at 224 to 336."""


class EmbeddingStage(Stage[EmbeddingRecord]):
    """What embedding captions and embedding pictures share.

    Args:
        embedder: The embedder; opened by this stage.
        store: Takes the vectors.
    """

    name = "embed"
    record_type = EmbeddingRecord
    workers = 1
    unexpected: Status = "error_model"

    def __init__(self, embedder: Embedder, store: VectorStore) -> None:
        self.embedder = embedder
        self.store = store

    @property
    def model(self) -> str:
        """Model of the embedder."""
        return self.embedder.model

    @property
    def batch_size(self) -> int:
        """Inputs in a call."""
        return self.embedder.batch_size

    async def open(self) -> None:
        """Load the model."""
        await asyncio.to_thread(self._open)

    def _open(self) -> None:
        self.embedder.open()
        if not self.store.rows:  # whatever the manifest says: there is nothing it could be about
            self._begin(None)

    def _begin(self, learnt: bytes | None, learnt_from: int | None = None) -> None:
        embedder = self.embedder
        manifest = VectorManifest(
            embedder=embedder.name,
            model=embedder.model,
            dimensions=embedder.dimensions,
            learnt_from=learnt_from,
        )
        self.store.begin(manifest, learnt)

    async def close(self) -> None:
        """There is nothing to close."""

    def failed(self, failure: FailedAttempt) -> EmbeddingRecord:
        """Return the record of an input without a vector."""
        return self._record(failure.photo, "", None, failure.error)

    def _record(
        self, photo: Photo, of: str, row: int | None, error: str | None = None
    ) -> EmbeddingRecord:
        rel_path, raw_path = split_path(photo.path)
        return EmbeddingRecord(rel_path=rel_path, raw_path=raw_path, of=of, row=row, error=error)

    def copied(self, record: EmbeddingRecord, photo: Photo) -> EmbeddingRecord:
        """Return the record of an identical file, which shares the row."""
        return self._record(photo, record.of, record.row, record.error)

    def digest(self, record: EmbeddingRecord) -> str | None:
        """Return the hash of what the vector is of."""
        return record.of or None

    def may_copy(self, record: EmbeddingRecord, digest: str) -> bool:
        """Tell whether a record has a vector of the same content."""
        return record.of == digest and record.row is not None

    def usage(self, record: EmbeddingRecord) -> Usage:
        """Return what to show of a record."""
        return Usage(
            rel_path=record.rel_path,
            status="success" if record.row is not None else "error_model",
            text=record.error or "",
            raw_path=record.raw_path,
        )

    def watch(self, error: Exception | None) -> None:
        """One input that fails says nothing about the next."""


class CaptionEmbeddingStage(EmbeddingStage):
    """Embeds captions.

    Args:
        captions: Caption and hash of the caption, by key of the photo.
    """

    picture = None

    def __init__(
        self, embedder: Embedder, store: VectorStore, captions: Mapping[str, tuple[str, str]]
    ) -> None:
        super().__init__(embedder, store)
        self._captions = captions

    def _open(self) -> None:
        if not self.embedder.learns:
            super()._open()
            return
        self.embedder.open()
        learnt = self.store.learnt()
        if self.store.manifest is not None and learnt is not None:
            self.embedder.restore(learnt)
        else:
            texts = sorted({text for text, _ in self._captions.values()})
            self._begin(self.embedder.fit(texts), len(self._captions))

    async def process(self, photos: Sequence[Decoded]) -> list[EmbeddingRecord | Exception]:
        """Embed a batch of captions; equal ones share a row."""
        return await asyncio.to_thread(self._process, [decoded.photo for decoded in photos])

    def _process(self, photos: list[Photo]) -> list[EmbeddingRecord | Exception]:
        known = self.store.row_of
        asked = [self._captions[photo.key] for photo in photos]
        new = {of: text for text, of in asked if of not in known}
        if new:
            first = self.store.append(self.embedder.embed_texts(list(new.values())))
            known.update({of: first + place for place, of in enumerate(new)})
        return [
            self._record(photo, of, known[of]) for photo, (_, of) in zip(photos, asked, strict=True)
        ]


class PictureEmbeddingStage(EmbeddingStage):
    """Embeds pictures, with an embedder that sees pictures."""

    picture = PictureSpec(max_edge=PICTURE_EDGE)

    async def process(self, photos: Sequence[Decoded]) -> list[EmbeddingRecord | Exception]:
        """Embed a batch of pictures."""
        return await asyncio.to_thread(self._process, photos)

    def _process(self, photos: Sequence[Decoded]) -> list[EmbeddingRecord | Exception]:
        pictures = [decoded.seen.picture.image() for decoded in photos]
        first = self.store.append(self.embedder.embed_pictures(pictures))
        return [
            self._record(decoded.photo, decoded.seen.digest, first + place)
            for place, decoded in enumerate(photos)
        ]
