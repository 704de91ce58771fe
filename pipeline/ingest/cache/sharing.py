"""Who works on a cache: runs and workers of one task share it, another task waits for its turn.

A worker must be able to do whatever the queue hands it. So all runs that work on a cache
at one time look for the same things, in the same photos, with the same models.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from journal import UNREADABLE, journal_kind, open_own, take_lock
from pipeline.ingest.errors import CacheBusy

PATIENCE_SECONDS = 5.0
"""Workers of a run that was killed take a moment to finish what is in flight."""

LOOK_SECONDS = 0.1


class Task(msgspec.Struct, frozen=True):
    """What is done with a cache.

    Attributes:
        fingerprint: Hash of everything that a worker must be able to do.
        told: The task in words.
    """

    fingerprint: str
    told: str


TASKS = journal_kind("the lock of a cache", Task)


class Share:
    """A share in a cache, held through a lock that dies with its holder.

    Args:
        cache: Directory of the cache.

    Attributes:
        alone: Whether nobody else had a share when this one was taken.
    """

    def __init__(self, cache: Path) -> None:
        self.path = cache / "share.lock"
        self.alone = False
        self._descriptor = open_own(self.path, os.O_RDWR | os.O_CREAT, TASKS)

    def take(self, task: Task) -> None:
        """Take a share for a task.

        Raises:
            CacheBusy: others have a share, for another task.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (self._begin(task) or self._join(task)):
            if time.monotonic() > deadline:
                raise CacheBusy(
                    f"another run works on {self.path.parent}: {self._told()}; the same command "
                    "helps it, another waits for its end or takes another --cache"
                )
            time.sleep(LOOK_SECONDS)

    def hold(self) -> None:
        """Take a share as a worker of a run that has one."""
        self._share(wait=True)

    def _begin(self, task: Task) -> bool:
        """Take the first share; return False where others have one."""
        if not take_lock(self._descriptor, self.path):
            return False
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, msgspec.json.encode(task), 0)
        self.alone = True
        return True

    def begun(self) -> None:
        """Let other runs of the task join."""
        self._share(wait=True)

    def _share(self, *, wait: bool = False) -> bool:
        return take_lock(self._descriptor, self.path, shared=True, wait=wait)

    def _join(self, task: Task) -> bool:
        """Take a share beside others; return False where their task differs or is not known."""
        if not self._share():
            return False
        found = self._read()
        if found is not None and found.fingerprint == task.fingerprint:
            return True
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        return False

    def _read(self) -> Task | None:
        with suppress(OSError, *UNREADABLE):
            return msgspec.json.decode(os.pread(self._descriptor, 1 << 16, 0), type=Task)
        return None

    def _told(self) -> str:
        found = self._read()
        return "with other settings" if found is None else found.told

    def release(self) -> None:
        """Give the share back, once."""
        with suppress(OSError):
            os.close(self._descriptor)
