"""Vectors in a file that only grows: rows of little-endian float32, all of one length.

A row is synced before any record names it, so each record that can be read has its
vector. A row that no record names is the work of a killed process, and does no harm.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from journal import DiskFull, free_bytes, make_own_copy, named, open_own, sync_directory

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BYTES_PER_NUMBER = 4


class RowFile:
    """Rows in a file. Whoever appends holds the lock of the journal that names the rows.

    Args:
        path: The file; made with the first rows. Its directory exists by then.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def count(self, dimensions: int) -> int:
        """Return how many whole rows of a length the file has; a torn last row is none."""
        try:
            return self.path.stat().st_size // (BYTES_PER_NUMBER * dimensions)
        except FileNotFoundError:
            return 0

    def first(self, dimensions: int) -> NDArray[np.float32] | None:
        """Return the first row, None where the file has no whole row."""
        import numpy as np

        if not self.count(dimensions):
            return None
        return np.fromfile(self.path, "<f4", dimensions)

    def append(self, vectors: NDArray[np.float32]) -> int:
        """Bring rows to disk behind the others, and return the number of the first.

        Args:
            vectors: Shape (rows, dimensions), with the dimensions of the rows that are there.

        Raises:
            DiskFull: there is no room; what was there is as it was.
            OSError: the rows cannot be written.
        """
        dimensions = vectors.shape[1]
        data = vectors.astype("<f4", copy=False).tobytes()
        free = free_bytes(self.path.parent)
        if len(data) > free:
            raise DiskFull(self.path, len(data), free)
        first = self.count(dimensions)
        make_own_copy(self.path)
        descriptor = open_own(self.path, os.O_WRONLY | os.O_CREAT)
        with named(self.path), open(descriptor, "wb") as file:
            file.seek(first * BYTES_PER_NUMBER * dimensions)  # over a torn last row
            file.truncate()
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if first == 0:
            sync_directory(self.path.parent)  # the file itself may be new
        return first
