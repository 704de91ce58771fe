"""A sum that the cost of a run must not pass."""

from __future__ import annotations

import asyncio
from math import ceil


class Budget:
    """Admits a photo only while the worst that the photo can cost still fits.

    Args:
        limit: US dollars, None for no limit.
        spent: What the run has cost so far, in earlier processes, in US dollars.
        bound: The most one attempt at a photo can cost, in US dollars.
    """

    def __init__(self, limit: float | None = None, spent: float = 0.0, bound: float = 0.0) -> None:
        self.limit = limit
        self.spent = spent
        self._bound = bound
        self._in_flight = 0
        self._repeats = 0
        self._charged = asyncio.Event()
        self._closed = False

    async def reserve(self, photos: int) -> bool:
        """Set aside the worst that these photos can cost; wait while calls in flight decide.

        Returns:
            False where the photos cannot be paid for, or the budget was closed meanwhile.
        """
        while not self._admits(photos):
            if self._closed or not self._in_flight:
                return False
            self._charged.clear()
            await self._charged.wait()
        self._in_flight += photos
        return True

    def _admits(self, photos: int) -> bool:
        if self.limit is None:
            return True
        set_aside = self._in_flight + self._repeats
        return self.spent + (set_aside + photos) * self._bound <= self.limit

    def admit_repeat(self) -> bool:
        """Set aside the worst that another attempt can cost, after one that may have been billed.

        Returns:
            False where the attempt cannot be paid for.
        """
        if not self._admits(1):
            return False
        self._repeats += 1
        return True

    def charge(self, cost: float | None, *, answered: bool) -> None:
        """Replace what was set aside for one photo by what the photo cost.

        Args:
            cost: US dollars, None where the answer does not tell its cost: such an answer
                counts as the most it can have cost.
            answered: Whether there was an answer.
        """
        self._in_flight -= 1
        self._repeats = max(0, self._repeats - self._repeats_of(cost)) if self._in_flight else 0
        self.spent += (self._bound if answered else 0.0) if cost is None else cost
        self._charged.set()

    def _repeats_of(self, cost: float | None) -> int:
        """Return how many attempts at a photo came after one that counts as the worst."""
        if not (cost and self._bound):
            return 0
        return max(0, ceil(cost / self._bound - 1e-6) - 1)

    def close(self) -> None:
        """Let nobody wait any longer: the job ends."""
        self._closed = True
        self._charged.set()
