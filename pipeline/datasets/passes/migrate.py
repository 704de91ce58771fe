"""The pass `migrate`: the bucket that an image is cropped to, and the id that its files bear."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.datasets.buckets import bucket_name, bucket_of, parse_bucket
from pipeline.datasets.draft import Draft
from pipeline.datasets.passes.base import Field, Pass

if TYPE_CHECKING:
    from pipeline.datasets.gaps import Lacking
    from pipeline.datasets.records import Record
    from pipeline.photos.geometry import Size

BUCKET, ID = "aspect_bucket", "image_id"


class MigratePass(Pass):
    """Computes the bucket from the size of an image, and the id from its path.

    An id stays even with `--redo`, since files are named by it.
    """

    name = "migrate"
    about = "bucket and id"
    fields = (Field(BUCKET, str), Field(ID, str))
    stays = frozenset({ID})
    follows = ("dimensions",)

    @classmethod
    def damaged_fields(cls, record: Record) -> list[str]:
        """Return the fields whose value is not of its kind; a bucket must have usable sides."""
        damaged = [name for name in super().damaged_fields(record) if name != BUCKET]
        return [BUCKET, *damaged] if has_odd_bucket(record) else damaged

    def wants_size(self, entry: Lacking) -> bool:
        """Tell whether a record lacks a bucket, which follows from the size."""
        return BUCKET in entry.lacking

    def has_result(self, entry: Lacking) -> bool:
        """Tell whether a record is to get an id, or its bucket follows from a known size."""
        return ID in entry.lacking or self.results.sizes.knows_size(entry)

    def values(self, draft: Draft) -> dict[str, Any]:
        """Return bucket and id."""
        size = self.results.sizes.size(draft.entry)
        bucket = None if size is None else bucket_name(bucket_of(size))
        return {BUCKET: bucket, ID: draft.entry.image_id}


def recorded_bucket(record: Record) -> Size | None:
    """Return the bucket that a record names, None where it names none, or none with sides."""
    name = record.text(BUCKET)
    return None if name is None else parse_bucket(name)


def has_odd_bucket(record: Record) -> bool:
    """Tell whether a record has a bucket without usable width and height."""
    return bool(record.raw(BUCKET)) and recorded_bucket(record) is None
