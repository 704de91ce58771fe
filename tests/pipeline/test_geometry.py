"""Sizes and boxes: what covers what, and which multiple is nearest."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest

from pipeline.datasets.buckets import BUCKETS
from pipeline.photos.geometry import (
    Size,
    centred_box,
    cover,
    fit_within,
    nearest_aspect,
    nearest_multiple,
)

ODD_SIZES: tuple[Size, ...] = (
    (1, 1),
    (1, 2),
    (2, 1),
    (1, 60_000),
    (60_000, 1),
    (3, 7),
    (1023, 1025),
    (1216, 832),
    (1217, 832),
    (1216, 833),
    (65_535, 65_535),
    (65_535, 1),
    (2**31 - 1, 3),
)


def sizes(seed: int, count: int) -> list[Size]:
    """Return sizes of all magnitudes, odd ones first."""
    rng = Random(seed)
    drawn = [(int(2 ** rng.uniform(0, 16)), int(2 ** rng.uniform(0, 16))) for _ in range(count)]
    return [*ODD_SIZES, *drawn]


@pytest.mark.parametrize("target", [*BUCKETS, (1, 1), (7, 3)])
def test_a_cover_has_one_side_of_the_target_and_the_other_at_least_as_long(target: Size) -> None:
    for size in sizes(1, 2000):
        width, height = cover(size, target)
        assert width == target[0] or height == target[1], size
        assert width >= target[0], size
        assert height >= target[1], size


@pytest.mark.parametrize("target", BUCKETS)
def test_only_a_picture_of_the_targets_aspect_has_both_its_sides(target: Size) -> None:
    for factor in (1, 2, 3):
        assert cover((target[0] * factor, target[1] * factor), target) == target
    for size in sizes(2, 2000):
        width, height = cover(size, target)
        scale = max(Fraction(target[0], size[0]), Fraction(target[1], size[1]))
        assert abs(width - scale * size[0]) <= Fraction(1, 2), size
        assert abs(height - scale * size[1]) <= Fraction(1, 2), size


def test_what_is_a_pixel_too_long_is_covered_exactly() -> None:
    assert cover((1217, 832), (1216, 832)) == (1217, 832)
    assert cover((1216, 833), (1216, 832)) == (1216, 833)
    assert cover((1, 1), (1216, 832)) == (1216, 1216)
    assert cover((1, 4), (704, 1344)) == (704, 2816)


@pytest.mark.parametrize("target", BUCKETS)
def test_a_crop_lies_inside_and_in_the_middle(target: Size) -> None:
    for size in sizes(3, 2000):
        covering = cover(size, target)
        left, top, right, bottom = centred_box(covering, target)
        assert (right - left, bottom - top) == target
        assert 0 <= left <= covering[0] - right <= left + 1
        assert 0 <= top <= covering[1] - bottom <= top + 1


@pytest.mark.parametrize("step", [1, 2, 14, 15, 16, 32])
def test_the_nearest_multiple_is_nearest_and_ties_go_up(step: int) -> None:
    for length in range(1, 3000):
        found = nearest_multiple(length, step)
        assert found % step == 0
        assert found >= step
        if length >= step:
            assert abs(found - length) <= step / 2
            assert found > length or 2 * (length - found) < step, "a tie went down"


@pytest.mark.parametrize(
    ("length", "step", "expected"),
    [(7, 14, 14), (6, 14, 14), (21, 14, 28), (20, 14, 14), (22, 14, 28), (24, 16, 32), (1, 16, 16)],
)
def test_ties_and_what_is_less_than_one(length: int, step: int, expected: int) -> None:
    assert nearest_multiple(length, step) == expected


def test_the_nearest_aspect_of_a_turned_picture_is_the_turned_choice() -> None:
    for size in sizes(4, 3000):
        width, height = nearest_aspect(size, BUCKETS)
        assert nearest_aspect(size[::-1], BUCKETS) == (height, width), size


def test_the_nearest_aspect_is_that_of_the_least_ratio_of_ratios() -> None:
    for size in sizes(5, 2000):

        def ratio(choice: Size, size: Size = size) -> Fraction:
            one = Fraction(size[0] * choice[1], size[1] * choice[0])
            return max(one, 1 / one)

        found = nearest_aspect(size, BUCKETS)
        assert ratio(found) == min(map(ratio, BUCKETS)), size


def test_only_what_is_too_large_is_made_to_fit() -> None:
    assert fit_within((4000, 3000), 1000) == (1000, 750)
    assert fit_within((640, 480), 1000) == (640, 480)
    assert fit_within((100_000, 1), 1000) == (1000, 1)
