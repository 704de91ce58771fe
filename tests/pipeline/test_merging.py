"""Merging: overlapping proposals become one thing with several labels."""

from __future__ import annotations

from itertools import combinations
from random import Random

import pytest

from backends.detectors.base import Box, Label, Proposal
from pipeline.ingest.vision.merging import Region, merge, overlap


def dog(x: float, score: float, label: str = "dog") -> Proposal:
    """Return a proposal of 100 by 100 pixels that begins at x."""
    return Proposal((x, 0, x + 100, 100), label, score)


def cat(x: float, score: float) -> Proposal:
    return dog(x, score, "cat")


def region(x: float, **labels: float) -> Region:
    found = tuple(Label(name, score) for name, score in labels.items())
    return Region((x, 0, x + 100, 100), found)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((0, 0, 4, 4), (0, 0, 4, 4), 1),
        ((0, 0, 4, 4), (0, 0, 4, 2), 0.5),
        ((0, 0, 4, 4), (1, 1, 3, 3), 0.25),  # nested
        ((0, 0, 4, 4), (2, 2, 6, 6), 4 / 28),
        ((0, 0, 4, 4), (4, 0, 8, 4), 0),  # they touch
        ((0, 0, 4, 4), (5, 5, 6, 6), 0),  # on neither axis
        ((0, 0, 4, 4), (9, 0, 12, 4), 0),
    ],
)
def test_overlap_is_intersection_over_union(one: Box, other: Box, expected: float) -> None:
    assert overlap(one, other) == overlap(other, one) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("proposals", "expected"),
    [
        pytest.param([], [], id="none"),
        pytest.param([dog(0, 0.5)], [region(0, dog=0.5)], id="one"),
        pytest.param([dog(0, 0.5), dog(0, 0.9)], [region(0, dog=0.9)], id="identical"),
        pytest.param([dog(0, 0.5), cat(0, 0.9)], [region(0, cat=0.9, dog=0.5)], id="two labels"),
        # Shifted by 25, boxes of a hundred overlap by 0.6: the same label, else another thing.
        pytest.param([dog(0, 0.9), dog(25, 0.5)], [region(0, dog=0.9)], id="near, one label"),
        pytest.param(
            [dog(0, 0.9), cat(25, 0.5)],
            [region(0, dog=0.9), region(25, cat=0.5)],
            id="near, two labels",
        ),
        pytest.param(
            [dog(0, 0.9), dog(100, 0.5)],
            [region(0, dog=0.9), region(100, dog=0.5)],
            id="touching",
        ),
        pytest.param(
            [Proposal((0, 0, 100, 100), "dog", 0.9), Proposal((30, 30, 70, 70), "dog", 0.8)],
            [
                Region((0, 0, 100, 100), (Label("dog", 0.9),)),
                Region((30, 30, 70, 70), (Label("dog", 0.8),)),
            ],
            id="nested",
        ),
        # A overlaps B and B overlaps C, but A does not overlap C.
        pytest.param(
            [dog(0, 0.9), dog(30, 0.8), dog(60, 0.7)],
            [region(0, dog=0.9), region(60, dog=0.7)],
            id="a chain of one label",
        ),
        pytest.param(
            [cat(15, 0.8), dog(0, 0.9), Proposal((30, 0, 130, 100), "fox", 0.7)],
            [region(0, dog=0.9, cat=0.8), region(30, fox=0.7)],
            id="a chain of labels",
        ),
        pytest.param(
            [dog(0, 0.9), dog(60, 0.8), cat(10, 0.7), cat(55, 0.6)],
            [region(0, dog=0.9, cat=0.7), region(60, dog=0.8, cat=0.6)],
            id="each to its own",
        ),
        pytest.param(
            [dog(0, 0.9), dog(34, 0.8), cat(17.5, 0.7)],
            [region(0, dog=0.9), region(34, dog=0.8, cat=0.7)],
            id="near two, to the nearer",
        ),
    ],
)
def test_proposals_of_one_thing_become_one(
    proposals: list[Proposal], expected: list[Region]
) -> None:
    assert merge(proposals) == expected


def test_a_label_stands_once_in_a_thing() -> None:
    """Both cats overlap the dog by more than 0.7, yet one another by less than 0.8."""
    tall = Proposal((0, 0, 100, 140), "cat", 0.6)
    wide = Proposal((0, 0, 142, 100), "cat", 0.5)
    thing = dog(0, 0.9)
    assert min(overlap(thing.box, tall.box), overlap(thing.box, wide.box)) > 0.7
    assert overlap(tall.box, wide.box) < 0.8

    [found] = merge([thing, wide, tall], same_label_iou=0.8)

    assert found == region(0, dog=0.9, cat=0.6)


def random_proposals(seed: int, count: int) -> list[Proposal]:
    rng = Random(seed)
    made = []
    for _ in range(count):
        x, y = rng.randrange(120), rng.randrange(120)
        box = (x, y, x + rng.randrange(20, 90), y + rng.randrange(20, 90))
        made.append(Proposal(box, rng.choice("abc"), rng.randrange(1, 20) / 20))  # many ties
    return made


@pytest.mark.parametrize("seed", range(5))
def test_what_is_left_keeps_its_distance_in_any_order(seed: int) -> None:
    proposals = random_proposals(seed, 60)
    merged = merge(proposals, same_label_iou=0.4, any_label_iou=0.6)

    for one, other in combinations(merged, 2):
        same = one.labels[0].label == other.labels[0].label
        assert overlap(one.box, other.box) <= (0.4 if same else 0.6)
    for thing in merged:
        scores = [label.score for label in thing.labels]
        assert scores == sorted(scores, reverse=True)
        assert len({label.label for label in thing.labels}) == len(scores)
        assert Proposal(thing.box, thing.labels[0].label, scores[0]) in proposals
    best = [thing.labels[0].score for thing in merged]
    assert best == sorted(best, reverse=True)
    for again in range(5):
        shuffled = Random(again).sample(proposals, len(proposals))
        assert merge(shuffled, same_label_iou=0.4, any_label_iou=0.6) == merged
        assert merge(shuffled, same_label_iou=0.4, any_label_iou=0.6, limit=3) == merged[:3]
