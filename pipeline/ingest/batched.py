"""Batches of a long iterable: `itertools.batched`, which Python has from 3.12 on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batched(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield things in lists of a size; the last list may be shorter."""
    remaining = iter(things)
    while batch := list(islice(remaining, size)):
        yield batch
