"""What all stages of an enrichment share: how a record of a side journal is made and shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from backends.base import PictureSpec
from journal import Status, split_path
from pipeline.datasets.side_records import SideRecord, now
from pipeline.jobs.stage import Decoded, FailedAttempt, SoloStage, Usage
from pipeline.photos.photo import Photo

Kind = TypeVar("Kind", bound=SideRecord)


class SideStage(SoloStage[Kind]):
    """A stage whose records go to a side journal.

    A subclass names `name` and `record_type`, says in `picture` how pictures are to come, and
    writes `look_at`.
    """

    picture: PictureSpec | None = None
    workers = 1
    unexpected: Status = "error_model"

    @property
    def batch_size(self) -> int:
        """Images to a call."""
        return 1

    async def open(self) -> None:
        """Load nothing."""

    async def close(self) -> None:
        """Let go of nothing."""

    async def process(self, photos: Sequence[Decoded]) -> list[Kind | Exception]:
        """Return a record or an error for each image, in their order."""
        import asyncio  # a command about datasets lists all passes, and most do no work

        return await asyncio.to_thread(self.look_at, photos)

    def look_at(self, photos: Sequence[Decoded]) -> list[Kind | Exception]:
        """Return a record or an error for each image, in their order; called on a thread."""
        raise NotImplementedError

    def record(self, photo: Photo, status: Status = "success", **values: Any) -> Kind:
        """Return the record of an image.

        Args:
            photo: The image.
            status: How the attempt ended.
            **values: Further fields of the record.
        """
        rel_path, raw_path = split_path(photo.path)
        return self.record_type(
            rel_path=rel_path, raw_path=raw_path, status=status, at=now(), **values
        )

    def failed(self, failure: FailedAttempt) -> Kind:
        """Return the record of an image without a result."""
        return self.record(failure.photo, failure.status, error=failure.error)

    def usage(self, record: Kind) -> Usage:
        """Return what to show of a record."""
        text = record.error or record.in_words()
        return Usage(record.rel_path, record.status, text, raw_path=record.raw_path)

    def watch(self, error: Exception | None) -> None:
        """Go on, whatever became of an image."""
