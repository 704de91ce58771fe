"""What a dataset lacks: a list of records and fields, found by a survey, without any values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from pipeline.datasets.records import Fingerprint
    from pipeline.photos.geometry import Size


class Lacking(msgspec.Struct, gc=False, kw_only=True):
    """A record that lacks something.

    Attributes:
        line: Line of the record in the dataset, 0 for an image that has no record yet.
        key: What the image is known by.
        path: Path of the image, as the system spells it, relative to the input directory or
            absolute.
        on_disk: Whether there is such a file.
        lacking: Fields to make.
        present: Fields to make that the line has already: null, empty, or to be made anew.
        texts: Fields of the record that some pass reads, and that hold a text.
        files: Names of the passes whose file for this image is to be made.
        size: Width and height as the record tells them, unless they are to be read anew.
        bucket: Bucket as the record tells it, else by the size.
        image_id: Id as the record tells it, else the one that the record is about to get.
    """

    line: int
    key: str
    path: str
    on_disk: bool = True
    lacking: frozenset[str] = frozenset()
    present: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    size: Size | None = None
    bucket: Size | None = None
    image_id: str | None = None


class DatasetGaps(msgspec.Struct):
    """What a reading of a dataset found.

    Attributes:
        fingerprint: Fingerprint of the file as it was read, None where there was no file.
        records: Images with a record, each counted once.
        entries: Records that lack something, by line.
        new: Images without a record, in the order of the walk.
        keys: Line of the record that counts, by key.
        missing: Paths of records whose image is not there.
        outside: Lines whose path leads out of the input directory.
        malformed: Lines that hold no record.
        superseded: Lines whose image has another record further down.
        shared_ids: Ids that several records have.
        unusable_ids: Lines whose id cannot name a file.
        odd_buckets: Lines whose bucket has no width and height.
    """

    fingerprint: Fingerprint | None
    records: int = 0
    entries: dict[int, Lacking] = {}
    new: list[Lacking] = []
    keys: dict[str, int] = {}
    missing: list[str] = []
    outside: list[int] = []
    malformed: list[int] = []
    superseded: list[int] = []
    shared_ids: list[str] = []
    unusable_ids: list[int] = []
    odd_buckets: list[int] = []

    @property
    def total(self) -> int:
        """Number of records once every image has one."""
        return self.records + len(self.new)

    def all_entries(self) -> list[Lacking]:
        """Return every record that lacks something, new ones last."""
        return [*self.entries.values(), *self.new]

    def all_keys(self) -> set[str]:
        """Return the keys of all images of the dataset, those without a record among them."""
        return self.keys.keys() | {entry.key for entry in self.new}
