"""Which records of a dataset become samples, and what goes into one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from journal import BOM
from pipeline.datasets.image_ids import borrowed_ids
from pipeline.datasets.image_places import ImagePlaces
from pipeline.datasets.passes.migrate import ID
from pipeline.datasets.records import (
    DatasetLine,
    Fingerprint,
    Record,
    fingerprint,
    read_records,
)
from pipeline.datasets.shards.patches import PatchSource
from pipeline.photos.spelling import words_for_twins

TAR_OVERHEAD = 1536
"""Bytes of a sample besides its data, about: headers and padding of two members."""


class Sample(msgspec.Struct, frozen=True):
    """One sample as a shard takes it.

    Attributes:
        key: Number of the sample over the whole dataset, nine digits.
        record: The line of the dataset, without what stands around its object.
        image: An image file.
        suffix: Suffix of the image file, lower case, without the dot.
        patches: A `.npy` file of DINO features, None for a sample without.
    """

    key: str
    record: bytes
    image: bytes
    suffix: str
    patches: bytes | None = None


class Candidate(NamedTuple):
    """A record that becomes a sample if its image decodes.

    Attributes:
        line: Number of the line in the dataset.
        data: The line, without what stands around its object.
        record: The record in the line.
        path: Path of the image, relative to the input directory or absolute.
        image_bytes: Size of the image file.
        fault: Why there is no sample: `outside`, `missing` or `unreadable`; None otherwise.
    """

    line: int
    data: bytes
    record: Record
    path: str
    image_bytes: int
    fault: str | None


class LiveRecords(msgspec.Struct):
    """What a first reading of a dataset found: keys and line numbers, no values.

    Attributes:
        dataset: The file.
        places: Where the images are looked for.
        fingerprint: Fingerprint of the file as it was read.
        count: Number of images with a record behind the line to begin at.
        bytes: Bytes that these images and records will take, about.
        malformed: Lines that hold no record.
        superseded: Lines whose image has another record further down.
        borrowed_ids: Lines whose id, and with it the patch file, is an earlier record's.
        warnings: Sentences about the images.
    """

    dataset: Path
    places: ImagePlaces
    fingerprint: Fingerprint | None
    count: int = 0
    bytes: int = 0
    malformed: list[int] = []
    superseded: set[int] = set()
    borrowed_ids: set[int] = set()
    warnings: list[str] = []

    @property
    def input_dir(self) -> str:
        """Absolute path of the directory with the images."""
        return self.places.root

    def candidates(self, behind: int) -> Iterator[Candidate]:
        """Yield the records that count, in the order of the file.

        Args:
            behind: The line to begin behind, 0 for all.
        """
        for line, record, path, _ in read_records(self.dataset, self.places.path_of):
            if line.number > behind and line.number not in self.superseded and record is not None:
                yield self._candidate(line, record, path)

    def _candidate(self, line: DatasetLine, record: Record, path: str | None) -> Candidate:
        assert line.data is not None
        data = line.data.removeprefix(BOM).strip(b" \t\r")
        found = None if path is None else self.places.find(path)
        fault = "outside" if path is None else "missing" if found is None else None
        if not _reads_everywhere(data):
            fault = "unreadable"
        spelt, size = found or (record.image_path, 0)
        return Candidate(line.number, data, record, spelt, size, fault)


def read_live_records(
    dataset: Path, input_dir: Path, patches: PatchSource | None, behind: int = 0
) -> LiveRecords:
    """Read a dataset once: which line counts for each image, and how large the images are.

    Args:
        dataset: The file.
        input_dir: Directory of the images.
        patches: The patch files that go along, None for none.
        behind: The line behind which samples are still to be made.
    """
    places = ImagePlaces(input_dir, dataset)
    live = LiveRecords(dataset, places, fingerprint(dataset), malformed=[], superseded=set())
    live.borrowed_ids = set()
    ids: dict[str, str] = {}
    lines: dict[str, int] = {}
    for line, record, path, key in read_records(dataset, places.path_of):
        if record is None:
            live.malformed.append(line.number)
            continue
        earlier = lines.get(key)
        if earlier is not None:
            live.superseded.add(earlier)
            live.count -= earlier > behind
        lines[key] = line.number
        image_id = record.text(ID) if patches else None
        ids.pop(key, None)
        if image_id is not None:
            ids[key] = image_id
        if line.number > behind:
            live.count += 1
            live.bytes += _bytes_of(line, places, path)
            live.bytes += patches.bytes_of(record) if patches else 0
    live.borrowed_ids = {lines[key] for key in borrowed_ids(ids)}
    live.warnings = words_for_twins(places.twins_of(lines))
    return live


def _bytes_of(line: DatasetLine, places: ImagePlaces, path: str | None) -> int:
    found = None if path is None else places.find(path)
    return 0 if found is None else found[1] + line.end - line.start + TAR_OVERHEAD


def _reads_everywhere(data: bytes) -> bool:
    """Tell whether Python's own JSON reads a record, as the readers of shards will.

    Our decoder passes over fields it does not know; a number of 5,000 digits in one of
    them would end a reader's whole epoch.
    """
    try:
        json.loads(data.decode())
    except (ValueError, RecursionError):
        return False
    return True
