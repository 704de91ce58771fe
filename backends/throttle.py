"""How many calls are in flight: fewer after a provider's 429, then more again by and by."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


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

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold one of the places in flight, no sooner than the provider allows."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._in_flight < int(self.limit))
            self._in_flight += 1
        try:
            while (wait := self._not_before - time.monotonic()) > 0:  # noqa: ASYNC110
                await asyncio.sleep(wait)
            yield
        finally:
            async with self._changed:
                self._in_flight -= 1
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
