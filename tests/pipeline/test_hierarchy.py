"""The readable tree: every cluster once, who belongs together, no step that shows nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

import pytest

from pipeline.clusters.hierarchy import LARGEST_SHARE, Group, fold
from pipeline.clusters.messages import Branch

Shape = int | tuple["Shape", ...]
"""A cluster by its label, or what is in a group."""

EACH = 10


def branches(shape: Shape, each: int = EACH) -> list[Branch]:
    """Return a condensed tree, as HDBSCAN numbers it: a parent before its children."""
    made: list[Branch] = []

    def size(part: Shape) -> int:
        return each if isinstance(part, int) else sum(map(size, part))

    def add(part: Shape, parent: int | None) -> None:
        node = len(made)
        label = part if isinstance(part, int) else None
        made.append(Branch(node, parent, size(part), label))
        for child in () if isinstance(part, int) else part:
            add(child, node)

    add(shape, None)
    return made


def shape_of(groups: Sequence[Group]) -> Shape:
    return tuple(
        group.label if group.label is not None else shape_of(group.children) for group in groups
    )


def labels(groups: Sequence[Group]) -> Iterator[int]:
    for group in groups:
        if group.label is not None:
            yield group.label
        yield from labels(group.children)


def groups_in(groups: Sequence[Group]) -> Iterator[Group]:
    for group in groups:
        if group.label is None:
            yield group
            yield from groups_in(group.children)


def random_tree(random: Random, count: int) -> Shape:
    """Return a tree such as HDBSCAN's: two parts each, or one where the other was not selected."""
    names = [*range(count)]
    random.shuffle(names)

    def split(some: list[int]) -> Shape:
        if random.random() < 0.2:
            return (split(some),)
        if len(some) == 1:
            return some[0]
        at = random.choice([1, random.randrange(1, len(some))])
        return (split(some[:at]), split(some[at:]))

    return split(names)


def test_nothing_has_no_tree() -> None:
    assert fold([]) == []


def test_one_cluster_stands_alone() -> None:
    assert shape_of(fold(branches(0))) == (0,)
    assert shape_of(fold(branches(((0,),)))) == (0,)


def test_two_clusters_stand_side_by_side() -> None:
    assert shape_of(fold(branches((0, 1)))) == (0, 1)


def test_chains_of_single_children_vanish() -> None:
    tree: Shape = ((((0, ((1,),)),),), (((2,), 3),))
    assert set(labels(fold(branches(tree)))) == {0, 1, 2, 3}
    assert all(len(group.children) > 1 for group in groups_in(fold(branches(tree))))


@pytest.mark.parametrize("count", [3, 5, 30, 1000])
def test_a_peeled_caterpillar_becomes_flat(count: int) -> None:
    tree: Shape = 0
    for label in range(1, count):
        tree = (label, tree)
    top = fold(branches(tree) if count < 500 else caterpillar(count))
    assert sorted(labels(top)) == [*range(count)]
    deepest = max(map(depth, top))
    assert deepest <= 4  # a fifth, a twenty-fifth, a hundred-and-twenty-fifth
    assert count > 5 or deepest == 1


def caterpillar(count: int) -> list[Branch]:
    made = [Branch(0, None, count * EACH, None)]
    for label in range(count - 1):
        parent, size = 2 * label, (count - label - 1) * EACH
        made.append(Branch(parent + 1, parent, EACH, label))
        made.append(Branch(parent + 2, parent, size, None if label < count - 2 else count - 1))
    return made


def depth(group: Group) -> int:
    return 1 + max(map(depth, group.children), default=0)


def test_who_belongs_together_stays_together() -> None:
    tree: Shape = (((0, 1), (2, 3)), (((4, 5), (6, 7)), ((8, 9), (10, 11))))
    top = fold(branches(tree))
    pairs = {frozenset(labels([group])) for group in groups_in(top)}
    assert pairs == {frozenset({at, at + 1}) for at in range(0, 12, 2)}


def test_the_largest_stand_first() -> None:
    made = branches((0, 1, 2))
    made[2].size, made[3].size = 70, 40
    made[0].size = 120
    assert [group.size for group in fold(made)] == [70, 40, 10]


def test_photos_that_became_noise_leave_no_gap() -> None:
    """A group is counted with the noise that fell out of it; its parts need not add up."""
    made = branches(((0, 1), (2, 3)))
    made[0].size = 10_000
    top = fold(made)
    assert shape_of(top) == ((0, 1), (2, 3))


@pytest.mark.parametrize("seed", range(60))
def test_folding_any_tree_keeps_every_cluster_once(seed: int) -> None:
    random = Random(seed)
    count = random.choice([1, 2, 3, 7, 20, 120])
    made = branches(random_tree(random, count))
    total = made[0].size

    top = fold(made)

    assert sorted(labels(top)) == [*range(count)]
    below = {frozenset(labels_below(made, branch)) for branch in made}
    for group in groups_in(top):
        assert len(group.children) > 1
        assert group.size <= LARGEST_SHARE * total
        assert frozenset(labels([group])) in below  # a group of HDBSCAN's, not one of ours
        sizes = [child.size for child in group.children]
        assert sizes == sorted(sizes, reverse=True)


def labels_below(made: Sequence[Branch], branch: Branch) -> Iterator[int]:
    if branch.label is not None:
        yield branch.label
    for child in made:
        if child.parent == branch.node:
            yield from labels_below(made, child)


def test_folding_twice_is_the_same() -> None:
    made = branches(random_tree(Random(5), 80))
    assert fold(made) == fold(made)
