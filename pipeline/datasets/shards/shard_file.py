"""A shard on its way to disk: hidden until it is whole."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from blake3 import blake3

from journal import open_own, remove, sync_directory
from pipeline.datasets.shards.samples import Sample

BUFFER_BYTES = 1 << 20


class ShardContent(Protocol):
    """What is inside a shard of some format."""

    def size_with(self, sample: Sample) -> int:
        """Return the bytes that the file would have at most if it ended behind a sample."""

    def add(self, sample: Sample) -> None:
        """Put a sample behind the others."""

    def close(self) -> None:
        """Write what is still to be written, and the end of the file."""


class ShardFile(io.RawIOBase):
    """A file under a hidden name that gets its own when it is whole and on disk.

    Args:
        directory: Directory of the file.
        name: Name that the file will have.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self.path = directory / name
        self._hidden = directory / f".{name}.partial"
        remove(self._hidden)
        descriptor = open_own(self._hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        self._file = open(descriptor, "wb", BUFFER_BYTES)  # noqa: SIM115
        self._digest = blake3()
        self._size = 0
        self._given_up = False

    def writable(self) -> bool:
        """Return True: the file is only written."""
        return True

    def tell(self) -> int:
        """Return the bytes written."""
        return self._size

    def write(self, data: bytes) -> int:  # type: ignore[override]  # any buffer will do
        """Write all of the data; what a library writes to an abandoned file is dropped."""
        size = memoryview(data).nbytes
        if not self._given_up:
            self._file.write(data)
            self._digest.update(data)
            self._size += size
        return size

    def publish(self) -> str:
        """Bring the file to disk, give the file its name, and return `blake3:` with its hash."""
        with self._file as file:
            file.flush()
            os.fsync(file.fileno())
        self._hidden.replace(self.path)
        sync_directory(self.path.parent)
        return f"blake3:{self._digest.hexdigest()}"

    def abandon(self) -> None:
        """Remove the file, whatever is in it."""
        self._given_up = True
        remove(self._hidden)
        with suppress(OSError):  # of a full disk, on which the buffer finds no room
            self._file.close()
