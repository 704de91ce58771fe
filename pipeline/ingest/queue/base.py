"""What a work queue promises, whichever keeps it.

An item is known by its key and is waiting, leased, done or parked. A lease holds
for `lease_seconds` and longer with `renew`. When that time is up the item may be
leased to another worker; until it is, the lease still counts: it may be renewed
or completed. Once another lease was given, or this one was ended, nothing done
with it changes the item. So an item is completed by one lease and no more.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec
from blake3 import blake3

from journal import UNREADABLE, record_key, system_path
from pipeline.ingest.errors import QueueLost
from pipeline.ingest.queue.lease_terms import LEASE_SECONDS, MAX_ATTEMPTS

CHUNK = 2_000
"""Items that are enqueued at once: other workers wait a few hundredths of a second meanwhile."""
PAGE = 500
"""Parked items that are read at once."""
LARGEST_NUMBER = 1 << 53
"""The most of anything that a queue counts; what is larger was written by something else."""
REASON_LENGTH = 500
"""Characters of a reason that are kept."""
DIED = "given up after %d attempts: the last worker, %s, died on it"
"""The reason when a worker died on the last attempt; Python and Lua fill it in alike."""


class Item(msgspec.Struct, frozen=True):
    """What is to be done with one photo.

    Attributes:
        key: Identifies the item: digest and path of the photo, and the stages.
        rel_path: Path of the photo below the photos directory, as it is shown.
        raw_path: Base64 of the bytes of the path, only where they are not UTF-8.
        digest: Content hash of the photo.
        stages: Names of the stages, in order.
    """

    key: str
    rel_path: str
    raw_path: str | None
    digest: str
    stages: tuple[str, ...]

    @property
    def item_hash(self) -> str:
        """Hash of the key, 16 hexadecimal digits: records of the answer carry it as `work`."""
        return short_hash(self.key)

    @property
    def photo_key(self) -> str:
        """The key that every journal knows the photo by."""
        return record_key(self.rel_path, self.raw_path)


class Leased(msgspec.Struct, frozen=True):
    """An item that a worker holds, for a time.

    Attributes:
        item: What to work on.
        attempt: Number of the attempt, from 1.
        token: Name of this lease; no two leases share one.
    """

    item: Item
    attempt: int
    token: str


class Parked(msgspec.Struct, frozen=True):
    """An item that is given up: it is not tried again until it is unparked.

    Attributes:
        item: What was worked on.
        attempts: How often the item was leased.
        reason: Why the item was given up, at most 500 characters.
        at: When the item was given up, UTC, RFC 3339.
    """

    item: Item
    attempts: int
    reason: str
    at: str


class Counts(msgspec.Struct, frozen=True):
    """How many items are in each state; one whose lease ran out is leased until it is taken."""

    waiting: int
    leased: int
    done: int
    parked: int
    paused: bool


class WorkQueue(ABC):
    """Hands items to workers, first in, first out.

    Every method may be called from any thread, and from several at a time.

    Args:
        lease_seconds: How long a lease holds; the same for all workers of a queue.
        max_attempts: How often an item is leased before it is parked.
    """

    def __init__(
        self, *, lease_seconds: float = LEASE_SECONDS, max_attempts: int = MAX_ATTEMPTS
    ) -> None:
        self.lease_seconds = lease_seconds
        self.max_attempts = max_attempts

    @abstractmethod
    def enqueue(self, items: Iterable[Item], *, redo: bool = False) -> int:
        """Have items wait, behind those that wait already; a known key is left as it is.

        Args:
            items: What to do; read in batches, so there may be many.
            redo: Have done items wait again.

        Returns:
            How many items are newly waiting.

        Raises:
            QueueLost: the queue failed; earlier batches are enqueued.
        """

    @abstractmethod
    def lease(self, worker: str, count: int) -> list[Leased]:
        """Take items to work on: first those whose lease ran out or was released.

        An item whose worker died on its last attempt is parked. An item that comes to
        its last attempt that way is leased alone, so that an item that kills workers
        takes no other with it; a worker should then work on this item alone, too.

        Args:
            worker: A name that says who holds the lease, to people as well.
            count: How many items to take at most, at least 1.

        Returns:
            The leases, none when the queue is paused or no item is free.

        Raises:
            QueueLost: the queue failed; items leased unseen are leased again in time.
        """

    @abstractmethod
    def renew(self, worker: str, leased: Sequence[Leased]) -> list[Leased]:
        """Let leases hold for `lease_seconds` from now; return those that are lost.

        Raises:
            QueueLost: the queue failed.
        """

    @abstractmethod
    def complete(self, worker: str, leased: Sequence[Leased]) -> list[Leased]:
        """Note items as done.

        A lease that ran out still counts, even after its item was parked, as long as no
        other lease was given. An item that the queue does not know is noted as well.

        Returns:
            The leases whose items are done by these very leases; the same when asked again.
            An item stands in the answers to one lease only, until it is redone.

        Raises:
            QueueLost: the queue failed.
        """

    @abstractmethod
    def fail(self, worker: str, leased: Leased, reason: str) -> bool:
        """Put an item behind the others, or park it when its attempts are exhausted.

        Returns:
            Whether the item was parked; False as well for a lease that is lost.

        Raises:
            QueueLost: the queue failed.
        """

    @abstractmethod
    def park(self, worker: str, leased: Leased, reason: str) -> None:
        """Park an item at once: another attempt would not help.

        Raises:
            QueueLost: the queue failed.
        """

    @abstractmethod
    def release(self, worker: str, leased: Sequence[Leased]) -> None:
        """Give items back untried, to where they stood; the attempt does not count.

        Raises:
            QueueLost: the queue failed.
        """

    @abstractmethod
    def abandon(self, worker: str) -> None:
        """Let all leases of a worker run out now: the worker is known to be dead.

        Raises:
            QueueLost: the queue failed.
        """

    @abstractmethod
    def withdraw(self) -> None:
        """Take back all items that wait or are leased; they count as done until redone.

        Raises:
            QueueLost: the queue failed.
        """

    @abstractmethod
    def counts(self) -> Counts:
        """Return how many items are in each state, in a time that does not grow with them.

        Raises:
            QueueLost: the queue failed.
        """

    @abstractmethod
    def parked(self) -> Iterator[Parked]:
        """Yield parked items, the oldest first.

        Raises:
            QueueLost: the queue failed.
        """

    @abstractmethod
    def unpark(self, keys: Collection[str] | None = None) -> int:
        """Have parked items wait again, as though never tried; return how many.

        Args:
            keys: Keys of the items, None for all.

        Raises:
            QueueLost: the queue failed.
        """

    @abstractmethod
    def pause(self) -> None:
        """Give no lease to any worker in any process until `resume`.

        Raises:
            QueueLost: the queue failed.
        """

    @abstractmethod
    def resume(self) -> None:
        """Give leases again.

        Raises:
            QueueLost: the queue failed.
        """

    @property
    def paused(self) -> bool:
        """Whether the queue is paused."""
        return self.counts().paused

    def hurry(self) -> None:
        """Wait no longer for a server that is gone: the run is to end."""

    @abstractmethod
    def close(self) -> None:
        """Close the queue; leased items stay leased."""


def short_hash(text: str) -> str:
    """Return the hash of a text, 16 hexadecimal digits."""
    return blake3(text.encode("utf-8", "surrogatepass")).hexdigest(8)


def decode_item(body: object) -> Item:
    """Return the item that a queue holds as JSON.

    Raises:
        QueueLost: it is no item.
    """
    try:
        item = msgspec.json.decode(_text(body), type=Item)
        os.fsencode(system_path(item.rel_path, item.raw_path))
    except (*UNREADABLE, ValueError):
        raise QueueLost("the queue holds an item that cannot be read") from None
    return item


def _text(value: object) -> str | bytes:
    if isinstance(value, str | bytes):
        return value
    raise ValueError(value)


def decode_parked(body: object, attempts: object, reason: object, at: object) -> Parked:
    """Return the parked item that a queue holds.

    Raises:
        QueueLost: it is no such item.
    """
    told = [kept_reason(text) if isinstance(text, str) else "" for text in (reason, at)]
    return Parked(decode_item(body), times_tried(attempts), *told)


def times_tried(attempts: object) -> int:
    """Return how often an item was tried, whatever a queue says: never less than not at all."""
    return min(attempts, LARGEST_NUMBER) if isinstance(attempts, int) and attempts > 0 else 0


def whole(value: object) -> int:
    """Return a number of a queue, such as a count of items.

    Raises:
        QueueLost: it is no number that a queue comes to.
    """
    if type(value) is int and 0 <= value <= LARGEST_NUMBER:
        return value
    raise QueueLost("the queue holds numbers that no queue comes to")


def kept_reason(reason: str) -> str:
    """Return as much of a reason as is kept, as valid Unicode."""
    return reason[:REASON_LENGTH].encode("utf-8", "replace").decode("utf-8")
