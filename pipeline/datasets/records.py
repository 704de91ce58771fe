"""Records of a dataset: what of a line is looked at, and which photo it is about.

Nothing is decoded that need not be: a field is the bytes it has in the line.
"""

from __future__ import annotations

import json
import os
import posixpath
import stat
import unicodedata
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import NamedTuple, cast

import msgspec

from journal import BOM, read_chunks, system_path
from pipeline.photos.photo import photo_key

ABSENT = msgspec.Raw(b"")

EMPTY = (b"null", b'""', b"[]", b"{}")
LONGEST_SIDE = 1 << 24
"""Pixels; no file format goes further."""

LONGEST_EMPTY = 16
"""Bytes of a value that may be an empty list with spaces in it."""


class Record(msgspec.Struct, gc=False):
    """The fields of a record that any pass looks at, as they stand in the line.

    Attributes:
        image_path: Relative to the input directory, or absolute.
        raw_path: Base64 of the path's bytes, only where they are not UTF-8.
    """

    image_path: str
    raw_path: str | None = None
    image_id: msgspec.Raw = ABSENT
    aspect_bucket: msgspec.Raw = ABSENT
    height: msgspec.Raw = ABSENT
    width: msgspec.Raw = ABSENT
    dinov3_embedding: msgspec.Raw = ABSENT
    caption: msgspec.Raw = ABSENT
    t5_attention_mask: msgspec.Raw = ABSENT

    def text(self, field: str) -> str | None:
        """Return a field that is a string, None where it is absent or anything else."""
        value = _decoded(getattr(self, field))
        return value if isinstance(value, str) else None

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height in pixels, None where either is absent or makes no sense."""
        width, height = _decoded(self.width), _decoded(self.height)
        sides = (width, height)
        if all(type(side) is int and 0 < side <= LONGEST_SIDE for side in sides):
            return cast("tuple[int, int]", sides)
        return None


_decode = msgspec.json.Decoder(Record).decode


def _decoded(raw: msgspec.Raw) -> object:
    try:
        return msgspec.json.decode(raw) if raw else None
    except msgspec.MsgspecError:  # a number beyond every limit
        return None


def is_empty(raw: msgspec.Raw) -> bool:
    """Tell whether a value says nothing: null, an empty string, list or object."""
    value = bytes(raw) if len(raw) <= LONGEST_EMPTY else b""
    return value in EMPTY or (value[:1] in (b"[", b"{") and b"".join(value.split()) in EMPTY)


class DatasetLine(NamedTuple):
    """One line of a dataset.

    Attributes:
        number: Counted from 1.
        start: Byte offset.
        end: Byte offset behind it and its newline.
        data: Its bytes without the newline, None for one too long to be a record.
    """

    number: int
    start: int
    end: int
    data: bytes | None


def read_lines(path: Path) -> Iterator[DatasetLine]:
    """Yield the lines of a dataset, whatever they hold."""
    number = 0
    with FileIO(path, "rb") as file:
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
            data.decode()  # a value that is not looked at is not looked into, either
        return _decode(data.removeprefix(BOM))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def loosely_read_path(data: bytes) -> str | None:
    """Return the path in a line that is JSON only to Python: with NaN, or half a character."""
    try:
        fields = json.loads(data)
        path = fields["image_path"]
        path.encode()
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return None
    return str(path)


def locate(record: Record, *input_dirs: str) -> str | None:
    """Return where the image of a record is, as the system spells it.

    Args:
        record: The record.
        input_dirs: Absolute paths of the input directory: a symbolic link gives it two.

    Returns:
        A path relative to the input directory, or absolute for an image elsewhere.
        None for a path that climbs out of the input directory or is none at all.
    """
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
    for root in input_dirs:
        path = path.removeprefix(f"{root}/")
    return None if path == ".." or path.startswith("../") else path


def find_image(input_dir: str, path: str) -> tuple[str, int] | None:
    """Return how an image's path is spelt on disk and its size in bytes, None if it is no file.

    File systems differ in how they spell letters with marks: composed or decomposed.
    """
    spellings = [path]
    if not path.isascii():
        spellings += [unicodedata.normalize(form, path) for form in ("NFC", "NFD")]
    for spelt in spellings:
        try:
            found = os.stat(os.path.join(input_dir, spelt))
        except (OSError, ValueError):
            continue
        if stat.S_ISREG(found.st_mode):
            return spelt, found.st_size
    return None


def key_of(record: Record, path: str | None) -> str:
    """Return what a record is known by: one image, one key, however its path is spelt."""
    return photo_key(path) if path is not None else f"\0outside\0{record.image_path}"


class FoundRecord(NamedTuple):
    """A line that is not blank, and the image it is about.

    Attributes:
        line: The line.
        record: What it holds, None where that is no record.
        path: Of the image, as `locate` returns it.
        key: What the image is known by; empty without a record.
    """

    line: DatasetLine
    record: Record | None
    path: str | None
    key: str


def read_records(dataset: Path, *input_dirs: str) -> Iterator[FoundRecord]:
    """Yield the records of a dataset, those that have another further down among them.

    Args:
        dataset: The file.
        input_dirs: See `input_dirs_of`; without any, no path is shortened.
    """
    for line in read_lines(dataset):
        if line.data is not None and not line.data.strip(b" \t\r"):
            continue
        record = None if line.data is None else parse(line.data)
        if record is None:
            yield FoundRecord(line, None, None, "")
        else:
            path = locate(record, *input_dirs)
            yield FoundRecord(line, record, path, key_of(record, path))


def input_dirs_of(input_dir: Path) -> tuple[str, str]:
    """Return the absolute path of an input directory, as it is named and without its links."""
    return os.path.abspath(input_dir), os.path.realpath(input_dir)
