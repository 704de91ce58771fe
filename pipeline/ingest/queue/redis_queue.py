"""The queue in Redis: for workers of several machines."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import cast

import msgspec

from pipeline.ingest.batched import batched
from pipeline.ingest.queue import redis_scripts as scripts
from pipeline.ingest.queue.base import (
    CHUNK,
    DIED,
    LEASE_SECONDS,
    MAX_ATTEMPTS,
    PAGE,
    Counts,
    Item,
    Leased,
    Parked,
    WorkQueue,
    decode_item,
    kept_reason,
)
from pipeline.ingest.queue.redis_link import RedisLink

AT_ONCE = "0"
"""Most attempts of an item that is parked at once, whatever its attempts."""


class RedisQueue(WorkQueue):
    """A queue on a Redis server from 6.2, for any number of machines.

    Leases run by the clock of the server. A restart of the server is waited out. A server
    that comes back with nothing goes on as an empty queue, not paused. The server must
    evict nothing (`maxmemory-policy noeviction`).

    Args:
        url: `redis://`, `rediss://` or `unix://`; it may hold a password.
        prefix: Prefix of the names of all keys.
        lease_seconds: How long a lease holds; the same for all workers of a queue.
        max_attempts: How often an item is leased before it is parked.

    Raises:
        QueueUnusable: nobody answers at the address, or it is no Redis, or it refuses us.
        SetupError: the extra is missing.
    """

    def __init__(
        self,
        url: str,
        prefix: str,
        *,
        lease_seconds: float = LEASE_SECONDS,
        max_attempts: int = MAX_ATTEMPTS,
    ) -> None:
        super().__init__(lease_seconds=lease_seconds, max_attempts=max_attempts)
        self._parked = f"{prefix}parked"
        self._paused = f"{prefix}paused"
        keys = (f"{prefix}items", f"{prefix}states", self._parked, self._paused)
        self._encode = msgspec.json.Encoder().encode
        self._link = RedisLink(url, keys, scripts.OPEN)

    def enqueue(self, items: Iterable[Item], *, redo: bool = False) -> int:
        """Have items wait, behind those that wait already; a known key is left as it is.

        If the connection broke meanwhile, items that the server had already taken do not count.
        """
        added = 0
        for chunk in batched(items, CHUNK):
            told: list[str | bytes] = []
            for item in chunk:
                told += item.key, self._encode(item)
            added += cast(int, self._link.run(scripts.ENQUEUE, "redo" if redo else "", *told))
        return added

    def lease(self, worker: str, count: int) -> list[Leased]:
        """Take items to work on: first those whose lease ran out or was released."""
        milliseconds = max(1, round(self.lease_seconds * 1000))
        nonce = secrets.token_hex(8)
        found = self._link.run(
            scripts.LEASE, worker, count, milliseconds, self.max_attempts, nonce, DIED
        )
        return [Leased(decode_item(body), attempt, token) for body, attempt, token in found]

    def renew(self, worker: str, leased: Sequence[Leased]) -> list[Leased]:
        """Let leases hold for longer; return those that are lost."""
        lost = set(self._link.run(scripts.RENEW, worker, *_told(leased)))
        return [one for one in leased if one.token in lost]

    def complete(self, worker: str, leased: Sequence[Leased]) -> list[Leased]:
        """Note items as done; return the leases whose items are done by these very leases."""
        won = set(self._link.run(scripts.COMPLETE, worker, *_told(leased)))
        return [one for one in leased if one.token in won]

    def fail(self, worker: str, leased: Leased, reason: str) -> bool:
        """Put an item behind the others, or park it when its attempts are exhausted."""
        return self._end(worker, leased, str(self.max_attempts), reason)

    def park(self, worker: str, leased: Leased, reason: str) -> None:
        """Park an item at once: another attempt would not help."""
        self._end(worker, leased, AT_ONCE, reason)

    def _end(self, worker: str, leased: Leased, most: str, reason: str) -> bool:
        told = [*_told([leased]), most, kept_reason(reason)]
        return bool(self._link.run(scripts.FAIL, worker, *told))

    def release(self, worker: str, leased: Sequence[Leased]) -> None:
        """Give items back untried, to where they stood; the attempt does not count."""
        self._link.run(scripts.RELEASE, worker, *_told(leased))

    def abandon(self, worker: str) -> None:
        """Let all leases of a worker run out now: the worker is known to be dead."""
        while self._link.run(scripts.ABANDON, worker):
            pass

    def withdraw(self) -> None:
        """Take back all items that wait or are leased; they count as done until redone."""
        while self._link.run(scripts.WITHDRAW):
            pass

    def counts(self) -> Counts:
        """Return how many items are in each state."""
        waiting, leased, done, parked, paused = self._link.run(scripts.COUNTS)
        return Counts(waiting, leased, done, parked, bool(paused))

    def parked(self) -> Iterator[Parked]:
        """Yield parked items, the oldest first."""
        after = "-"
        while True:
            page = self._page(after)
            for place, entry in page:
                seconds = int(place.partition("-")[0]) / 1000  # an id starts with the time
                yield Parked(
                    decode_item(entry["body"]),
                    int(entry["attempts"]),
                    entry["reason"],
                    datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds"),
                )
            if not page:
                return
            after = f"({page[-1][0]}"

    def _page(self, after: str) -> list[tuple[str, dict[str, str]]]:
        page = self._link.ask(lambda client: client.xrange(self._parked, after, "+", PAGE))
        return cast("list[tuple[str, dict[str, str]]]", page)

    def unpark(self, keys: Collection[str] | None = None) -> int:
        """Have parked items wait again, as though never tried; return how many."""
        after, count = "-", 0
        while page := self._page(after):
            ids = [place for place, entry in page if keys is None or entry["key"] in keys]
            count += cast(int, self._link.run(scripts.UNPARK, *ids)) if ids else 0
            after = f"({page[-1][0]}"
        return count

    def pause(self) -> None:
        """Give no lease to any worker in any process until `resume`."""
        self._link.ask(lambda client: client.set(self._paused, 1))

    def resume(self) -> None:
        """Give leases again."""
        self._link.ask(lambda client: client.delete(self._paused))

    def close(self) -> None:
        """Hang up; leased items stay leased."""
        self._link.close()


def _told(leased: Sequence[Leased]) -> list[str]:
    return [part for one in leased for part in (one.item.key, one.token)]
