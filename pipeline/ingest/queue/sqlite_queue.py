"""The queue in a SQLite file: for workers of one machine, with nothing to install."""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from pipeline.ingest.batched import batched
from pipeline.ingest.errors import QueueLost
from pipeline.ingest.queue.base import (
    CHUNK,
    DIED,
    PAGE,
    Counts,
    Item,
    Leased,
    Parked,
    WorkQueue,
    decode_item,
    decode_parked,
    kept_reason,
    times_tried,
    whole,
)
from pipeline.ingest.queue.lease_terms import LEASE_SECONDS, MAX_ATTEMPTS
from pipeline.ingest.queue.sqlite_tables import MOVE_AWAY, connect, patiently

LONGEST_LEASE = 3600.0
"""Seconds; a lease that would hold for longer was not given by a worker, and has run out."""

_ENQUEUE = """
INSERT INTO items (key, body, state, place) VALUES (?, ?, 'waiting', ?)
ON CONFLICT (key) DO NOTHING"""
_ENQUEUE_AGAIN = """
INSERT INTO items (key, body, state, place) VALUES (?, ?, 'waiting', ?)
ON CONFLICT (key) DO UPDATE SET
    body = excluded.body, state = 'waiting', place = excluded.place, attempts = 0, token = NULL
WHERE state = 'done'"""
_LAST_WAITING = "SELECT coalesce(max(place), 0) FROM items WHERE state = 'waiting'"

_EXHAUSTED = """
SELECT key, token, worker, attempts FROM items
WHERE state = 'leased' AND expires <= ? AND attempts >= ? ORDER BY expires, place"""
_EXPIRED = """
SELECT id, body, attempts FROM items
WHERE state = 'leased' AND expires <= ? ORDER BY expires, place LIMIT ?"""
_FREE = "SELECT id, body, attempts FROM items WHERE state = 'waiting' ORDER BY place LIMIT ?"
_LEASE = """
UPDATE items SET state = 'leased', attempts = ?, worker = ?, token = ?, expires = ?
WHERE id = ?"""
_IMPOSSIBLE = """
UPDATE items SET expires = 0 WHERE state = 'leased' AND (expires > ? OR expires IS NULL)"""
_RENEW = """
UPDATE items SET expires = ? WHERE key = ? AND token = ? AND worker = ? AND state = 'leased'"""

_COMPLETE = """
INSERT INTO items (key, token, worker, body, attempts, state, place)
VALUES (?, ?, ?, ?, ?, 'done', 0)
ON CONFLICT (key) DO UPDATE SET state = 'done', expires = NULL, reason = NULL, at = NULL
WHERE token = excluded.token AND worker = excluded.worker"""
_FAIL = """
UPDATE items SET state = 'waiting', token = NULL, expires = NULL,
    place = (SELECT coalesce(max(place), 0) + 1 FROM items WHERE state = 'waiting')
WHERE key = ? AND token = ? AND worker = ? AND state = 'leased'"""
_RELEASE = """
UPDATE items SET state = 'waiting', attempts = attempts - 1, token = NULL, expires = NULL
WHERE key = ? AND token = ? AND worker = ? AND state = 'leased'"""
_ABANDON = "UPDATE items SET expires = 0 WHERE state = 'leased' AND worker = ?"
_WITHDRAW = """
UPDATE items SET state = 'done', token = NULL, expires = NULL
WHERE state IN ('waiting', 'leased')"""
_PARK = """
UPDATE items SET state = 'parked', expires = NULL, reason = ?, at = ?,
    place = (SELECT coalesce(max(place), 0) + 1 FROM items WHERE state = 'parked')
WHERE key = ? AND token = ? AND worker = ? AND state = 'leased'"""
_PARKED = """
SELECT place, body, attempts, reason, at FROM items
WHERE state = 'parked' AND place > ? ORDER BY place LIMIT ?"""
_UNPARK = """
UPDATE items SET state = 'waiting', attempts = 0, token = NULL, reason = NULL, at = NULL,
    place = (SELECT coalesce(max(place), 0) + 1 FROM items WHERE state = 'waiting')
WHERE id = ?"""
_RECOUNT = """
UPDATE counts SET number = CASE state
    WHEN 'parked' THEN (SELECT count(*) FROM items WHERE state = 'parked')
    WHEN 'done' THEN (SELECT count(*) FROM items)
        - (SELECT count(*) FROM items WHERE state = 'parked')
    ELSE 0
END"""
_COUNTS = """
SELECT
    (SELECT number FROM counts WHERE state = 'waiting'),
    (SELECT number FROM counts WHERE state = 'leased'),
    (SELECT number FROM counts WHERE state = 'done'),
    (SELECT number FROM counts WHERE state = 'parked'),
    paused
FROM switch"""


class SqliteQueue(WorkQueue):
    """A queue in a file, for any number of processes on one machine.

    Leases run by the wall clock of the machine: setting it forward by minutes lets
    them run out early, which costs work done twice and nothing else.

    Args:
        path: The file; made if it is missing.
        lease_seconds: How long a lease holds; the same for all workers of a queue.
        max_attempts: How often an item is leased before it is parked.

    Raises:
        QueueUnusable: the file is no queue, or of another version, damaged, or out of reach.
    """

    def __init__(
        self, path: Path, *, lease_seconds: float = LEASE_SECONDS, max_attempts: int = MAX_ATTEMPTS
    ) -> None:
        super().__init__(lease_seconds=lease_seconds, max_attempts=max_attempts)
        self.path = path
        self._lock = threading.Lock()
        self._encode = msgspec.json.Encoder().encode
        self._connection = connect(path)

    def enqueue(self, items: Iterable[Item], *, redo: bool = False) -> int:
        """Have items wait, behind those that wait already; a known key is left as it is."""
        added = 0
        for chunk in batched(items, CHUNK):
            bodies = [(item.key, self._encode(item)) for item in chunk]
            with self._transaction() as database:
                before = _counts(database).waiting
                place = whole(database.execute(_LAST_WAITING).fetchone()[0])
                database.executemany(
                    _ENQUEUE_AGAIN if redo else _ENQUEUE,
                    [(*body, number) for number, body in enumerate(bodies, place + 1)],
                )
                added += _counts(database).waiting - before
        return added

    def lease(self, worker: str, count: int) -> list[Leased]:
        """Take items to work on: first those whose lease ran out or was released."""
        with self._transaction() as database:
            if _counts(database).paused:
                return []
            now = time.time()
            self._park_the_deadly(database, now)
            rows = database.execute(_EXPIRED, (now, count)).fetchall()
            last_try = [row for row in rows if times_tried(row[2]) + 1 >= self.max_attempts][:1]
            rows = last_try or rows
            if not last_try and len(rows) < count:
                rows += database.execute(_FREE, (count - len(rows),)).fetchall()
            leased = []
            for number, body, attempts in rows:
                token, attempt = secrets.token_hex(8), times_tried(attempts) + 1
                expires = now + self.lease_seconds
                database.execute(_LEASE, (attempt, worker, token, expires, number))
                leased.append(Leased(decode_item(body), attempt, token))
            return leased

    def _park_the_deadly(self, database: sqlite3.Connection, now: float) -> None:
        database.execute(_IMPOSSIBLE, (now + LONGEST_LEASE,))
        given = (now, self.max_attempts)
        for key, token, worker, attempts in database.execute(_EXHAUSTED, given).fetchall():
            reason = kept_reason(DIED % (times_tried(attempts), worker))
            database.execute(_PARK, (reason, _moment(), key, token, worker))

    def renew(self, worker: str, leased: Sequence[Leased]) -> list[Leased]:
        """Let leases hold for longer; return those that are lost."""
        with self._transaction() as database:
            expires = time.time() + self.lease_seconds
            return [
                one
                for one in leased
                if not database.execute(_RENEW, (expires, *_lease(worker, one))).rowcount
            ]

    def complete(self, worker: str, leased: Sequence[Leased]) -> list[Leased]:
        """Note items as done; return the leases whose items are done by these very leases."""
        with self._transaction() as database:
            return [
                one
                for one in leased
                if database.execute(
                    _COMPLETE,
                    (*_lease(worker, one), self._encode(one.item), one.attempt),
                ).rowcount
            ]

    def fail(self, worker: str, leased: Leased, reason: str) -> bool:
        """Put an item behind the others, or park it when its attempts are exhausted."""
        if leased.attempt >= self.max_attempts:
            return self._park(worker, leased, reason)
        with self._transaction() as database:
            database.execute(_FAIL, _lease(worker, leased))
        return False

    def park(self, worker: str, leased: Leased, reason: str) -> None:
        """Park an item at once: another attempt would not help."""
        self._park(worker, leased, reason)

    def _park(self, worker: str, leased: Leased, reason: str) -> bool:
        with self._transaction() as database:
            given = (kept_reason(reason), _moment(), *_lease(worker, leased))
            return database.execute(_PARK, given).rowcount > 0

    def release(self, worker: str, leased: Sequence[Leased]) -> None:
        """Give items back untried, to where they stood; the attempt does not count."""
        with self._transaction() as database:
            database.executemany(_RELEASE, [_lease(worker, one) for one in leased])

    def abandon(self, worker: str) -> None:
        """Let all leases of a worker run out now: the worker is known to be dead."""
        with self._transaction() as database:
            database.execute(_ABANDON, (worker,))

    def withdraw(self) -> None:
        """Take back all items that wait or are leased; they count as done until redone."""
        with self._transaction() as database:
            database.execute(_WITHDRAW)
            database.execute(_RECOUNT)

    def counts(self) -> Counts:
        """Return how many items are in each state."""
        with self._reading() as database:
            return _counts(database)

    def parked(self) -> Iterator[Parked]:
        """Yield parked items, the oldest first."""
        place = 0
        while True:
            with self._reading() as database:
                rows = patiently(database, _PARKED, (place, PAGE)).fetchall()
                page = [decode_parked(*parked) for _, *parked in rows]
                place = whole(rows[-1][0]) if rows else 0
            yield from page
            if not page:
                return

    def unpark(self, keys: Collection[str] | None = None) -> int:
        """Have parked items wait again, as though never tried; return how many."""
        with self._transaction() as database:
            parked = database.execute(
                "SELECT id, key FROM items WHERE state = 'parked' ORDER BY place"
            ).fetchall()
            rows = [(number,) for number, key in parked if keys is None or key in keys]
            database.executemany(_UNPARK, rows)
            return len(rows)

    def pause(self) -> None:
        """Give no lease to any worker in any process until `resume`."""
        with self._transaction() as database:
            database.execute("UPDATE switch SET paused = 1")

    def resume(self) -> None:
        """Give leases again."""
        with self._transaction() as database:
            database.execute("UPDATE switch SET paused = 0")

    def close(self) -> None:
        """Close the file; leased items stay leased."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Let one thread at a time have the connection; an error of SQLite becomes `QueueLost`."""
        with self._lock:
            try:
                yield self._connection
            except sqlite3.Error as error:
                raise QueueLost(f"the queue {self.path} failed: {error}; {MOVE_AWAY}") from error
            except QueueLost as error:
                raise QueueLost(f"{self.path}: {error}; {MOVE_AWAY}") from None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Do a step wholly or not at all; no step of another process comes between."""
        with self._reading() as database:
            patiently(database, "BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise


def _lease(worker: str, leased: Leased) -> tuple[str, str, str]:
    return leased.item.key, leased.token, worker


def _counts(database: sqlite3.Connection) -> Counts:
    *numbers, paused = patiently(database, _COUNTS).fetchone() or [None]
    waiting, leased, done, parked = map(whole, numbers or [None] * 4)
    return Counts(waiting, leased, done, parked, bool(paused))


def _moment() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
