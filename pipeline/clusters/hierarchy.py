"""From HDBSCAN's condensed tree, which is binary and deep, to a tree that people can read.

The condensed tree peels one cluster off after the other, so that a library of sixty
clusters may be thirty levels deep. Folding keeps related clusters together and drops the
order of peeling: the children of a group are all parts that came off before the rest was
a fifth of the group or less.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from pipeline.clusters.messages import Branch

LARGEST_SHARE = 0.2
"""A child that is a group with a larger share of its parent is replaced by its own children."""


class Group(msgspec.Struct):
    """A node of the readable tree.

    Attributes:
        label: Label of a leaf, None for a group.
        children: Children of a group, the largest first; never exactly one.
        size: Photos below the node when it split off.
    """

    label: int | None
    children: list[Group]
    size: int


def fold(branches: Iterable[Branch]) -> list[Group]:
    """Return the top nodes of the readable tree, the largest first.

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
    """Return the children of a group; large children are replaced by their own children."""
    parts = list(below[branch.node])
    while True:
        groups = (part for part in parts if part.label is None)
        largest = max(groups, key=lambda part: (part.size, part.node), default=None)
        if largest is None or (len(parts) > 1 and largest.size <= LARGEST_SHARE * branch.size):
            break
        parts.remove(largest)
        parts += below[largest.node]
    return sorted((_group(part, below) for part in parts), key=lambda group: -group.size)
