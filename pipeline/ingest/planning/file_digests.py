"""Content hashes of the photos on disk, each file read once for as long as it does not change."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

from journal import DATABASE, database_files, open_database, remove
from pipeline.ingest.batched import batched
from pipeline.photos.file_digest import file_digest

AT_ONCE = 64
"""Files that are looked at between two commits."""

READERS = 4

DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")

log = logging.getLogger("pcc.ingest")

_TABLE = """
CREATE TABLE IF NOT EXISTS files(
    path BLOB PRIMARY KEY, size INTEGER, mtime_ns INTEGER, inode INTEGER, ctime_ns INTEGER,
    digest TEXT
) WITHOUT ROWID
"""


class _File(NamedTuple):
    """The state of a file: if any of this differs, the content may be another."""

    size: int
    mtime_ns: int
    inode: int
    ctime_ns: int


class FileDigests:
    """Hashes files, and remembers the state of the file that a hash is of.

    What is remembered only saves time: where it is lost or damaged, files are read again.

    Args:
        path: The SQLite file that remembers.
        root: The photos directory.
    """

    def __init__(self, path: Path, root: Path) -> None:
        self._path = path
        self._root = os.fsencode(root)
        self._memory: sqlite3.Connection | None = None

    def of(
        self, paths: Iterable[str], go_through: Callable[[int], None]
    ) -> Iterator[tuple[str, str | None]]:
        """Yield each path with the `blake3:` digest of its file, None if it cannot be read.

        Args:
            paths: Relative paths as the system spells them.
            go_through: Told how many files are done; may raise to cancel.
        """
        done = 0
        self._open()
        try:
            with ThreadPoolExecutor(READERS) as readers:
                for some in batched(paths, AT_ONCE):
                    go_through(done)
                    yield from zip(some, self._digests(some, readers), strict=True)
                    done += len(some)
        finally:
            if self._memory is not None:
                self._memory.close()

    def _open(self) -> None:
        for _ in range(2):  # a damaged memory is removed, and made again
            try:
                self._memory = open_database(
                    self._path, DATABASE, timeout=10, check_same_thread=False
                )
                self._memory.execute("PRAGMA journal_mode=WAL")
                self._memory.execute("PRAGMA synchronous=NORMAL")
                self._memory.execute(_TABLE)
            except (sqlite3.Error, OSError) as error:
                self._forget(error)
            else:
                return

    def _forget(self, error: Exception) -> None:
        """Go on without the memory; a damaged one is removed."""
        log.warning("digests not remembered", {"reason": str(error)})
        if self._memory is not None:
            self._memory.close()
            self._memory = None
        if getattr(error, "sqlite_errorname", "") in DAMAGED:
            for file in database_files(self._path):
                remove(file)

    def _digests(self, paths: list[str], readers: ThreadPoolExecutor) -> list[str | None]:
        names = [os.fsencode(path) for path in paths]
        files = dict(zip(names, readers.map(self._file, names), strict=True))
        present = {name: file for name, file in files.items() if file is not None}
        digests = self._recall(present)
        unknown = [name for name in present if name not in digests]
        hashed = dict(zip(unknown, readers.map(self._hash, unknown), strict=True))
        found = {name: digest for name, digest in hashed.items() if digest is not None}
        self._keep([(name, *present[name], digest) for name, digest in found.items()])
        digests.update(found)
        return [digests.get(name) for name in names]

    def _recall(self, files: dict[bytes, _File]) -> dict[bytes, str]:
        """Return the digests of files whose state is the one remembered."""
        if self._memory is None:
            return {}
        known = "SELECT size, mtime_ns, inode, ctime_ns, digest FROM files WHERE path = ?"
        try:
            rows = {name: self._memory.execute(known, (name,)).fetchone() for name in files}
        except sqlite3.Error as error:
            self._forget(error)
            return {}
        return {name: row[4] for name, row in rows.items() if row and row[:4] == files[name]}

    def _keep(self, rows: list[tuple[bytes, int, int, int, int, str]]) -> None:
        if self._memory is None or not rows:
            return
        try:
            with self._memory:
                self._memory.executemany("REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)", rows)
        except sqlite3.Error as error:
            self._forget(error)

    def _file(self, name: bytes) -> _File | None:
        try:
            status = os.stat(os.path.join(self._root, name))
        except OSError:
            return None
        if not S_ISREG(status.st_mode):
            return None
        return _File(status.st_size, status.st_mtime_ns, status.st_ino, status.st_ctime_ns)

    def _hash(self, name: bytes) -> str | None:
        return file_digest(os.path.join(self._root, name))
