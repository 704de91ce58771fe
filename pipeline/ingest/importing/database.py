"""The database that a cache is imported into: checked, opened, and changed in one transaction."""

from __future__ import annotations

import errno
import os
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from journal import (
    DATABASE,
    DiskFull,
    JournalLocked,
    free_bytes,
    open_database,
    open_own,
    open_regular,
    remove,
)
from pipeline.ingest.errors import CacheRefused
from pipeline.ingest.importing.database_schema import APPLICATION, LAYOUT, SCHEMA

BUSY_SECONDS = 5.0
CACHE_KIB = 32 << 10

_MAGIC = b"SQLite format 3\0"
_HEADER = struct.Struct(">60xI4xI28x")
"""`user_version` and `application_id` in the first 100 bytes of a file."""


@contextmanager
def transaction(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a database, made if missing, that keeps all that the block does or nothing of it.

    A new file is for its owner alone; a file that was there keeps its permissions.

    Raises:
        CacheRefused: the file is not a database of this kind; the file was not touched.
        JournalLocked: another process writes the file.
        DiskFull: there is no room; the file is as it was.
        OSError: the file cannot be read or written; it is as it was.
    """
    require_database(path)
    made = _make(path)
    try:
        with closing(
            open_database(path, DATABASE, timeout=BUSY_SECONDS, isolation_level=None)
        ) as connection:
            _begin(connection)
            try:
                yield connection
                connection.execute("COMMIT")
                made = False
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise _described(path, error) from error
    finally:
        if made:
            _unmake(path)


def require_database(path: Path) -> None:
    """Make sure that a path is a database of this kind, or that one can be made there.

    Raises:
        CacheRefused: the file is of another kind; it was read and not touched.
    """
    another = "--db names another file"
    if path.is_dir() or not path.absolute().parent.is_dir():
        where = "is a directory" if path.is_dir() else "is in a directory that does not exist"
        raise CacheRefused(f"{path} {where}; {another}")
    if not path.exists():
        return
    if not path.is_file():
        raise CacheRefused(f"{path} is no file; {another}")
    with open_regular(path) as file:
        head = file.read(_HEADER.size)
    if not head.strip(b"\0") and (not head or path.with_name(f"{path.name}-journal").exists()):
        return  # new, or of an import that was killed: SQLite takes back what it wrote
    if not head.startswith(_MAGIC) or len(head) < _HEADER.size:
        raise CacheRefused(f"{path} is no database, and is left as it is; {another}")
    layout, application = _HEADER.unpack(head)
    if application != APPLICATION:
        raise CacheRefused(f"{path} is a database of something else, and left as it is; {another}")
    if layout != LAYOUT:
        raise CacheRefused(
            f"{path} has tables of layout {layout}, and this pcc writes layout {LAYOUT}; {another}"
        )


def _make(path: Path) -> bool:
    """Make a file if it is missing, and tell whether it was."""
    try:
        os.close(open_own(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(path, 0, free_bytes(path.absolute().parent)) from error
        raise
    return True


def _unmake(path: Path) -> None:
    """Remove a file that was made for nothing, unless another process has begun to fill it."""
    with suppress(OSError):
        if path.stat().st_size == 0:
            remove(path)


def _begin(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA synchronous = EXTRA")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    connection.execute("BEGIN IMMEDIATE")
    if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {LAYOUT}")
        for statement in SCHEMA:
            connection.execute(statement)


def _described(path: Path, error: sqlite3.Error) -> Exception:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return DiskFull(path, 0, free_bytes(path.absolute().parent))
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return JournalLocked(path, "another process")
    return OSError(f"{path} cannot be written: {error}; it is as it was")
