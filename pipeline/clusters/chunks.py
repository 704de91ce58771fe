"""Cutting a cluster into chunks: events, each small enough to look at in one go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import ceil, exp, log

CHUNK_SIZE = 50

SMALLEST_GAP = 30 * 60.0
"""Seconds; a shorter pause never ends an event."""

GAP_FACTOR = 17.0
GAPS_AROUND = 10
"""A gap is large when it is 17 times the geometric mean of the ten before and the ten
after it (Platt, Czerwinski and Field 2003, PhotoTOC)."""


def cut(
    members: Sequence[int],
    moment: Callable[[int], float | None],
    name: Callable[[int], str],
    size: int = CHUNK_SIZE,
) -> list[list[int]]:
    """Return the chunks of a cluster; each photo is in exactly one.

    Args:
        members: Places of the photos of the cluster.
        moment: Returns when a photo was taken, in seconds; None if that is unknown.
        name: Returns the path of a photo, which orders photos of the same moment.
        size: Most photos in a chunk.
    """
    when = {place: moment(place) for place in members}
    timed = sorted(
        (place for place in members if when[place] is not None),
        key=lambda place: (when[place] or 0.0, name(place)),
    )
    undated = sorted((place for place in members if when[place] is None), key=name)
    events = _events(timed, [when[place] or 0.0 for place in timed])
    return [chunk for event in (*events, undated) for chunk in _parts(event, size)]


def _events(places: list[int], times: list[float]) -> list[list[int]]:
    """Cut a sequence of photos at the large gaps in time."""
    gaps = [later - earlier for earlier, later in pairwise(times)]
    logs = [log(max(gap, 1.0)) for gap in gaps]
    events, start = [], 0
    for at, gap in enumerate(gaps):
        if gap < SMALLEST_GAP:
            continue
        around = logs[max(0, at - GAPS_AROUND) : at] + logs[at + 1 : at + 1 + GAPS_AROUND]
        if not around or gap >= GAP_FACTOR * exp(sum(around) / len(around)):
            events.append(places[start : at + 1])
            start = at + 1
    return [*events, places[start:]]


def _parts(event: list[int], size: int) -> list[list[int]]:
    """Cut an event into the fewest parts that fit into `size`, all of about the same length."""
    if not event:
        return []
    parts = ceil(len(event) / size)
    bounds = [round(part * len(event) / parts) for part in range(parts + 1)]
    return [event[start:end] for start, end in pairwise(bounds)]
