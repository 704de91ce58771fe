"""Thousands of items through a work queue while workers and the server are killed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from pipeline.ingest.queue.base import Counts
from pipeline.ingest.queue.opening import open_queue
from tests.support.queue_worker import MOST_AT_ONCE, NAME
from tests.support.queue_workers import Crew, make_items
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.battery

COUNT = 5_000
KILLS = 25


def drain(where: str, directory: Path, disturb: Callable[[int], None]) -> None:
    """Have a crew drain a queue while its workers are killed at any instant."""
    items = make_items(COUNT)
    queue = open_queue(where, directory, NAME)
    assert queue.enqueue(items) == COUNT
    rng = Random(5)
    crew = Crew(where, directory, 2.0, mortal=False)
    kills = 0
    try:
        while kills < KILLS and crew.replace():
            time.sleep(rng.uniform(0.0, 0.2))
            victim = rng.choice(crew.running)
            if victim.poll() is None:
                victim.kill()
                kills += 1
                disturb(kills)
    finally:
        crew.finish(120)

    won = crew.won()
    assert kills == KILLS, "drained before the last kill"
    assert max(won.values()) == 1
    assert won.keys() <= {item.key for item in items}
    assert len(won) >= COUNT - KILLS * MOST_AT_ONCE, "only what a victim had no time to write down"
    assert queue.counts() == Counts(waiting=0, leased=0, done=COUNT, parked=0, paused=False)
    queue.close()


def test_thousands_of_items_and_kills_with_sqlite(tmp_path: Path) -> None:
    drain("sqlite", tmp_path, lambda kills: None)


def test_thousands_of_items_and_kills_with_redis_killed_too(tmp_path: Path) -> None:
    with RedisServer() as server:

        def disturb(kills: int) -> None:
            if kills % 5 == 0:
                server.restart()

        drain(server.url, tmp_path, disturb)


def test_thousands_of_items_and_deaths_of_their_own(tmp_path: Path) -> None:
    items = make_items(COUNT)
    poison = make_items(5, "poison")
    queue = open_queue("sqlite", tmp_path, NAME)
    queue.enqueue([*items[:2000], *poison, *items[2000:]])
    crew = Crew("sqlite", tmp_path, 1.0, mortal=True)
    crew.finish(280)

    assert crew.won() == {item.key: 1 for item in items}
    assert sorted(one.item.key for one in queue.parked()) == [item.key for item in poison]
    queue.close()
