"""How a set is split into train, val and test: the share of each, and which indices it gets.

The shares stand here alone: sizes of files, metadata and validation all follow from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

SPLIT_NAMES = ("train", "val", "test")

TRAIN_TENTHS, VAL_TENTHS = 8, 1
"""Tenths of the images of a set that go to train and to val; test gets the rest."""


class Split(NamedTuple):
    """A run of indices.

    Attributes:
        number: 0 for train, 1 for val, 2 for test.
        name: Name of the split.
        start: First index of the split in the set.
        size: Number of images.
    """

    number: int
    name: str
    start: int
    size: int

    @property
    def file_name(self) -> str:
        """Name of the file that holds the split."""
        return f"{self.name}.npz"

    def spans(self, chunk: int) -> Iterator[tuple[int, int]]:
        """Yield where each chunk of at most `chunk` images begins and ends, within the split."""
        for start in range(0, self.size, chunk):
            yield start, min(start + chunk, self.size)


def splits_of(num_images: int) -> tuple[Split, Split, Split]:
    """Return the splits, one behind the other: train and val rounded down, test the rest.

    The sizes are computed with integers: 0.8 is no binary fraction, and `int(0.8 * N)` is wrong
    for some large N.
    """
    train, val = num_images * TRAIN_TENTHS // 10, num_images * VAL_TENTHS // 10
    return (
        Split(0, "train", 0, train),
        Split(1, "val", train, val),
        Split(2, "test", train + val, num_images - train - val),
    )


def shares() -> dict[str, float]:
    """Return the share of each split by name, as metadata tells it."""
    tenths = (TRAIN_TENTHS, VAL_TENTHS, 10 - TRAIN_TENTHS - VAL_TENTHS)
    return {name: count / 10 for name, count in zip(SPLIT_NAMES, tenths, strict=True)}
