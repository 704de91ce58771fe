"""What a photo costs, counted attempt by attempt; decision record 24 says why so."""

from __future__ import annotations


class Bill:
    """What the attempts to caption one photo cost, or may have cost.

    Args:
        most: The most that one attempt can cost in US dollars, None where no price is known.

    Attributes:
        usd: The sum in US dollars, None where no attempt has a price.
    """

    def __init__(self, most: float | None) -> None:
        self._most = most
        self.usd: float | None = None

    def add(self, cost: float | None) -> None:
        """Count an attempt; one whose cost is not told counts as the most it can be."""
        counted = self._most if cost is None else cost
        if counted is not None:
            self.usd = (self.usd or 0.0) + counted
