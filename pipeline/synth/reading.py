"""Reading a set that anybody may have made: in chunks, bounded, never by pickle.

What is not as `archive` writes it is refused with a sentence. A file is not compressed and its
arrays have exactly the bytes their shapes ask for, so no claim can make a reader allocate.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import IO, TYPE_CHECKING

import msgspec
import numpy as np
from blake3 import blake3

from journal import UNREADABLE, NotOurs, why_unreadable
from journal import open_regular as regular_file
from pipeline.synth.archive import DTYPE, IMAGES, LABELS, MAGIC, shape_of
from pipeline.synth.errors import DatasetUnusable
from pipeline.synth.metadata import Metadata

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 1 << 20
LARGEST_METADATA = 1 << 20
LARGEST_READ = 64 << 20
"""Bytes. None of our own reads comes near this number; the directory of a hostile zip may."""

HEADER = re.compile(
    r"\{'descr': '([^'\\]{1,40})', 'fortran_order': (True|False), "
    r"'shape': \(([\d, ]{0,80})\), \} *\n"
)
BAD_ARCHIVE = (
    OSError,
    EOFError,
    RuntimeError,  # encrypted, or an unknown way to compress
    ValueError,
    struct.error,
    zipfile.BadZipFile,
)


class _BoundedFile(io.FileIO):
    """A file of which no read can ask for much."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            size = LARGEST_READ
        elif size > LARGEST_READ:
            raise zipfile.BadZipFile("its directory is too large")
        return super().read(size) or b""


@contextmanager
def open_regular(path: Path) -> Iterator[_BoundedFile]:
    """Open a file, and nothing that could hang or never end.

    Raises:
        DatasetUnusable: the file is missing, no regular file, or not readable.
    """
    try:
        file = regular_file(path)
    except FileNotFoundError:
        raise DatasetUnusable(f"{path.name} is missing") from None
    except OSError as error:
        raise DatasetUnusable(f"{path.name} cannot be opened: {error.strerror}") from error
    except NotOurs:
        raise DatasetUnusable(f"{path.name} is no file") from None
    with file, _BoundedFile(file.fileno(), "rb", closefd=False) as bounded:
        yield bounded


def read_metadata(path: Path) -> Metadata:
    """Return what `metadata.json` says; every key must be there, and no other.

    Raises:
        DatasetUnusable: the file is missing, too large, or says something else.
    """
    with open_regular(path) as file:
        data = file.read(LARGEST_METADATA + 1)
    if len(data) > LARGEST_METADATA:
        raise DatasetUnusable(f"{path.name} is larger than {LARGEST_METADATA:,} bytes")
    try:
        return msgspec.json.decode(data, type=Metadata)
    except UNREADABLE as error:
        raise DatasetUnusable(f"{path.name}: {why_unreadable(error)}") from None


def checksum_of(path: Path) -> str:
    """Return the checksum of a file as metadata holds it.

    Raises:
        DatasetUnusable: the file cannot be read.
    """
    found = blake3()
    with open_regular(path) as file:
        try:
            while block := file.read(BLOCK):
                found.update(block)
        except OSError as error:
            raise DatasetUnusable(f"{path.name} cannot be read: {error.strerror}") from error
    return f"blake3:{found.hexdigest()}"


def read_split(
    path: Path, count: int, chunk: int
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Yield the labels (n,) and images (n, 16, 16) of a split, at most `chunk` at a time.

    Args:
        path: The file.
        count: Number of images that the metadata promises for the split.
        chunk: Number of images held at once.

    Raises:
        DatasetUnusable: the file is not as we write it; perhaps only after some chunks.
    """
    with open_regular(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                _require_members(path.name, archive)
                with archive.open(LABELS) as labels, archive.open(IMAGES) as images:
                    _require_header(path.name, archive, LABELS, labels, count)
                    _require_header(path.name, archive, IMAGES, images, count)
                    for start in range(0, count, chunk):
                        rows = min(chunk, count - start)
                        yield _rows(labels, LABELS, rows), _rows(images, IMAGES, rows)
        except BAD_ARCHIVE as error:
            raise DatasetUnusable(f"{path.name} cannot be read: {error}") from error


def _require_members(file_name: str, archive: zipfile.ZipFile) -> None:
    names = sorted(info.filename for info in archive.infolist()[:3])
    if names != sorted((IMAGES, LABELS)):
        raise DatasetUnusable(f"{file_name} does not hold exactly `images` and `labels`")
    for info in archive.infolist():
        if info.compress_type != zipfile.ZIP_STORED:
            raise DatasetUnusable(f"{file_name}: {info.filename} is compressed")


def _require_header(
    file_name: str, archive: zipfile.ZipFile, name: str, member: IO[bytes], count: int
) -> None:
    what = f"{file_name}: {name.removesuffix('.npy')}"
    if _exactly(member, len(MAGIC)) != MAGIC:
        raise DatasetUnusable(f"{what} is no numpy array of format 1.0")
    length = int.from_bytes(_exactly(member, 2), "little")
    header = HEADER.fullmatch(_exactly(member, length).decode("latin-1"))
    if header is None:
        raise DatasetUnusable(f"{what} has a header that is not understood")
    dtype, fortran, shape = header.groups()
    expected = shape_of(name, count)
    if dtype != DTYPE:
        raise DatasetUnusable(f"{what} has dtype {dtype!r}, not {DTYPE!r} (uint8)")
    if fortran == "True" or f"({shape})" != str(expected):
        order = " in Fortran order" if fortran == "True" else ""
        raise DatasetUnusable(f"{what} has shape ({shape}){order}, not {expected}")
    size, found = len(MAGIC) + 2 + length + prod(expected), archive.getinfo(name).file_size
    if found != size:
        raise DatasetUnusable(f"{what} has {found:,} bytes, not {size:,}")


def _rows(member: IO[bytes], name: str, rows: int) -> NDArray[np.uint8]:
    shape = shape_of(name, rows)
    return np.frombuffer(_exactly(member, prod(shape)), np.uint8).reshape(shape)


def _exactly(member: IO[bytes], size: int) -> bytes:
    data = member.read(size)
    if len(data) != size:
        raise EOFError("it ends too early")
    return data
