"""Last-wins index of a journal: key to status and byte offset, never the records."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import Generic, TypeVar

from journal.reader import Follower, Malformed, collector_off
from journal.records import Head, Keyed, record_key

H = TypeVar("H", bound=Keyed)
G = TypeVar("G", bound=Hashable)

_GROUP_BITS = 20
_GROUP_MASK = (1 << _GROUP_BITS) - 1


class _Numbers(dict[G, int]):
    """Gives each new group the next number."""

    def __init__(self) -> None:
        self.groups: list[G] = []

    def __missing__(self, group: G) -> int:
        number = self[group] = len(self.groups)
        self.groups.append(group)
        return number


class Index(Generic[G]):
    """Knows of each key where its last record stands and to which group it belongs.

    A group is what the caller wants to tell records apart by: the status, or
    status, backend and model together. There are few of them, so a key costs
    one integer. Measured for 1,000,000 records in `benchmarks/`.
    """

    def __init__(self, follower: Follower[H], group_of: Callable[[H], G]) -> None:
        self._follower = follower
        self._group_of: Callable[[H], G] = group_of
        self._entries: dict[str, int] = {}
        self._numbers: _Numbers[G] = _Numbers()
        self._generation = follower.generation

    @property
    def malformed(self) -> Malformed:
        """What was passed over while reading."""
        return self._follower.malformed

    def refresh(self) -> None:
        """Take in what the journal gained since; a replaced file is read anew."""
        entries, numbers, group_of = self._entries, self._numbers, self._group_of
        with collector_off():
            for offset, head in self._follower.poll():
                if self._follower.generation != self._generation:
                    self._generation = self._follower.generation
                    entries.clear()
                key = head.rel_path
                if head.raw_path is not None or not key.isascii():
                    key = record_key(key, head.raw_path)
                entries[key] = offset << _GROUP_BITS | numbers[group_of(head)]

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def group(self, key: str) -> G | None:
        """Return the group of a key's last record, None for an unknown key."""
        packed = self._entries.get(key)
        return None if packed is None else self._numbers.groups[packed & _GROUP_MASK]

    def offset(self, key: str) -> int:
        """Return the byte offset of a key's last record.

        Raises:
            KeyError: the journal holds no record of that key.
        """
        return self._entries[key] >> _GROUP_BITS

    def offsets(self) -> set[int]:
        """Return the byte offset of the last record of every key."""
        return {packed >> _GROUP_BITS for packed in self._entries.values()}


def load_index(path: Path) -> Index[str]:
    """Return the index of a journal by status; an absent file gives an empty one."""
    index: Index[str] = Index(Follower(path, Head), attrgetter("status"))
    index.refresh()
    return index
