"""Last-wins index of a journal: key to status and byte offset, never the records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, MutableMapping
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Generic, TypeVar

from journal.reader import Follower, Malformed, collector_off
from journal.records import Keyed, RecordHead, record_key

H = TypeVar("H", bound=Keyed)
G = TypeVar("G", bound=Hashable)

_GROUP_BITS = 20
_GROUP_MASK = (1 << _GROUP_BITS) - 1


class _Numbers(dict[G, int]):
    """Gives each new group the next number."""

    def __init__(self) -> None:
        self.groups: list[G] = []

    def __missing__(self, group: G) -> int:
        number = self[group] = min(len(self.groups), _GROUP_MASK)
        if number == len(self.groups):
            self.groups.append(group)
        return number


class Index(Generic[G]):
    """Knows of each key where its last record stands and to which group it belongs.

    A group is what the caller wants to tell records apart by: the status, or
    status, backend and model together. There are few groups, so a key costs
    one integer. Measured for 1,000,000 records in `benchmarks/`.

    Args:
        follower: Reads the journal.
        group_of: Returns the group of a record.
        entries: What holds the keys, None for a dict.
    """

    def __init__(
        self,
        follower: Follower[H],
        group_of: Callable[[H], G],
        entries: MutableMapping[str, int] | None = None,
    ) -> None:
        self._follower = follower
        self._group_of: Callable[[H], G] = group_of
        self._entries: MutableMapping[str, int] = {} if entries is None else entries
        self._numbers: _Numbers[G] = _Numbers()
        self._records: Iterator[tuple[int, H]] | None = None

    @property
    def malformed(self) -> Malformed:
        """The lines that were passed over."""
        return self._follower.malformed

    def refresh(self, most: int | None = None) -> bool:
        """Read what the journal has gained since the last call; a replaced file is read anew.

        Args:
            most: Records to read before returning, None for all there are.

        Returns:
            True when everything has been read; if not, the next call goes on.
        """
        entries, numbers, group_of = self._entries, self._numbers, self._group_of
        records = self._records or self._follower.poll(self._entries.clear)
        self._records = None  # an error on the way ends this reading
        with collector_off():
            for offset, head in islice(records, most):
                key = head.rel_path
                if head.raw_path is not None or not key.isascii():
                    key = record_key(key, head.raw_path)
                entries[key] = offset << _GROUP_BITS | numbers[group_of(head)]
        finished = most is None or self._follower.at_end
        self._records = None if finished else records
        return finished

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

    def stands_at(self, key: str, offset: int) -> bool:
        """Tell whether a key's last record stands at a byte offset."""
        packed = self._entries.get(key)
        return packed is not None and packed >> _GROUP_BITS == offset

    def offsets(self) -> set[int]:
        """Return the byte offset of the last record of every key."""
        return {packed >> _GROUP_BITS for packed in self._entries.values()}

    def totals(self) -> dict[G, int]:
        """Return how many keys are in each group."""
        counts = Counter(packed & _GROUP_MASK for packed in self._entries.values())
        return {self._numbers.groups[number]: count for number, count in counts.items()}

    def keys_in(self, wanted: Callable[[G], bool]) -> Iterator[str]:
        """Yield the keys of all groups that are wanted, in order of their first record."""
        numbers = {number for number, group in enumerate(self._numbers.groups) if wanted(group)}
        return (key for key, packed in self._entries.items() if packed & _GROUP_MASK in numbers)


def load_index(path: Path) -> Index[str]:
    """Return the index of a journal by status; an absent file gives an empty one."""
    index: Index[str] = Index(Follower(path, RecordHead), attrgetter("status"))
    index.refresh()
    return index
