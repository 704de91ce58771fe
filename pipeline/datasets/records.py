"""Records of a dataset: what of a line is looked at, and which photo the line is about.

Little of a line is decoded, since most of it is numbers: a field stays the bytes that it has in
the line.
"""

from __future__ import annotations

import json
import os
import posixpath
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from journal import BOM, UNREADABLE, journal_kind, open_regular, read_chunks, system_path
from pipeline.datasets.passes import FIELDS
from pipeline.datasets.raw_values import ABSENT, decoded
from pipeline.photos.photo import photo_key
from pipeline.photos.spelling import spelling_of

Fingerprint = tuple[int, int, int]
"""Inode, bytes, and nanoseconds of the last change."""


class Record(msgspec.Struct, gc=False):
    """A record: its path, and the fields of all passes as they stand in the line.

    A line is decoded to a subclass with an attribute for each field, which is the way in
    which msgspec passes over all other fields without looking into them.

    Attributes:
        image_path: Path of the image, relative to the input directory, or absolute.
        raw_path: Base64 of the path's bytes, only where they are not UTF-8.
    """

    image_path: str
    raw_path: str | None = None

    def raw(self, field: str) -> msgspec.Raw:
        """Return the bytes of a field that some pass makes; none where the field is absent."""
        value: msgspec.Raw = getattr(self, _ATTRIBUTES[field], ABSENT)
        return value

    def text(self, field: str) -> str | None:
        """Return a field that is a string, None where the field is absent or anything else."""
        value = decoded(self.raw(field))
        return value if isinstance(value, str) else None


_ATTRIBUTES = {field: f"value_{number}" for number, field in enumerate(FIELDS)}

_RECORD_WITH_FIELDS: type[Record] = msgspec.defstruct(  # type: ignore[assignment]
    "RecordWithFields",
    [(attribute, msgspec.Raw, ABSENT) for attribute in _ATTRIBUTES.values()],
    bases=(Record,),
    rename={attribute: field for field, attribute in _ATTRIBUTES.items()},
    gc=False,
)
_decode = msgspec.json.Decoder(_RECORD_WITH_FIELDS).decode


class _About(msgspec.Struct):
    """What every record of a dataset holds at least."""

    image_path: str


DATASET = journal_kind("a dataset of records with `image_path`", _About)


class DatasetLine(NamedTuple):
    """One line of a dataset.

    Attributes:
        number: Number of the line, counted from 1.
        start: Byte offset of the line.
        end: Byte offset behind the line and its newline.
        data: Bytes of the line without the newline, None for a line too long to be a record.
    """

    number: int
    start: int
    end: int
    data: bytes | None


def read_lines(path: Path) -> Iterator[DatasetLine]:
    """Yield the lines of a dataset, whatever they hold."""
    number = 0
    with open_regular(path) as file:
        for chunk in read_chunks(file):
            start = chunk.offset
            whole = len(chunk.lines) > 1 or chunk.end - start <= len(chunk.lines[0]) + 1
            for data in chunk.lines:
                number += 1
                end = min(start + len(data) + 1, chunk.end) if whole else chunk.end
                yield DatasetLine(number, start, end, data if whole else None)
                start = end


def parse(data: bytes) -> Record | None:
    """Return the record in a line, None where there is none."""
    try:
        if not data.isascii():
            data.decode()  # msgspec does not look into a value that it passes over
        return _decode(data.removeprefix(BOM))
    except UNREADABLE:
        return None


def loosely_read_path(data: bytes) -> str | None:
    """Return the path in a line that only Python takes for JSON: with NaN, or half a character."""
    try:
        fields = json.loads(data)
        path = fields["image_path"]
        path.encode()
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return None
    return str(path)


def system_name(record: Record) -> str | None:
    """Return the path in a record as the system spells it, None for a text that is no path."""
    try:
        path = system_path(record.image_path, record.raw_path)
    except ValueError:
        return None
    if not path or "\0" in path:
        return None
    if "./" in path or "//" in path:
        path = posixpath.normpath(path)
        if path.startswith("//"):  # which POSIX leaves to the system
            path = path[1:]
    return path


def locate(record: Record, *input_dirs: str) -> str | None:
    """Return the path of the image of a record, as the system spells it.

    Args:
        record: The record.
        input_dirs: Absolute paths of the input directory: a symbolic link gives it two.

    Returns:
        A path relative to the input directory, or absolute for an image elsewhere.
        None for a path that climbs out of the input directory or is none at all.
    """
    path = system_name(record)
    if path is None:
        return None
    for root in input_dirs:
        path = path.removeprefix(f"{root}/")
    return None if path == ".." or path.startswith("../") else path


def find_image(input_dir: str, path: str) -> tuple[str, int] | None:
    """Return the spelling of an image's path on disk and the size in bytes, None without a file.

    File systems differ in how they spell letters with marks: composed or decomposed.
    """
    spelt = spelling_of(input_dir, path)
    if spelt is None:
        return None
    try:
        found = os.stat(os.path.join(input_dir, spelt))
    except (OSError, ValueError):
        return None
    return (spelt, found.st_size) if stat.S_ISREG(found.st_mode) else None


def key_of(record: Record, path: str | None) -> str:
    """Return what a record is known by: one image has one key, however its path is spelt."""
    return photo_key(path) if path is not None else f"\0outside\0{record.image_path}"


class FoundRecord(NamedTuple):
    """A line that is not blank, and the image it is about.

    Attributes:
        line: The line.
        record: The record in the line, None where there is none.
        path: Path of the image, as `ImagePlaces` finds it.
        key: What the image is known by; empty without a record.
    """

    line: DatasetLine
    record: Record | None
    path: str | None
    key: str


def read_records(dataset: Path, path_of: Callable[[Record], str | None]) -> Iterator[FoundRecord]:
    """Yield all records of a dataset, also those whose image has another record further down.

    Args:
        dataset: The file.
        path_of: Returns the path of the image of a record; see `ImagePlaces`.
    """
    for line in read_lines(dataset):
        if line.data is not None and not line.data.strip(b" \t\r"):
            continue
        record = None if line.data is None else parse(line.data)
        if record is None:
            yield FoundRecord(line, None, None, "")
        else:
            path = path_of(record)
            yield FoundRecord(line, record, path, key_of(record, path))


def input_dirs_of(input_dir: Path) -> tuple[str, str]:
    """Return the absolute path of an input directory, as it is named and without its links."""
    return os.path.abspath(input_dir), os.path.realpath(input_dir)


def fingerprint(path: Path) -> Fingerprint | None:
    """Return what tells whether a file is still the one that was read, None where it is absent."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
