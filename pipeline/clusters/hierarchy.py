"""From HDBSCAN's condensed tree, binary and deep, to one that people can read.

The condensed tree peels one cluster off after the other, so that a library of sixty
clusters may be thirty levels deep. Folding keeps who belongs together and drops the
order of peeling: the children of a group are all that came off before the rest was
a fifth of it or less.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from pipeline.clusters.messages import Branch

LARGEST_SHARE = 0.2
"""A child with a larger share of its group is opened, if it is a group itself."""


class Group(msgspec.Struct):
    """A node of the readable tree.

    Attributes:
        label: Of a leaf, None for a group.
        children: Of a group, the largest first; never just one.
        size: Photos below when it split off.
    """

    label: int | None
    children: list[Group]
    size: int


def fold(branches: Iterable[Branch]) -> list[Group]:
    """Return the top of the readable tree, the largest first.

    Args:
        branches: The condensed tree above the selected clusters, a parent before its
            children.
    """
    below: defaultdict[int | None, list[Branch]] = defaultdict(list)
    for branch in branches:
        below[branch.parent].append(branch)
    if not below:
        return []
    (root,) = below[None]
    return [_group(root, below)] if root.label is not None else _children(root, below)


def _group(branch: Branch, below: dict[int | None, list[Branch]]) -> Group:
    while branch.label is None and len(below[branch.node]) == 1:
        (branch,) = below[branch.node]  # its sibling was not selected
    if branch.label is not None:
        return Group(branch.label, [], branch.size)
    return Group(None, _children(branch, below), branch.size)


def _children(branch: Branch, below: dict[int | None, list[Branch]]) -> list[Group]:
    """Return what a group shows: its parts, the larger of them opened."""
    parts = list(below[branch.node])
    while True:
        groups = (part for part in parts if part.label is None)
        largest = max(groups, key=lambda part: (part.size, part.node), default=None)
        if largest is None or (len(parts) > 1 and largest.size <= LARGEST_SHARE * branch.size):
            break
        parts.remove(largest)
        parts += below[largest.node]
    return sorted((_group(part, below) for part in parts), key=lambda group: -group.size)
