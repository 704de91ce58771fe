"""Finding clusters: exact neighbours, and sensible answers however small the library."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from pipeline.clusters.fitting import fit
from pipeline.clusters.messages import Branch
from pipeline.clusters.neighbours import nearest
from tests.support.fits import assert_whole, blobs, labels_of, request, unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backends.embedders.base import Vectors

# Neighbours


def by_sorting(vectors: Vectors, k: int) -> tuple[NDArray[np.int64], Vectors]:
    cosines = vectors @ vectors.T
    order = np.lexsort((np.broadcast_to(np.arange(len(vectors)), cosines.shape), -cosines))
    distances: Vectors = 1 - np.take_along_axis(cosines, order[:, :k], 1)
    return order[:, :k].astype(np.int64), distances


@pytest.mark.parametrize("count", [1, 2, 15, 16, 31, 32, 33, 64, 513, 1025])
@pytest.mark.parametrize("wanted", [1, 2, 15, 40, 100])
def test_neighbours_are_those_of_a_full_sort(count: int, wanted: int) -> None:
    vectors = unit(count)
    k = min(wanted, count)

    places, distances = nearest(vectors, k)

    _, expected = by_sorting(vectors, k)
    assert places.shape == distances.shape == (count, k)
    assert all(len({*row}) == k for row in places.tolist())  # nobody twice
    np.testing.assert_allclose(distances, expected, atol=1e-5)
    own = 1 - (vectors[:, None] * vectors[places]).sum(-1)
    np.testing.assert_allclose(distances, own, atol=1e-5)  # and of the place that is named


@pytest.mark.parametrize(("count", "k"), [(15, 15), (33, 7), (200, 15), (513, 30)])
def test_equal_neighbours_come_in_the_order_of_the_library(count: int, k: int) -> None:
    vectors = np.zeros((count, 4), np.float32)  # products of these are exact
    vectors[np.arange(count), np.random.default_rng(3).integers(4, size=count)] = 1

    places, distances = nearest(vectors, k)

    expected_places, expected = by_sorting(vectors, k)
    np.testing.assert_array_equal(distances, expected)
    near = distances == 0
    np.testing.assert_array_equal(places[near], expected_places[near])


def test_neighbours_tell_how_far_they_are() -> None:
    told: list[float] = []
    nearest(unit(1100), 5, told.append)
    assert told == sorted(told)
    assert told[-1] == 1
    assert len(told) == 3


# Small libraries


@pytest.mark.parametrize("count", [1, 2, 5])
def test_too_few_photos_to_cluster_are_one_cluster(count: int) -> None:
    fitted = fit(request(unit(count)), lambda what, share: None)
    assert_whole(fitted, count)
    assert labels_of(fitted) == [0] * count
    assert fitted.tree == [Branch(0, None, count, 0)]


@pytest.mark.parametrize("count", [10, 60])
def test_photos_of_no_two_subjects_still_have_an_answer(count: int) -> None:
    assert_whole(fit(request(unit(count)), lambda what, share: None), count)


@pytest.mark.parametrize("copies", [2, 10, 30, 500])
def test_one_caption_for_all_is_one_cluster(copies: int) -> None:
    fitted = fit(request(unit(1), [0] * copies), lambda what, share: None)
    assert_whole(fitted, copies)
    assert labels_of(fitted) == [0] * copies


def test_many_copies_of_one_caption_stand_together_beside_others() -> None:
    vectors = np.concatenate([blobs(3, 8), unit(1, 24, seed=9)])
    places = [*range(24), *[24] * 200]

    fitted = fit(request(vectors, places, smallest=4), lambda what, share: None)

    assert_whole(fitted, 224)
    labels = labels_of(fitted)
    of_copies = {*labels[24:]} - {-1}
    assert of_copies
    assert of_copies.isdisjoint(labels[:24])
    assert labels[24:].count(-1) < 40


def test_photos_of_few_subjects_are_told_apart() -> None:
    fitted = fit(request(blobs(4, 12)), lambda what, share: None)
    assert_whole(fitted, 48)
    labels = labels_of(fitted)
    found = [{*labels[at : at + 12]} for at in range(0, 48, 12)]
    assert all(len(labels_of_blob) == 1 for labels_of_blob in found)
    assert len({*labels}) == 4


def test_the_tree_leads_from_one_root_to_every_cluster() -> None:
    tree = fit(request(blobs(6, 8)), lambda what, share: None).tree
    seen: set[int] = set()
    for branch in tree:  # a parent before its children
        assert branch.parent is None or branch.parent in seen
        seen.add(branch.node)
    assert sum(branch.parent is None for branch in tree) == 1
    parents = {branch.parent for branch in tree}
    assert all((branch.label is None) == (branch.node in parents) for branch in tree)


def test_the_same_request_has_the_same_answer_to_the_bit() -> None:
    vectors = np.concatenate([blobs(4, 10), unit(20, 24)])
    places = [*range(60), 3, 3, 3, 59]
    first, second = (fit(request(vectors, places), lambda what, share: None) for _ in "ab")
    assert first == second


@pytest.mark.parametrize("directions", [1, 2])
def test_captions_that_differ_and_mean_the_same_have_an_answer(directions: int) -> None:
    vectors = np.repeat(unit(directions), 12 // directions, 0)  # such as those of unknown words
    fitted = fit(request(vectors), lambda what, share: None)
    assert_whole(fitted, 12)
    assert len({*labels_of(fitted)}) == directions
