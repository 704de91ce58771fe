"""Writing the file of a split as a stream: two arrays, uncompressed, the same bytes each time."""

from __future__ import annotations

import os
import zipfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING

from blake3 import blake3

from journal import open_own
from pipeline.synth.primitives import GRID

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LABELS, IMAGES = "labels.npy", "images.npy"
"""The members of a file, in this order: labels are known before images are drawn."""

DTYPE = "|u1"
MAGIC = b"\x93NUMPY\x01\x00"
ALIGNMENT = 64
TIMESTAMP = (1980, 1, 1, 0, 0, 0)
"""The first moment that a zip file can tell; the real time would change the bytes."""

REGULAR_FILE = 0o100644 << 16
UNIX = 3


def shape_of(member: str, count: int) -> tuple[int, ...]:
    """Return the shape of a member of a split with so many images."""
    return (count,) if member == LABELS else (count, GRID, GRID)


def array_header(shape: tuple[int, ...]) -> bytes:
    """Return what stands before an array of bytes in a `.npy` file (format 1.0).

    The header is written out here, since the padding of numpy's own header depends on the
    version of numpy.
    """
    text = f"{{'descr': '{DTYPE}', 'fortran_order': False, 'shape': {shape}, }}"
    room = len(MAGIC) + 2 + len(text) + 1
    text += " " * (-room % ALIGNMENT) + "\n"
    return MAGIC + len(text).to_bytes(2, "little") + text.encode("ascii")


class HashingFile:
    """A file that is written from front to back, and hashed on the way.

    The file cannot seek, so that a zip file puts the checksum of an array behind the array.
    """

    def __init__(self, path: Path) -> None:
        self._file = open(open_own(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb")  # noqa: SIM115
        self._hash = blake3()

    def write(self, data: bytes | memoryview) -> int:
        """Append bytes."""
        self._hash.update(data)
        return self._file.write(data)

    def flush(self) -> None:
        """Hand what is buffered to the system."""
        self._file.flush()

    def sync(self) -> None:
        """Wait until everything is on disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    @property
    def checksum(self) -> str:
        """Hash of what was written so far: `blake3:` and 64 hexadecimal digits."""
        return f"blake3:{self._hash.hexdigest()}"


class SplitFile:
    """One split on its way to disk: `begin` and `write` for the labels, then for the images.

    Args:
        path: The file, which must not be there yet.
        count: Number of images of the split.
    """

    def __init__(self, path: Path, count: int) -> None:
        self._file = HashingFile(path)
        self._count = count
        self._zip = zipfile.ZipFile(self._file, "w")
        self._member: IO[bytes] | None = None

    def __enter__(self) -> SplitFile:
        return self

    def begin(self, member: str) -> None:
        """Begin an array; the one before is complete."""
        if self._member is not None:
            self._member.close()
        entry = zipfile.ZipInfo(member, TIMESTAMP)
        entry.create_system, entry.external_attr = UNIX, REGULAR_FILE
        self._member = self._zip.open(entry, "w", force_zip64=True)
        self._member.write(array_header(shape_of(member, self._count)))

    def write(self, rows: NDArray[np.uint8]) -> None:
        """Append rows to the array."""
        assert self._member is not None
        self._member.write(rows.data.cast("B"))

    def finish(self) -> str:
        """Complete the file and wait until it is on disk; return its checksum."""
        if self._member is not None:
            self._member.close()
        self._zip.close()
        self._file.sync()
        return self._file.checksum

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._file.close()
            return
        for abandoned in (self._file, self._member):
            with suppress(OSError, ValueError):
                if abandoned is not None:
                    abandoned.close()
        self._zip.fp = None  # the zip file must not try to complete itself later
