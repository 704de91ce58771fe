"""What a work queue promises, kept by SQLite and by Redis alike."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backends.errors import SetupError
from journal import NotOurs
from pipeline.ingest.errors import QueueLost, QueueUnusable
from pipeline.ingest.queue.base import Counts, Item, Leased, WorkQueue
from pipeline.ingest.queue.opening import open_queue
from pipeline.ingest.queue.redis_queue import RedisQueue
from pipeline.ingest.queue.sqlite_queue import SqliteQueue
from tests.support.api_server import ApiServer
from tests.support.queue_workers import ROOT, Crew, make_items
from tests.support.redis_server import RedisServer, free_port

KINDS = ["sqlite", "redis"]
SOON = 0.03
"""Seconds of a lease that is to run out."""

Open = Callable[..., WorkQueue]


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def open_one(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Open one and the same queue, as often as a test likes."""
    opened: list[WorkQueue] = []

    def make(kind: str, *, lease_seconds: float = 120.0, max_attempts: int = 3) -> WorkQueue:
        queue: WorkQueue
        if kind == "sqlite":
            path = tmp_path / "queue.sqlite"
            queue = SqliteQueue(path, lease_seconds=lease_seconds, max_attempts=max_attempts)
        else:
            url = request.getfixturevalue("redis").url
            prefix = f"pcc:ingest:{tmp_path.name}:"
            queue = RedisQueue(url, prefix, lease_seconds=lease_seconds, max_attempts=max_attempts)
        opened.append(queue)
        return queue

    yield make
    for queue in opened:
        queue.close()


def keys(leased: list[Leased]) -> list[str]:
    return [one.item.key for one in leased]


def lease_again(queue: WorkQueue, worker: str, count: int = 10) -> list[Leased]:
    """Lease until something comes back."""
    deadline = time.monotonic() + 20
    while not (leased := queue.lease(worker, count)):
        assert time.monotonic() < deadline, "no lease came back"
        time.sleep(SOON / 3)
    return leased


@pytest.mark.parametrize("kind", KINDS)
def test_items_are_leased_once_in_order_and_stay_done(open_one: Open, kind: str) -> None:
    queue, other = open_one(kind), open_one(kind)
    items = [
        Item(f"k{n}", f"ü {n}.jpg", "cmF3" if n else None, "d", ("detect", "ocr")) for n in range(7)
    ]

    assert queue.enqueue(iter(items)) == 7
    assert other.enqueue(items) == 0
    first, second = queue.lease("a", 4), other.lease("b", 9)
    assert [one.item for one in first + second] == items
    assert {one.attempt for one in first + second} == {1}
    assert len({one.token for one in first + second}) == 7
    assert queue.lease("c", 9) == []
    assert queue.counts() == Counts(waiting=0, leased=7, done=0, parked=0, paused=False)

    assert queue.complete("a", first) == first
    assert queue.complete("a", first) == first, "asked again, the same answer"
    assert other.enqueue(items) == 0, "leased and done are left alone"
    assert other.enqueue(items, redo=True) == 4, "done ones wait again, leased ones do not"
    assert queue.counts() == Counts(waiting=4, leased=3, done=0, parked=0, paused=False)
    assert queue.complete("a", first) == [], "the old lease does not do what is to be redone"
    assert [one.attempt for one in queue.lease("a", 9)] == [1] * 4


@pytest.mark.parametrize("kind", KINDS)
def test_failed_items_go_behind_and_are_parked_in_the_end(open_one: Open, kind: str) -> None:
    queue = open_one(kind, max_attempts=2)
    queue.enqueue(make_items(3, "k"))
    first, second, third = queue.lease("w", 3)
    queue.release("w", [second, third])
    assert not queue.fail("w", first, "once")
    queue.enqueue(make_items(4, "k"))

    again = queue.lease("w", 9)
    assert keys(again) == ["k-000001", "k-000002", "k-000000", "k-000003"]
    assert [one.attempt for one in again] == [1, 1, 2, 1], "what was given back does not count"
    assert queue.fail("w", again[2], "\ud800" + "x" * 600)
    assert not queue.fail("w", again[2], "told twice")
    queue.park("w", again[0], "broken picture")

    parked = list(queue.parked())
    assert [(one.item.key, one.attempts) for one in parked] == [("k-000000", 2), ("k-000001", 1)]
    assert parked[0].reason == "?" + "x" * 499
    assert parked[1].reason == "broken picture"
    assert all(one.at.endswith("+00:00") and one.at.startswith("20") for one in parked)
    assert queue.enqueue(make_items(4, "k"), redo=True) == 0, "parked and leased are left alone"
    assert queue.counts() == Counts(waiting=0, leased=2, done=0, parked=2, paused=False)

    assert queue.unpark({"no such key"}) == 0
    assert queue.unpark() == 2
    assert list(queue.parked()) == []
    waiting = queue.lease("w", 9)
    assert keys(waiting) == ["k-000000", "k-000001"]
    assert [one.attempt for one in waiting] == [1, 1], "attempts are forgotten"


@pytest.mark.parametrize("kind", KINDS)
def test_a_lease_that_ran_out_counts_until_another_is_given(open_one: Open, kind: str) -> None:
    queue = open_one(kind, lease_seconds=SOON)
    queue.enqueue(make_items(2))
    old = queue.lease("slow", 2)
    new = lease_again(queue, "quick")
    while len(new) < 2:
        new += lease_again(queue, "quick")
    assert [one.attempt for one in new] == [2, 2]

    steady = open_one(kind)
    assert steady.renew("quick", new) == [], "late, but nobody else took them"
    assert steady.lease("other", 2) == []
    assert steady.renew("slow", old) == old
    assert not steady.fail("slow", old[0], "too late")
    steady.park("slow", old[0], "too late")
    steady.release("slow", old)
    assert steady.complete("slow", old) == []
    assert steady.renew("other", new) == new, "a token counts for its worker alone"
    assert steady.counts() == Counts(waiting=0, leased=2, done=0, parked=0, paused=False)
    assert steady.complete("quick", new) == new
    assert steady.complete("slow", old) == []
    steady.release("quick", new)
    assert steady.renew("quick", new) == new
    assert steady.counts() == Counts(waiting=0, leased=0, done=2, parked=0, paused=False)


@pytest.mark.parametrize("kind", KINDS)
def test_poison_is_parked_alone(open_one: Open, kind: str) -> None:
    queue = open_one(kind, lease_seconds=SOON)
    queue.enqueue(make_items(3))
    while len(batch := lease_again(queue, "doomed-2")) < 3 or batch[0].attempt < 2:
        assert batch[0].attempt <= 2
    last = lease_again(queue, "doomed-3")
    assert (keys(last), last[0].attempt) == (["photo-000000"], 3), "alone, the last time"

    for survivor in ("photo-000001", "photo-000002"):
        while keys(leased := lease_again(queue, "careful")) != [survivor]:
            assert len(leased) == 1
        assert queue.complete("careful", leased) == leased
    while not (counts := queue.counts()).parked:
        assert queue.lease("careful", 9) == []
    assert counts == Counts(waiting=0, leased=0, done=2, parked=1, paused=False)
    (parked,) = queue.parked()
    assert (parked.item.key, parked.attempts) == ("photo-000000", 3)
    assert parked.reason == "given up after 3 attempts: the last worker, doomed-3, died on it"

    assert queue.complete("doomed-3", last) == last, "it lived after all, and nobody else tried"
    assert queue.counts() == Counts(waiting=0, leased=0, done=3, parked=0, paused=False)


@pytest.mark.parametrize("kind", KINDS)
def test_pausing_reaches_other_processes_and_lasts(
    open_one: Open, kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    where = "sqlite" if kind == "sqlite" else request.getfixturevalue("redis").url
    queue = open_queue(where, tmp_path, tmp_path.name)
    queue.enqueue(make_items(4))
    held = queue.lease("w", 2)
    code = (
        "import sys, pathlib\n"
        "from pipeline.ingest.queue.opening import open_queue\n"
        "open_queue(sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]).pause()\n"
    )
    command = [sys.executable, "-c", code, where, str(tmp_path), tmp_path.name]
    subprocess.run(command, check=True, cwd=ROOT)

    assert queue.paused
    assert queue.lease("w", 2) == []
    assert queue.renew("w", held) == []
    assert queue.complete("w", held) == held, "what is in hand may be finished"
    queue.close()
    queue = open_one(kind)
    assert queue.counts() == Counts(waiting=2, leased=0, done=2, parked=0, paused=True)
    queue.resume()
    assert len(queue.lease("w", 9)) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_four_workers_that_die_do_each_item_once(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    items = make_items(300) + make_items(1, "poison")
    where = "sqlite" if kind == "sqlite" else request.getfixturevalue("redis").url
    queue = open_queue(where, tmp_path, "battery")
    queue.enqueue(items)
    crew = Crew(where, tmp_path, 0.6, mortal=True)
    crew.finish(60)

    assert crew.won() == Counter(item.key for item in items[:300])
    assert crew.deaths > 3
    assert [one.item for one in queue.parked()] == items[300:]
    assert queue.counts() == Counts(waiting=0, leased=0, done=300, parked=1, paused=False)
    queue.close()


@pytest.mark.parametrize("kind", KINDS)
def test_threads_share_a_queue(open_one: Open, kind: str) -> None:
    queue = open_one(kind)
    queue.enqueue(make_items(200))
    won: list[str] = []

    def work(worker: str) -> None:
        while leased := queue.lease(worker, 7):
            assert queue.renew(worker, leased) == []
            won.extend(keys(queue.complete(worker, leased)))

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [item.key for item in make_items(200)]


def test_the_file_is_private_and_large_queues_need_no_scan(open_one: Open, tmp_path: Path) -> None:
    queue = open_one("sqlite")
    queue.enqueue(make_items(5000))
    path = tmp_path / "queue.sqlite"
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    steps: list[str] = []
    with sqlite3.connect(path) as plain:
        assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    plain.close()
    assert isinstance(queue, SqliteQueue)
    queue._connection.set_trace_callback(steps.append)
    leased = queue.lease("w", 3)
    queue.renew("w", leased)
    queue.fail("w", leased[0], "why")
    queue.park("w", leased[1], "why")
    queue.counts()
    list(queue.parked())
    queue._connection.set_trace_callback(None)
    plans = [
        (statement, row[3])
        for statement in steps
        if "items" in statement and not statement.startswith("--")
        for row in queue._connection.execute(f"EXPLAIN QUERY PLAN {statement}")
    ]
    assert len(plans) > 8
    assert not [plan for plan in plans if plan[1].startswith("SCAN") and "USING" not in plan[1]]
    assert not [plan for plan in plans if "TEMP B-TREE FOR ORDER BY" in plan[1]]


def make_foreign(path: Path, *statements: str) -> None:
    with sqlite3.connect(path) as database:
        for statement in statements:
            database.execute(statement)
    database.close()


def test_files_that_are_no_queue_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "queue.sqlite"
    path.write_bytes(b"some text, and more of it, that SQLite never wrote\n" * 100)
    with pytest.raises(NotOurs, match="is not an SQLite database"):
        open_queue("sqlite", tmp_path, "n")
    assert path.read_bytes().startswith(b"some text"), "left as it was"

    path.unlink()
    make_foreign(path, "CREATE TABLE items (key)")
    with pytest.raises(QueueUnusable, match="a database of something else"):
        open_queue("sqlite", tmp_path, "n")
    path.unlink()

    open_queue("sqlite", tmp_path, "n").close()
    make_foreign(path, "PRAGMA user_version = 7")
    with pytest.raises(QueueUnusable, match="version 7, and this pcc knows version 1"):
        open_queue("sqlite", tmp_path, "n")
    path.unlink()

    path.mkdir()
    with pytest.raises(NotOurs, match=r"queue\.sqlite is a directory"):
        open_queue("sqlite", tmp_path, "n")


@pytest.mark.parametrize("where", ["", "postgres://u:secret@host", "redis:/secret", "SQLITE"])
def test_other_queues_are_refused_and_not_repeated(where: str, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="either sqlite, or an address") as caught:
        open_queue(where, tmp_path, "n")
    assert "secret" not in str(caught.value)


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "redis"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(SetupError, match=r" install .*\[redis\]'"):
        open_queue("redis://127.0.0.1:1", tmp_path, "n")


def test_servers_that_are_no_use_are_refused_without_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: ApiServer
) -> None:
    monkeypatch.setattr("pipeline.ingest.queue.redis_link.OPENING_SECONDS", 0.1)
    monkeypatch.setattr("pipeline.ingest.queue.redis_link.ANSWER_SECONDS", 0.5)

    def refused(where: str, says: str) -> None:
        with pytest.raises(QueueUnusable, match=says) as caught:
            open_queue(where, tmp_path, "n")
        assert "hunter" not in f"{caught.value!r} {caught.value.__cause__!r}"

    with RedisServer("hunter2secret") as locked:
        port = locked.port
        refused(f"redis://:hunter3@127.0.0.1:{port}", rf"redis://127.0.0.1:{port} refuses us")
        refused(f"redis://127.0.0.1:{port}", "refuses us")
        with locked.client() as client:
            client.set("pcc:ingest:n:items", "something")
        refused(locked.url, "the key pcc:ingest:n:items of .* holds something else")
        with locked.client() as client:
            client.delete("pcc:ingest:n:items")
        queue = open_queue(locked.url, tmp_path, "n")
        assert queue.enqueue(make_items(1)) == 1
        assert "hunter" not in repr(vars(queue))
        with locked.client() as client:
            client.set("pcc:ingest:n:states", "something")
        with pytest.raises(QueueLost, match="does not do its part: WRONGTYPE") as caught:
            queue.lease("w", 1)
        assert "hunter" not in repr(caught.value)
        queue.close()

    refused(f"redis://:hunter2@127.0.0.1:{free_port()}", "cannot be reached")
    refused("unix://:hunter2@/nowhere/redis.sock", "/nowhere/redis.sock cannot be reached")
    refused("redis://:hunter/2@127.0.0.1:6379", "percent|%40, %2F")
    refused("redis://:hunter#2@127.0.0.1:6379", "%40, %2F")
    refused("redis://:hunter2@127.0.0.1:many", "%40, %2F")
    refused(
        f"redis://:hunter2@127.0.0.1:{server.port}", "cannot be reached|does not answer as a Redis"
    )


@pytest.mark.parametrize("lasting", [True, False])
def test_a_restart_in_the_middle_is_ridden_out(tmp_path: Path, lasting: bool) -> None:
    with RedisServer(lasting=lasting) as server:
        queue = open_queue(server.url, tmp_path, "n")
        items = make_items(6)
        queue.enqueue(items)
        held = queue.lease("w", 4)
        server.kill()
        back = threading.Timer(0.3, server.start)
        back.start()
        assert queue.complete("w", held[:2]) == held[:2], "known or not, they are done"
        back.join()

        assert queue.renew("w", held[2:]) == ([] if lasting else held[2:])
        assert not queue.fail("w", held[2], "unlucky")
        assert keys(queue.lease("w", 9)) == (
            [items[4].key, items[5].key, items[2].key] if lasting else []
        )
        assert queue.enqueue(items) == (0 if lasting else 4), "what was done is not done again"
        with server.client() as client:
            client.script_flush()
            if not lasting:
                client.xgroup_destroy("pcc:ingest:n:items", "workers")
        leased = queue.lease("v", 9)
        assert len(leased) == (0 if lasting else 4)
        assert queue.counts().leased == 4
        queue.close()


def test_a_server_that_stays_away_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RedisServer("hunter2secret") as server:
        queue = open_queue(server.url, tmp_path, "n")
        monkeypatch.setattr("pipeline.ingest.queue.redis_link.PATIENCE_SECONDS", 0.1)
        server.stop()
        with pytest.raises(QueueLost, match="cannot be reached") as caught:
            queue.counts()
        assert "hunter" not in str(caught.value)
        queue.close()
