"""The pass `dimensions`: width and height, from the header of an image alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import msgspec

from pipeline.datasets.buckets import bucket_of
from pipeline.datasets.passes.base import Field, Pass
from pipeline.datasets.producer import Producer
from pipeline.datasets.raw_values import decoded
from pipeline.datasets.side_records import SizeRecord

if TYPE_CHECKING:
    from pipeline.datasets.gaps import Lacking
    from pipeline.datasets.records import Record
    from pipeline.datasets.size_stage import SizeStage
    from pipeline.photos.geometry import Size

HEIGHT, WIDTH = "height", "width"

LONGEST_SIDE = 1 << 24
"""Pixels; no file format goes further."""

Pixels = Annotated[int, msgspec.Meta(ge=1)]


class SizeProducer(Producer[SizeRecord]):
    """Reads the headers of images whose size some pass must know.

    A size read anew counts as one read before: it costs too little for a journal of its own.
    """

    name = "dimensions"
    journal_name = "sizes"
    record_type = SizeRecord
    keeps_redo_apart = False
    task = "headers to read"

    def knows_size(self, entry: Lacking) -> bool:
        """Tell whether the size of an image is known, without reading the side journal."""
        return entry.size is not None or self.journal.made(entry.key)

    def size(self, entry: Lacking) -> Size | None:
        """Return width and height of an image, None where they are not known."""
        if entry.size is not None:
            return entry.size
        found = self.journal.read(entry.key)
        if found is None or found.width is None or found.height is None:
            return None
        return found.width, found.height

    def bucket(self, entry: Lacking) -> Size | None:
        """Return the bucket of an image, None where neither bucket nor size is known."""
        if entry.bucket is not None:
            return entry.bucket
        size = self.size(entry)
        return None if size is None else bucket_of(size)

    def wants(self, entry: Lacking) -> bool:
        """Tell whether some pass must know the size of an image, and nobody does."""
        return not self.knows_size(entry) and any(
            each.wants_size(entry) for each in self.results.passes
        )

    def gave_up(self, entry: Lacking) -> bool:
        """Tell whether a header could not be read; when asked for anew, each is tried again."""
        return DimensionsPass.name not in self.results.request.anew and super().gave_up(entry)

    def make_stage(self) -> SizeStage:
        """Return the stage that reads headers."""
        from pipeline.datasets.size_stage import SizeStage
        from pipeline.jobs.cores import decoder_count

        return SizeStage(self.results.request.input_dir, decoder_count())


class DimensionsPass(Pass):
    """Takes width and height, upright, from the header of an image."""

    name = "dimensions"
    about = "height and width, from the header alone"
    fields = (Field(HEIGHT, Pixels), Field(WIDTH, Pixels))
    made_by = SizeProducer

    def wants_size(self, entry: Lacking) -> bool:
        """Tell whether a record lacks width or height."""
        return self.lacks_field(entry)


def recorded_size(record: Record) -> Size | None:
    """Return width and height as a record tells them, None where either makes no sense."""
    sides = (decoded(record.raw(WIDTH)), decoded(record.raw(HEIGHT)))
    if all(type(side) is int and 0 < side <= LONGEST_SIDE for side in sides):
        return cast("Size", sides)
    return None
