"""`pcc ingest` with a queue that somebody else wrote to, and paths that lead astray."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import time
from typing import Any

import pytest

from pipeline.ingest.queue.sqlite_queue import SqliteQueue
from tests.support.ingesting import SCRIPTED, Ingest, tree, wait_until
from tests.support.strange_server import StrangeServer, drops


def test_signals_are_heard_while_another_program_holds_the_queue(ingest: Ingest) -> None:
    ingest.draw(1)
    ingest("run", *SCRIPTED)
    database = sqlite3.connect(ingest.cache / "queue.sqlite", isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    try:
        pausing = ingest.start("pause")
        with pytest.raises(subprocess.TimeoutExpired):
            pausing.communicate(timeout=3)
        pausing.send_signal(signal.SIGTERM)
        pausing.communicate(timeout=20)
        assert pausing.returncode == 143
    finally:
        database.close()


def test_a_run_ends_when_its_queue_gives_nothing_away(
    ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.ingest.ingestion.STUCK_SECONDS", 1.0)
    ingest.draw(2)
    ingest("run", *SCRIPTED)
    ingest.draw(1, first=2)

    def haunted(queue: Any) -> None:
        withdraw(queue)
        soon = time.time() + 3000  # as though a worker of another run had it
        with queue._transaction() as database:
            database.execute("UPDATE items SET state = 'leased', expires = ?", [soon])

    withdraw = SqliteQueue.withdraw
    monkeypatch.setattr(SqliteQueue, "withdraw", haunted)
    done = ingest("run", *SCRIPTED, code=1)
    assert "says that 2 items are to be done, and gives none" in done.stderr


def test_a_run_on_a_server_that_says_nothing_hears_signals(ingest: Ingest) -> None:
    ingest.draw(1)
    with StrangeServer(drops) as server:
        running = ingest.start("run", *SCRIPTED, "--queue", server.url)
        wait_until(lambda: server.sent, "it asks")
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=60)
        assert running.returncode == 143


def test_nothing_is_written_among_the_photos_or_where_something_else_lives(ingest: Ingest) -> None:
    ingest.draw(2)
    before = tree(ingest.photos)
    inside = ingest.photos / "cache"
    done = ingest("run", *SCRIPTED, "--cache", inside, code=64)
    assert f"{inside}" in done.stderr
    assert "inside the photos directory" in done.stderr

    for name in ("queue.sqlite", "outcomes.jsonl", "share.lock", "ingest.log", "manifest.json"):
        link = ingest.workspace / f"linked-{name}"
        link.mkdir()
        (link / name).symlink_to(ingest.photos / "p00000.png")
        done = ingest("run", *SCRIPTED, "--cache", link, code=64)
        assert f"{link / name} " in done.stderr

    ingest("run", *SCRIPTED)
    for target in (ingest.photos / "p00001.png", ingest.cache / "outcomes.jsonl"):
        kept = target.read_bytes()
        done = ingest("import", ingest.cache, "--db", target, code=64)
        assert f"{target}" in done.stderr
        assert target.read_bytes() == kept
    done = ingest("import", ingest.cache, "--db", ingest.photos / "new.db", code=64)
    assert "inside the photos directory" in done.stderr
    assert tree(ingest.photos) == before
