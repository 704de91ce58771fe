"""Content hashes of the photos on disk, each file read once for as long as it does not change."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

from blake3 import blake3

AT_ONCE = 512
"""Files looked at between two commits."""

READERS = 4

_TABLE = """
CREATE TABLE IF NOT EXISTS files(
    path BLOB PRIMARY KEY, size INTEGER, mtime_ns INTEGER, inode INTEGER, digest TEXT
) WITHOUT ROWID
"""


class _File(NamedTuple):
    """What tells a file from what it was."""

    size: int
    mtime_ns: int
    inode: int


class FileDigests:
    """Hashes files, and remembers for which state of a file a hash is.

    Only a memory: when it is lost, files are read again.

    Args:
        path: The SQLite file that remembers.
        root: The photos directory.
    """

    def __init__(self, path: Path, root: Path) -> None:
        self._path = path
        self._root = os.fsencode(root)

    def of(
        self, paths: Iterable[str], go_through: Callable[[int], None]
    ) -> Iterator[tuple[str, str | None]]:
        """Yield each path with the `blake3:` digest of its file, None if it cannot be read.

        Args:
            paths: Relative paths as the system spells them.
            go_through: Told how many are done; may raise to end the work.
        """
        pending = iter(paths)
        done = 0
        with closing(self._open()) as memory, ThreadPoolExecutor(READERS) as readers:
            while some := list(islice(pending, AT_ONCE)):
                go_through(done)
                yield from zip(some, self._digests(some, memory, readers), strict=True)
                done += len(some)

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.DatabaseError:  # damaged; begin anew
            self._path.unlink(missing_ok=True)
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        memory = sqlite3.connect(self._path, timeout=60)
        try:
            memory.execute("PRAGMA journal_mode=WAL")
            memory.execute("PRAGMA synchronous=NORMAL")
            memory.execute(_TABLE)
        except sqlite3.DatabaseError:
            memory.close()
            raise
        return memory

    def _digests(
        self, paths: list[str], memory: sqlite3.Connection, readers: ThreadPoolExecutor
    ) -> list[str | None]:
        names = [os.fsencode(path) for path in paths]
        files = dict(zip(names, readers.map(self._file, names), strict=True))
        digests = {name: self._known(memory, name, file) for name, file in files.items() if file}
        unknown = [name for name, digest in digests.items() if digest is None]
        digests.update(zip(unknown, readers.map(self._hash, unknown), strict=True))
        with memory:
            memory.executemany(
                "REPLACE INTO files VALUES (?, ?, ?, ?, ?)",
                [(name, *files[name], digests[name]) for name in unknown if digests[name]],  # type: ignore[misc]
            )
        return [digests.get(name) for name in names]

    def _known(self, memory: sqlite3.Connection, name: bytes, file: _File) -> str | None:
        row = memory.execute(
            "SELECT size, mtime_ns, inode, digest FROM files WHERE path = ?", (name,)
        ).fetchone()
        return row[3] if row is not None and row[:3] == file else None

    def _file(self, name: bytes) -> _File | None:
        try:
            status = os.stat(os.path.join(self._root, name))
        except OSError:
            return None
        if not S_ISREG(status.st_mode):
            return None
        return _File(status.st_size, status.st_mtime_ns, status.st_ino)

    def _hash(self, name: bytes) -> str | None:
        hasher = blake3()
        try:
            descriptor = os.open(
                os.path.join(self._root, name), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
            )
            with open(descriptor, "rb", buffering=0) as file:  # a FIFO gives no bytes
                while data := file.read(1 << 20):
                    hasher.update(data)
        except OSError:
            return None
        return f"blake3:{hasher.hexdigest()}"
