"""Where calls wait: for a place in flight, for the provider's leave, or for another attempt.

After a provider's 429 fewer calls are in flight, then more again by and by. Everything that
waits ends at once when the run ends: a wait is no call, and nothing is sent afterwards.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from backends.errors import UnaskedError


class Throttle:
    """A limit on calls in flight that follows additive increase, multiplicative decrease.

    Args:
        most: The limit at the start, never exceeded.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(most)
        self._in_flight = 0
        self._lowered_at = 0.0
        self._not_before = 0.0
        self._changed = asyncio.Condition()
        self._closed = asyncio.Event()
        self._closing: asyncio.Task[None] | None = None
        self._queued = 0
        self._reasons: list[str] = []

    @property
    def waiting(self) -> int:
        """Calls that wait for another attempt, or for a place."""
        return len(self._reasons) + self._queued

    @property
    def reason(self) -> str | None:
        """Why the call that failed last has to wait, None while none waits for an attempt."""
        return self._reasons[-1] if self._reasons else None

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold one of the places in flight, no sooner than the provider allows.

        Raises:
            UnaskedError: the run ends before there is a place.
        """
        await self._take_place()
        try:
            if self._closed.is_set():
                raise UnaskedError("the run ended before the photo was sent")
            yield
        finally:
            await self._give_place_back()

    async def _take_place(self) -> None:
        self._queued += 1
        try:
            async with self._changed:
                await self._changed.wait_for(self._has_place)
                self._in_flight += 1
            try:
                while (
                    not self._closed.is_set() and (wait := self._not_before - time.monotonic()) > 0
                ):
                    await self._sleep(wait)
            except BaseException:
                await self._give_place_back()
                raise
        finally:
            self._queued -= 1

    async def _give_place_back(self) -> None:
        async with self._changed:
            self._in_flight -= 1
            self._changed.notify_all()

    def _has_place(self) -> bool:
        return self._closed.is_set() or self._in_flight < int(self.limit)

    async def rest(self, seconds: float, reason: str) -> None:
        """Wait before another attempt.

        Args:
            seconds: How long to wait.
            reason: Why, for people to read.

        Raises:
            UnaskedError: the run ends meanwhile.
        """
        self._reasons.append(reason)
        try:
            await self._sleep(seconds)
        finally:
            self._reasons.remove(reason)
        if self._closed.is_set():
            raise UnaskedError(reason)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        except TimeoutError:
            pass

    def close(self) -> None:
        """Let nobody wait any longer, and nobody begin a call: the run ends."""
        self._closed.set()
        self._closing = asyncio.create_task(self._wake())

    async def _wake(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def slow_down(self, started: float, wait: float | None) -> None:
        """Halve the limit and let nobody call before `wait` seconds are over.

        Calls that were in flight together halve the limit once.

        Args:
            started: When the refused call began, on the monotonic clock.
            wait: Seconds that the provider asked for, None when it did not say.
        """
        now = time.monotonic()
        if started >= self._lowered_at:
            self.limit = max(1.0, self.limit / 2)
            self._lowered_at = now
        if wait is not None:
            self._not_before = max(self._not_before, now + wait)

    def speed_up(self) -> None:
        """Let the limit grow by one for each round of successful calls."""
        self.limit = min(float(self.most), self.limit + 1 / self.limit)
