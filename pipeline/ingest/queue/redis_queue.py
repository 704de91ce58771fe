"""The queue in Redis: for workers of several machines."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from pipeline.ingest.batched import batched
from pipeline.ingest.errors import QueueLost
from pipeline.ingest.queue import redis_scripts as scripts
from pipeline.ingest.queue.base import (
    CHUNK,
    DIED,
    PAGE,
    Counts,
    Item,
    Leased,
    Parked,
    WorkQueue,
    decode_item,
    decode_parked,
    kept_reason,
    whole,
)
from pipeline.ingest.queue.lease_terms import LEASE_SECONDS, MAX_ATTEMPTS
from pipeline.ingest.queue.redis_link import RedisLink

MOST_STEPS = 20_000
"""How often a step over 1,000 items, or a page of them, is repeated at most."""

LATEST = 250_000_000_000.0
"""Seconds; a time before the year 10,000, after which there are no dates."""

Entry = tuple[str, dict[str, str]]
"""Id and fields of an entry of a stream."""

T = TypeVar("T")

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
            answer = self._link.run(scripts.ENQUEUE, "redo" if redo else "", *told)
            added += whole(answer)
        return added

    def lease(self, worker: str, count: int) -> list[Leased]:
        """Take items to work on: first those whose lease ran out or was released."""
        milliseconds = max(1, round(self.lease_seconds * 1000))
        nonce = secrets.token_hex(8)
        found = self._link.run(
            scripts.LEASE, worker, count, milliseconds, self.max_attempts, nonce, DIED
        )
        leased = self._converted(found, list[tuple[str, int, str]])
        return [Leased(decode_item(body), whole(attempt), token) for body, attempt, token in leased]

    def renew(self, worker: str, leased: Sequence[Leased]) -> list[Leased]:
        """Let leases hold for longer; return those that are lost."""
        lost = self._tokens(scripts.RENEW, worker, leased)
        return [one for one in leased if one.token in lost]

    def complete(self, worker: str, leased: Sequence[Leased]) -> list[Leased]:
        """Note items as done; return the leases whose items are done by these very leases."""
        won = self._tokens(scripts.COMPLETE, worker, leased)
        return [one for one in leased if one.token in won]

    def _tokens(self, script: str, worker: str, leased: Sequence[Leased]) -> set[str]:
        """Run a script that returns the tokens of some of the leases."""
        return self._converted(self._link.run(script, worker, *_told(leased)), set[str])

    def _converted(self, answer: object, kind: type[T]) -> T:
        """Return an answer of a script as what the script returns.

        Raises:
            QueueLost: it is no such answer.
        """
        try:
            return msgspec.convert(answer, kind)
        except msgspec.ValidationError as error:
            raise self._link.strange(error) from None

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
        self._repeat(scripts.ABANDON, worker)

    def withdraw(self) -> None:
        """Take back all items that wait or are leased; they count as done until redone."""
        self._repeat(scripts.WITHDRAW)

    def _repeat(self, script: str, *arguments: str) -> None:
        """Run a script until it finds nothing more to do."""
        for _ in range(MOST_STEPS):
            if not whole(self._link.run(script, *arguments)):
                return
        raise QueueLost(f"the queue at {self._link.name} comes to no end")

    def counts(self) -> Counts:
        """Return how many items are in each state."""
        numbers = self._converted(self._link.run(scripts.COUNTS), tuple[int, int, int, int, int])
        waiting, leased, done, parked, paused = map(whole, numbers)
        return Counts(waiting, leased, done, parked, bool(paused))

    def parked(self) -> Iterator[Parked]:
        """Yield parked items, the oldest first."""
        for page in self._pages():
            for place, entry in page:
                seconds = min(_place(place)[0] / 1000, LATEST)  # an id starts with the time
                at = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
                attempts = entry.get("attempts", "")
                tried = int(attempts) if attempts.isdecimal() and len(attempts) < 10 else 0
                yield decode_parked(entry.get("body"), tried, entry.get("reason"), at)

    def _pages(self) -> Iterator[list[Entry]]:
        """Yield the entries of the parked items, some at a time.

        Raises:
            QueueLost: the queue failed, or what it holds comes to no end.
        """
        after, last = "-", (-1, -1)
        for _ in range(MOST_STEPS):
            page = self._page(after)
            if not page:
                return
            after, place = f"({page[-1][0]}", _place(page[-1][0])
            if place <= last:
                break
            yield page
            last = place
        raise QueueLost(f"the queue at {self._link.name} comes to no end")

    def _page(self, after: str) -> list[Entry]:
        found = self._link.ask(lambda client: client.xrange(self._parked, after, "+", PAGE))
        return self._converted(found, list[Entry])

    def unpark(self, keys: Collection[str] | None = None) -> int:
        """Have parked items wait again, as though never tried; return how many."""
        count = 0
        for page in self._pages():
            ids = [place for place, entry in page if keys is None or entry.get("key") in keys]
            count += whole(self._link.run(scripts.UNPARK, *ids)) if ids else 0
        return count

    def hurry(self) -> None:
        """Wait no longer for a server that is gone: the run is to end."""
        self._link.hurry()

    def pause(self) -> None:
        """Give no lease to any worker in any process until `resume`."""
        self._link.ask(lambda client: client.set(self._paused, 1))

    def resume(self) -> None:
        """Give leases again."""
        self._link.ask(lambda client: client.delete(self._paused))

    def close(self) -> None:
        """Hang up; leased items stay leased."""
        self._link.close()


def _place(entry_id: str) -> tuple[int, int]:
    """Return the time in milliseconds and the number that the id of an entry stands for.

    Raises:
        QueueLost: it is no such id.
    """
    first, _, second = entry_id.partition("-")
    if not (first.isdecimal() and second.isdecimal() and len(entry_id) < 50):
        raise QueueLost("the queue holds an item whose place cannot be read")
    return int(first), int(second)


def _told(leased: Sequence[Leased]) -> list[str]:
    return [part for one in leased for part in (one.item.key, one.token)]
