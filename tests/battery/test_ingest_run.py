"""Five thousand photos through `pcc ingest run` while workers, runs and the server are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from tests.support.ingesting import SCRIPTED, Ingest, tiny_png, workers_of
from tests.support.redis_server import RedisServer
from tests.support.scripted_ocr import DEADLY

pytestmark = pytest.mark.battery

COUNT = 5_000
KILLS = 20
RUNS = 2
SECONDS = 280.0


def ingest_with_kills(ingest: Ingest, where: str, disturb: Callable[[int], None]) -> None:
    """Have two runs with two workers each at one cache, and kill now a worker, now a run."""
    ingest.draw(COUNT)
    command = ("run", "--stages", "ocr", "--workers", "2", "--queue", where)
    rng = Random(6)
    runs = [ingest.start(*command) for _ in range(RUNS)]
    deadline = time.monotonic() + SECONDS
    for kills in range(1, KILLS + 1):
        stood = ingest.count()
        while ingest.count() < min(COUNT, stood + COUNT // (2 * KILLS)):
            assert time.monotonic() < deadline, "it does not go on"
            time.sleep(rng.uniform(0.0, 0.05))
        place = rng.randrange(RUNS)
        victims = [runs[place].pid] if kills % 6 == 0 else workers_of(runs[place].pid)
        if victims:
            os.kill(rng.choice(victims), signal.SIGKILL)
        if kills % 6 == 0:
            runs[place].communicate()
            runs[place] = ingest.start(*command)
        disturb(kills)
    for running in runs:
        _, stderr = running.communicate(timeout=SECONDS)
        assert running.returncode == 0, stderr
    given_up = [one for one in ingest.outcomes() if one.status != "success"]
    assert len(given_up) < COUNT // 100, "who was in the hands of three that were killed"
    assert all("given up after 3" in (one.error or "") for one in given_up)
    subprocess.run(
        ingest.command(*command, "--retry-errors"),
        cwd=ingest.workspace,
        env=ingest.environment,
        check=True,
        capture_output=True,
        timeout=SECONDS,
    )

    done = Counter(one.identity() for one in ingest.outcomes() if one.status == "success")
    assert done == {(f"p{number:05d}.png", "ocr"): 1 for number in range(COUNT)}
    assert {text.identity() for text in ingest.texts()} == {
        (f"p{number:05d}.png", "t0") for number in range(COUNT)
    }
    counts = ingest.counts(where)
    assert (counts.waiting, counts.leased, counts.parked) == (0, 0, 0)


def test_kills_with_sqlite(tmp_path: Path) -> None:
    with Ingest(tmp_path) as ingest:
        ingest_with_kills(ingest, "sqlite", lambda kills: None)
        assert ingest.counts().done == COUNT


def test_kills_with_redis_killed_too(tmp_path: Path) -> None:
    with RedisServer() as server, Ingest(tmp_path) as ingest:

        def disturb(kills: int) -> None:
            if kills % 5 == 0:
                server.restart()

        ingest_with_kills(ingest, server.url, disturb)
        assert ingest.counts(server.url).done == COUNT


def test_many_deadly_photos_are_given_up_one_by_one(tmp_path: Path) -> None:
    """More of them than workers may die in a row with nothing done: giving up is progress."""
    with Ingest(tmp_path) as ingest:
        for number in range(12):
            tiny_png(ingest.photos / f"deadly{number:02d}.png", number, DEADLY)
        report = ingest.report("run", *SCRIPTED)

        assert report["by_status"] == {"error_model": 12}
        assert report["parked"] == 12
        assert report["remaining"] == 0
