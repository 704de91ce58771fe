"""Queues that somebody else wrote to, and servers that are no Redis: bounded, told in a line."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.ingest.errors import QueueLost, QueueUnusable
from pipeline.ingest.queue.base import Leased, WorkQueue
from pipeline.ingest.queue.opening import open_queue
from pipeline.ingest.vision.results import LeasedPhoto
from tests.support.queue_workers import make_items
from tests.support.redis_server import RedisServer
from tests.support.strange_server import StrangeServer, drops, scripted

IMPOSSIBLE = ["-1000000", "'abc'", "x'00ff'", "1e300", str(2**62), "-9223372036854775807"]


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[WorkQueue]:
    """Return a queue in SQLite with two items."""
    opened = open_queue("sqlite", tmp_path, "n")
    opened.enqueue(make_items(2))
    yield opened
    opened.close()


def tamper(directory: Path, statement: str, *given: object) -> None:
    """Write to a queue past everything that keeps it in order."""
    database = sqlite3.connect(directory / "queue.sqlite")
    with database:
        database.execute(statement, given)
    database.close()


def tries_until_parked(queue: WorkQueue) -> int:
    """Fail every item until all are parked; return how many attempts that took."""
    for number in range(50):
        leased = queue.lease("w", 1)
        if not leased:
            assert queue.counts().parked == 2
            assert len(list(queue.parked())) == 2
            return number
        queue.fail("w", leased[0], "no luck")
    raise AssertionError("it goes on for ever")


@pytest.mark.parametrize("attempts", IMPOSSIBLE)
def test_impossible_attempts_come_to_an_end(
    queue: WorkQueue, tmp_path: Path, attempts: str
) -> None:
    tamper(tmp_path, f"UPDATE items SET attempts = {attempts}")
    assert 2 <= tries_until_parked(queue) <= 6


@pytest.mark.parametrize("expires", ["'never'", "1e300", "NULL", "x'ff'"])
@pytest.mark.parametrize("attempts", ["1", "-5", "'abc'"])
def test_a_lease_that_no_worker_was_given_runs_out(
    queue: WorkQueue, tmp_path: Path, expires: str, attempts: str
) -> None:
    queue.lease("ghost", 2)
    tamper(tmp_path, f"UPDATE items SET expires = {expires}, attempts = {attempts}")
    assert tries_until_parked(queue) <= 6


def test_counts_that_lie_are_counted_anew_by_a_run_that_is_alone(
    queue: WorkQueue, tmp_path: Path
) -> None:
    queue.park("w", queue.lease("w", 1)[0], "broken")
    tamper(tmp_path, "UPDATE counts SET number = number + 1000")
    queue.withdraw()
    counts = queue.counts()
    assert (counts.waiting, counts.leased, counts.done, counts.parked) == (0, 0, 1, 1)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE items SET body = zeroblob(100000000)",
        "UPDATE items SET body = 7",
        f"UPDATE items SET body = '{'[' * 100_000}'",
        "UPDATE counts SET number = -1",
        "UPDATE counts SET number = 1e300",
        "DELETE FROM counts",
        "DELETE FROM switch",
        "DROP TABLE items",
    ],
)
def test_what_cannot_be_read_is_told_with_a_way_out(
    queue: WorkQueue, tmp_path: Path, statement: str
) -> None:
    tamper(tmp_path, statement)
    with pytest.raises(QueueLost, match=r"queue\.sqlite.*; move it away to start a new one"):
        queue.counts() and queue.lease("w", 2)


@pytest.mark.parametrize("name", ["/etc/photo", "a/../../photo"])
def test_an_item_that_leads_outside_the_photos_is_no_photo(tmp_path: Path, name: str) -> None:
    (item,) = make_items(1, name)
    with pytest.raises(ValueError, match=r"outside|leads out"):
        LeasedPhoto.of(Leased(item, attempt=1, token=""), tmp_path)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE VIEW more AS WITH RECURSIVE n(x) AS (VALUES(1) UNION ALL SELECT x FROM n) "
        "SELECT x FROM n",
        "CREATE TRIGGER again AFTER UPDATE ON items BEGIN SELECT * FROM items, items, items; END",
        "DROP TRIGGER item_moved",
        "ALTER TABLE items ADD COLUMN mine",
    ],
)
def test_tables_that_something_else_made_are_refused(
    queue: WorkQueue, tmp_path: Path, statement: str
) -> None:
    tamper(tmp_path, statement)
    with pytest.raises(QueueUnusable, match="tables that pcc did not make; move it away"):
        open_queue("sqlite", tmp_path, "n")


def test_redis_with_values_that_nobody_wrote_as_a_queue(tmp_path: Path) -> None:
    with RedisServer() as server, server.client() as client:
        queue = open_queue(server.url, tmp_path, "n")
        queue.enqueue(make_items(2))
        keys = [item.key for item in make_items(2)]
        for state in ("w-1000000", "wnan", "winf", "w1e400", "wmuch"):
            queue.unpark()
            client.hset("pcc:ingest:n:states", mapping=dict.fromkeys(keys, state))
            assert tries_until_parked(queue) <= 6

        client.xadd("pcc:ingest:n:parked", {"key": "k"}, id="18446744073709551615-1")
        with pytest.raises(QueueLost, match="an item that cannot be read"):
            list(queue.parked())
        client.delete("pcc:ingest:n:parked")
        client.xadd("pcc:ingest:n:items", {"body": "x" * (20 << 20)})
        with pytest.raises(QueueLost, match="an answer of more than 16,777,216 bytes"):
            queue.lease("w", 1)
        queue.close()


STRANGE: dict[str, Callable[[bytes], Iterable[bytes]]] = {
    "silence": lambda asked: [],
    "drops": drops,
    "a line without end": lambda asked: itertools.repeat(b"+" * 65_536),
    "a text without end": lambda asked: itertools.chain(
        [b"$99999999999\r\n"], itertools.repeat(b"x" * 65_536)
    ),
    "a list without end": lambda asked: itertools.chain(
        [b"*99999999999\r\n"], itertools.repeat(b":1\r\n" * 10_000)
    ),
    "lists in lists": lambda asked: itertools.repeat(b"*1\r\n" * 10_000),
    "a web page": lambda asked: [b"HTTP/1.1 400 Bad Request\r\n\r\n"],
    "numbers that are none": lambda asked: [b":seven\r\n"],
    "an error as long as a book": lambda asked: [b"-" + b"ERR " * 100_000 + b"\r\n"],
}


@pytest.mark.parametrize("kind", STRANGE)
def test_what_is_no_redis_is_told_from_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr("pipeline.ingest.queue.redis_link.OPENING_SECONDS", 0.1)
    monkeypatch.setattr("pipeline.ingest.queue.redis_link.ANSWER_SECONDS", 0.3)
    monkeypatch.setattr("pipeline.ingest.queue.redis_connections.MOST_SECONDS", 0.6)
    with StrangeServer(STRANGE[kind]) as server:
        with pytest.raises(QueueUnusable, match=r"the queue at redis://127\.0\.0\.1:") as caught:
            open_queue(server.url, tmp_path, "n")
        assert server.sent < 60 << 20
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("answer", "ask", "says"),
    [
        (b":1000\r\n", lambda queue: queue.withdraw(), "comes to no end"),
        (b":1000\r\n", lambda queue: queue.abandon("w"), "comes to no end"),
        (b"*1\r\n*2\r\n$3\r\n1-1\r\n%0\r\n", lambda queue: queue.unpark({"k"}), "comes to no end"),
        (b"*1\r\n*2\r\n$3\r\n1-1\r\n%0\r\n", lambda queue: list(queue.parked()), "cannot be read"),
        (b"+yes\r\n", lambda queue: queue.counts(), "as a Redis server does"),
        (b"+yes\r\n", lambda queue: queue.lease("w", 1), "as a Redis server does"),
        (b"*5\r\n:1\r\n:-1\r\n:0\r\n:0\r\n:0\r\n", lambda queue: queue.counts(), "no queue comes"),
        (b"*1\r\n*1\r\n:1\r\n", lambda queue: list(queue.parked()), "as a Redis server does"),
    ],
)
def test_a_server_that_lies_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes, ask: Any, says: str
) -> None:
    monkeypatch.setattr("pipeline.ingest.queue.redis_queue.MOST_STEPS", 20)
    told = [b"_\r\n"]
    with StrangeServer(lambda asked: scripted(told[0])(asked)) as server:
        queue = open_queue(server.url, tmp_path, "n")
        told[0] = answer
        with pytest.raises(QueueLost, match=says):
            ask(queue)
        queue.close()
        with pytest.raises(QueueLost, match="was closed"):
            queue.counts()


def test_whoever_is_in_a_hurry_does_not_wait_for_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RedisServer() as server:
        queue = open_queue(server.url, tmp_path, "n")
        server.stop()
        monkeypatch.setattr("pipeline.ingest.queue.redis_link.PATIENCE_SECONDS", 10_000.0)
        queue.hurry()
        with pytest.raises(QueueLost, match="cannot be reached"):
            queue.counts()
        queue.close()
