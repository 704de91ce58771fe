"""The three splits of a set: train, val, test, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

SPLIT_NAMES = ("train", "val", "test")
SHARES = (0.8, 0.1, 0.1)


class Split(NamedTuple):
    """A run of indices.

    Attributes:
        number: 0 for train, 1 for val, 2 for test.
        name: The same in words.
        start: Its first index in the set.
        size: How many images it has.
    """

    number: int
    name: str
    start: int
    size: int

    @property
    def file_name(self) -> str:
        """Its file."""
        return f"{self.name}.npz"

    def spans(self, chunk: int) -> Iterator[tuple[int, int]]:
        """Yield where each chunk of at most `chunk` images begins and ends, within the split."""
        for start in range(0, self.size, chunk):
            yield start, min(start + chunk, self.size)


def splits_of(num_images: int) -> tuple[Split, Split, Split]:
    """Return the splits: floor(0.8 N), floor(0.1 N) and the rest.

    With integers: 0.8 is no binary fraction, and `int(0.8 * N)` is wrong for some large N.
    """
    train, val = num_images * 8 // 10, num_images // 10
    return (
        Split(0, "train", 0, train),
        Split(1, "val", train, val),
        Split(2, "test", train + val, num_images - train - val),
    )
