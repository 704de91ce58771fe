"""Which records of a dataset become samples, and what goes into one."""

from __future__ import annotations

import json
import os
import stat
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from journal import BOM
from pipeline.datasets.records import Line, Record, key_of, locate, parse, read_lines
from pipeline.datasets.shards.patches import PatchSource
from pipeline.datasets.survey import Fingerprint, fingerprint

TAR_OVERHEAD = 1536
"""Bytes of a sample beside its data, about: headers and padding of two members."""


class Sample(msgspec.Struct, frozen=True):
    """One sample as a shard takes it.

    Attributes:
        key: Its number over the whole dataset, nine digits.
        record: The line of the dataset, without what is around its object.
        image: An image file.
        suffix: Of that, lower case, without the dot.
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
        line: Its number in the dataset.
        data: The line, without what is around its object.
        record: What it says.
        path: Of its image, relative to the input directory or absolute.
        image_bytes: Size of that file.
        fault: Why it is none: `outside`, `missing` or `unreadable`; None otherwise.
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
        input_dir: Absolute path of the directory with the images.
        fingerprint: Of the file as it was read.
        count: Images with a record behind the line to begin at.
        bytes: About what they will take.
        malformed: Lines that hold no record.
        superseded: Lines whose image has another record further down.
        borrowed_ids: Lines whose id, and with it the patch file, is an earlier record's.
    """

    dataset: Path
    input_dir: str
    fingerprint: Fingerprint | None
    count: int = 0
    bytes: int = 0
    malformed: list[int] = []
    superseded: set[int] = set()
    borrowed_ids: set[int] = set()

    def candidates(self, behind: int) -> Iterator[Candidate]:
        """Yield the records that count, in the order of the file.

        Args:
            behind: The line to begin behind, 0 for all.
        """
        for line in read_lines(self.dataset):
            if line.number > behind and line.number not in self.superseded:
                record = _record_of(line)
                if record is not None:
                    yield self._candidate(line, record)

    def _candidate(self, line: Line, record: Record) -> Candidate:
        assert line.data is not None
        data = line.data.removeprefix(BOM).strip(b" \t\r")
        path = locate(record, self.input_dir, os.path.realpath(self.input_dir))
        found = None if path is None else find_image(self.input_dir, path)
        fault = "outside" if path is None else "missing" if found is None else None
        if not _reads_everywhere(data):
            fault = "unreadable"
        spelt, size = found or (record.image_path, 0)
        return Candidate(line.number, data, record, spelt, size, fault)


def read_live_records(
    dataset: Path, input_dir: Path, patches: PatchSource | None, behind: int = 0
) -> LiveRecords:
    """Read a dataset once: which line counts for each image, and how large those are.

    Args:
        dataset: The file.
        input_dir: Where the images are.
        patches: The patch files that go along, None for none.
        behind: The line behind which samples are still to be made.
    """
    root, real = os.path.abspath(input_dir), os.path.realpath(input_dir)
    live = LiveRecords(dataset, root, fingerprint(dataset), malformed=[], superseded=set())
    live.borrowed_ids = set()
    ids: dict[str, str] = {}
    lines: dict[str, int] = {}
    for line in read_lines(dataset):
        if line.data is not None and not line.data.strip(b" \t\r"):
            continue
        record = _record_of(line)
        if record is None:
            live.malformed.append(line.number)
            continue
        path = locate(record, root, real)
        key = key_of(record, path)
        earlier = lines.get(key)
        if earlier is not None:
            live.superseded.add(earlier)
            live.count -= earlier > behind
        lines[key] = line.number
        image_id = record.text("image_id") if patches else None
        ids.pop(key, None)
        if image_id is not None:
            ids[key] = image_id
        if line.number > behind:
            live.count += 1
            live.bytes += _bytes_of(line, root, path)
            live.bytes += patches.bytes_of(record) if patches else 0
    owner: dict[str, str] = {}
    live.borrowed_ids = {
        lines[key] for key, image_id in ids.items() if owner.setdefault(image_id, key) != key
    }
    return live


def find_image(root: str, path: str) -> tuple[str, int] | None:
    """Return how an image's path is spelt on disk and its size in bytes, None if it is no file.

    File systems differ in how they spell letters with marks: composed or decomposed.
    """
    spellings = [path]
    if not path.isascii():
        spellings += [unicodedata.normalize(form, path) for form in ("NFC", "NFD")]
    for spelt in spellings:
        try:
            found = os.stat(os.path.join(root, spelt))
        except (OSError, ValueError):
            continue
        if stat.S_ISREG(found.st_mode):
            return spelt, found.st_size
    return None


def _record_of(line: Line) -> Record | None:
    return None if line.data is None else parse(line.data)


def _bytes_of(line: Line, root: str, path: str | None) -> int:
    found = None if path is None else find_image(root, path)
    return 0 if found is None else found[1] + line.end - line.start + TAR_OVERHEAD


def _reads_everywhere(data: bytes) -> bool:
    """Tell whether Python's own JSON reads a record, as the readers of shards will.

    Our decoder passes over fields it does not know; those may hold bytes that are not
    UTF-8, and one such record would end a reader's whole epoch.
    """
    try:
        json.loads(data.decode())
    except (ValueError, RecursionError):
        return False
    return True
