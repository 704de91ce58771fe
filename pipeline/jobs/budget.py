"""A sum that the cost of a run must not pass."""

from __future__ import annotations


class Budget:
    """Admits a photo only while the worst it can cost still fits.

    Args:
        limit: US dollars, None for no limit.
        spent: What the run has cost so far, in earlier processes.
        bound: The most one photo can cost.
    """

    def __init__(self, limit: float | None, spent: float, bound: float) -> None:
        self.limit = limit
        self.spent = spent
        self._bound = bound
        self._in_flight = 0

    @property
    def in_flight(self) -> int:
        """Photos admitted and not yet settled."""
        return self._in_flight

    def admits(self, photos: int) -> bool:
        """Tell whether so many photos more can be paid for, whatever those in flight cost."""
        if self.limit is None:
            return True
        return self.spent + (self._in_flight + photos) * self._bound <= self.limit

    def take(self, photos: int) -> None:
        """Set aside the worst that these photos can cost."""
        self._in_flight += photos

    def settle(self, cost: float | None, *, answered: bool) -> None:
        """Replace what was set aside for one photo by what it cost.

        An answer that does not tell its cost counts as the most it can have cost.
        """
        self._in_flight -= 1
        self.spent += (self._bound if answered else 0.0) if cost is None else cost
