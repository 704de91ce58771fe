"""The tables of a queue in SQLite, and how a file is made, checked and opened."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from journal import DATABASE, make_directory, open_database, what_failed
from pipeline.ingest.errors import QueueUnusable

APPLICATION = 0x70636351
VERSION = 1

BUSY_SECONDS = 30.0
"""How long to wait for other processes; each holds the file for hundredths of a second."""

BUSY_STEP_SECONDS = 0.2
"""How long SQLite waits by itself, in which time no signal is heard."""

LONGEST_VALUE = 1 << 17
"""Bytes of an item at most; the longest path takes a tenth of this."""

MOVE_AWAY = "move it away to start a new one, results are kept elsewhere"
"""The way out for whoever has a queue that is of no use."""

CACHE_KIB = 1 << 16
"""Keys come in no order, so the index of a million of them should fit in memory."""

_TABLES = (
    """CREATE TABLE items (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        body BLOB NOT NULL,
        state TEXT NOT NULL,
        place INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        worker TEXT,
        token TEXT,
        expires REAL,
        reason TEXT,
        at TEXT
    )""",
    "CREATE INDEX waiting ON items (place) WHERE state = 'waiting'",
    "CREATE INDEX leased ON items (expires) WHERE state = 'leased'",
    "CREATE INDEX parked ON items (place) WHERE state = 'parked'",
    "CREATE TABLE counts (state TEXT PRIMARY KEY, number INTEGER NOT NULL)",
    "INSERT INTO counts VALUES ('waiting', 0), ('leased', 0), ('done', 0), ('parked', 0)",
    """CREATE TRIGGER item_added AFTER INSERT ON items BEGIN
        UPDATE counts SET number = number + 1 WHERE state = NEW.state;
    END""",
    """CREATE TRIGGER item_moved AFTER UPDATE OF state ON items WHEN OLD.state != NEW.state BEGIN
        UPDATE counts SET number = number - 1 WHERE state = OLD.state;
        UPDATE counts SET number = number + 1 WHERE state = NEW.state;
    END""",
    "CREATE TABLE switch (paused INTEGER NOT NULL)",
    "INSERT INTO switch VALUES (0)",
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {VERSION}",
)
"""Items, each state found by an index of its own, and triggers that count as items move.

`place` orders the items of one state. A done item keeps the token of the lease that did it.
"""


def connect(path: Path) -> sqlite3.Connection:
    """Open the file of a queue; a file that is missing is made, for its owner alone.

    Raises:
        QueueUnusable: the file is no queue, or of another version, damaged, or out of reach.
    """
    try:
        make_directory(path.parent)
        return _prepared(path)
    except sqlite3.Error as error:
        raise QueueUnusable(
            f"{path} is no queue that can be read ({error}); {MOVE_AWAY}"
        ) from error
    except OSError as error:
        raise QueueUnusable(f"the queue cannot be opened: {what_failed(error)}") from error


def _prepared(path: Path) -> sqlite3.Connection:
    connection = open_database(
        path, DATABASE, timeout=BUSY_STEP_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
        _check(connection, path)
        _use_log(connection)
        # The results are the truth and each is on disk before its item is completed. What a power
        # cut takes from the queue is done twice, so a sync at every step would buy nothing.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables in an empty file; refuse a file of another kind."""
    if not _pragma(connection, "schema_version"):
        _make(connection)
    if _pragma(connection, "application_id") != APPLICATION:
        raise QueueUnusable(f"{path} is a database of something else; move it away")
    if (version := _pragma(connection, "user_version")) != VERSION:
        raise QueueUnusable(
            f"{path} is a queue of version {version}, and this pcc knows version {VERSION}; "
            "finish it with the pcc that made it, or move it away"
        )
    made = patiently(connection, "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    if {sql for (sql,) in made} != {each for each in _TABLES if each.startswith("CREATE")}:
        # Triggers and views of somebody else would run as we work.
        raise QueueUnusable(f"{path} has tables that pcc did not make; {MOVE_AWAY}")


def _make(connection: sqlite3.Connection) -> None:
    patiently(connection, "BEGIN IMMEDIATE")
    if not _pragma(connection, "schema_version"):  # no other process was faster
        for statement in _TABLES:
            connection.execute(statement)
    connection.execute("COMMIT")


def _use_log(connection: sqlite3.Connection) -> None:
    """Let readers and a writer work at once; SQLite does not wait for others by itself here."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            with closing(connection.execute("PRAGMA journal_mode = WAL")):
                return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value: int = patiently(connection, f"PRAGMA {name}").fetchone()[0]
    return value


def patiently(
    connection: sqlite3.Connection, statement: str, given: Sequence[object] = ()
) -> sqlite3.Cursor:
    """Execute a statement, and wait for other processes in steps, between which signals are heard.

    Raises:
        sqlite3.Error: the statement fails, or another process does not let go of the file.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            return connection.execute(statement, given)
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() > deadline:
                raise
