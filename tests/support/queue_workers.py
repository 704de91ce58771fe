"""Workers of one queue that are replaced when they die, and the items that they completed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from pipeline.ingest.queue.base import Item

WORKER = [sys.executable, "-m", "tests.support.queue_worker"]
ROOT = Path(__file__).parents[2]


def make_items(count: int, name: str = "photo") -> list[Item]:
    """Return `count` different items, whose keys sort in the order of the items."""
    return [
        Item(
            f"{name}-{number:06}", f"{name}-{number:06}.jpg", None, f"digest-{number}", ("detect",)
        )
        for number in range(count)
    ]


class Crew:
    """Four workers in separate processes.

    Args:
        where: The address of the queue, for `open_queue`.
        directory: Directory of the SQLite file and of the list of completed items.
        lease_seconds: Duration of a lease in seconds.
        mortal: Whether workers kill themselves at random.

    Attributes:
        deaths: Number of workers that died and were replaced.
    """

    def __init__(self, where: str, directory: Path, lease_seconds: float, *, mortal: bool) -> None:
        self._winners = directory / "winners"
        self._winners.touch()
        self._seed = 0
        self._mortal = mortal
        self._tail = [str(lease_seconds)]
        self._head = [where, str(directory), str(self._winners)]
        self.deaths = 0
        self.running = [self._hire() for _ in range(4)]

    def _hire(self) -> subprocess.Popen[bytes]:
        self._seed += 1
        seed = str(self._seed) if self._mortal else "0"
        return subprocess.Popen([*WORKER, *self._head, seed, *self._tail], cwd=ROOT)

    def replace(self) -> bool:
        """Replace dead workers; tell whether any worker is still running."""
        for place, process in enumerate(self.running):
            status = process.poll()
            assert status in (None, 0, -9), f"a worker failed with status {status}"
            if status == -9:
                self.deaths += 1
                self.running[place] = self._hire()
        return any(process.poll() is None for process in self.running)

    def finish(self, seconds: float) -> None:
        """Wait until the queue is drained and all workers have ended."""
        deadline = time.monotonic() + seconds
        try:
            while self.replace():
                assert time.monotonic() < deadline, "the queue was not drained in time"
                time.sleep(0.02)
        finally:
            self.dismiss()

    def dismiss(self) -> None:
        """End all workers that are still running."""
        for process in self.running:
            process.kill()
            process.wait()

    def won(self) -> Counter[str]:
        """Return how often each key was completed."""
        return Counter(self._winners.read_text().split())
