"""A worker of a queue as a separate process, which dies in the middle of its work.

`python -m tests.support.queue_worker WHERE CACHE WINNERS SEED LEASE` leases and completes items
until the queue is drained, and adds a line to WINNERS for each completed item. An item whose path
starts with `poison` kills the worker at once; with a SEED above 0 the worker also kills itself at
random.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from random import Random

from pipeline.ingest.queue.base import Leased, WorkQueue
from pipeline.ingest.queue.opening import open_queue

NAME = "battery"
MOST_AT_ONCE = 8
LONGEST_WORK = 0.03
"""Longest time on an item in seconds."""
DEATHS = 0.04
"""Chance of a death at each of two points of a round."""


def opened(where: str, cache: Path, lease_seconds: float) -> WorkQueue:
    """Return the queue that all processes of a test share."""
    queue = open_queue(where, cache, NAME)
    queue.lease_seconds = lease_seconds
    return queue


def work(queue: WorkQueue, winners: int, rng: Random, *, mortal: bool) -> None:
    """Work until no item is left, including items whose leases run out later."""
    worker = f"worker-{os.getpid()}"
    while True:
        leased = queue.lease(worker, rng.randint(1, MOST_AT_ONCE))
        # A random death never hits the same item twice, so that only poison is ever parked.
        mortal_now = mortal and all(one.attempt == 1 for one in leased)
        if poisoned(leased) or (mortal_now and rng.random() < DEATHS):
            os.kill(os.getpid(), signal.SIGKILL)
        if leased:
            time.sleep(rng.uniform(0, LONGEST_WORK))
            won = queue.complete(worker, leased)
            os.write(winners, "".join(f"{one.item.key}\n" for one in won).encode())
            if mortal_now and rng.random() < DEATHS:
                os.kill(os.getpid(), signal.SIGKILL)
            continue
        counts = queue.counts()
        if not counts.waiting + counts.leased:
            return
        time.sleep(0.02)


def poisoned(leased: list[Leased]) -> bool:
    """Tell whether one of the leased items kills its worker."""
    return any(one.item.rel_path.startswith("poison") for one in leased)


def main() -> None:
    """Work as the command line says."""
    where, cache, winners, seed, lease_seconds = sys.argv[1:]
    queue = opened(where, Path(cache), float(lease_seconds))
    descriptor = os.open(winners, os.O_WRONLY | os.O_APPEND)
    work(queue, descriptor, Random(int(seed)), mortal=seed != "0")
    queue.close()


if __name__ == "__main__":
    main()
