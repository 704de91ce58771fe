"""Which picture stands at which index, and what it looks like.

Random numbers come from Philox, a generator that counts: draw number i of a stream can be had
without the ones before it. So a picture depends on seed, index and label alone, and any
chunk of a set can be drawn anywhere, in any order. Nothing here rounds a float.

Draw i of stream 0 makes picture i. Its four fields of 16 bits choose, from the top down:
a group of forms, a form of it, the background and the foreground. Draws of streams 1, 2 and 3
order the labels of train, val and test: the rank of each among its ten is a label.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline.synth.primitives import CLASSES, FULL, GRID, PRIMITIVES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.synth.train_val_test import Split

CONTRAST = 64
"""Shades by which foreground and background differ at least."""

PICTURES = 0
"""Number of the stream of the pictures; the streams of the labels follow."""

DRAWS_TOGETHER = 4
"""64-bit draws that Philox makes for one step of its counter."""

AT_ONCE = 1024
"""Pictures shaded together: so few that their data stay in the processor's cache."""


class FormTable(NamedTuple):
    """Every form of every primitive, and where the forms of a group stand.

    Attributes:
        weights: uint8 (forms, GRID * GRID), from 0, background, to 255, foreground.
        first_group: int64 (classes,), the first group of each class.
        groups: int64 (classes,), the number of groups of each class.
        first_form: int64 (all groups,), the first form of each group.
        forms: int64 (all groups,), the number of forms of each group.
    """

    weights: NDArray[np.uint8]
    first_group: NDArray[np.int64]
    groups: NDArray[np.int64]
    first_form: NDArray[np.int64]
    forms: NDArray[np.int64]

    def forms_of(self, label: int) -> int:
        """Return how many forms a class has."""
        first = self.first_group[label]
        return int(self.forms[first : first + self.groups[label]].sum())


@cache
def form_table() -> FormTable:
    """Return the table; it is made once, in about 0.1 s."""
    by_class = [list(primitive.groups()) for primitive in PRIMITIVES]
    groups = np.array([len(found) for found in by_class], np.int64)
    sets = [forms for found in by_class for forms in found]
    forms = np.array([len(found) for found in sets], np.int64)
    weights = np.concatenate(sets).reshape(-1, GRID * GRID)
    return FormTable(weights, _starts(groups), groups, _starts(forms), forms)


def _starts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.cumsum(counts) - counts


def draws(seed: int, stream: int, start: int, count: int) -> NDArray[np.uint64]:
    """Return draws `start` to `start + count` of a stream.

    Args:
        seed: 0 to 2**64 - 1.
        stream: Number of the stream of that seed.
        start: Number of the first draw.
        count: Number of draws.

    Returns:
        uint64 (count,).
    """
    generator = np.random.Philox(key=np.array([seed, stream], np.uint64))
    step, ahead = divmod(start, DRAWS_TOGETHER)
    generator.advance(step)
    found: NDArray[np.uint64] = generator.random_raw(ahead + count)[ahead:]
    return found


def labels_of(seed: int, split: Split, start: int, stop: int) -> NDArray[np.uint8]:
    """Return the labels of images `start` to `stop`, counted from the start of their split.

    Each ten images in a row hold every class once, so that no split has two more of one
    class than of another.

    Returns:
        uint8 (stop - start,).
    """
    first = start // CLASSES
    blocks = -(-stop // CLASSES) - first
    shuffled = draws(seed, split.number + 1, first * CLASSES, blocks * CLASSES)
    order = shuffled.reshape(-1, CLASSES).argsort(axis=1, kind="stable")
    begin = start - first * CLASSES
    return order.astype(np.uint8).reshape(-1)[begin : begin + stop - start]


def images_of(seed: int, split: Split, start: int, stop: int) -> NDArray[np.uint8]:
    """Return images `start` to `stop`, counted from the start of their split.

    Returns:
        uint8 (stop - start, GRID, GRID).
    """
    labels = labels_of(seed, split, start, stop)
    drawn = draws(seed, PICTURES, split.start + start, stop - start)
    images = np.empty((stop - start, GRID * GRID), np.uint8)
    for begin in range(0, len(images), AT_ONCE):
        part = slice(begin, begin + AT_ONCE)
        _shade(images[part], labels[part], drawn[part])
    return images.reshape(-1, GRID, GRID)


def _shade(images: NDArray[np.uint8], labels: NDArray[np.uint8], drawn: NDArray[np.uint64]) -> None:
    table = form_table()
    fields = [
        ((drawn >> np.uint64(shift)) & np.uint64(0xFFFF)).astype(np.int64)
        for shift in (48, 32, 16, 0)
    ]
    group = table.first_group[labels] + _choice(fields[0], table.groups[labels])
    form = table.first_form[group] + _choice(fields[1], table.forms[group])
    background, foreground = shades_of(fields[2], fields[3])
    front = table.weights[form].astype(np.uint16)
    back = FULL - front
    front *= foreground.astype(np.uint16)[:, None]
    back *= background.astype(np.uint16)[:, None]
    front += back
    front += FULL // 2  # at most 255 * 255 + 127, which 16 bits hold
    front //= FULL
    images[:] = front


def shades_of(
    first: NDArray[np.int64], second: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return background and foreground (0-255), at least CONTRAST apart, for 16-bit choices."""
    background = first >> 8
    darker = np.maximum(background - CONTRAST + 1, 0)
    lighter = np.maximum(FULL - CONTRAST + 1 - background, 0)
    chosen = _choice(second, darker + lighter)
    foreground = np.where(chosen < darker, chosen, background + CONTRAST + chosen - darker)
    return background, foreground


def _choice(field: NDArray[np.int64], count: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return numbers from 0 to `count` - 1, equally likely to within 0.4 %."""
    return field * count >> 16
