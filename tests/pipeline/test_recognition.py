"""A cluster is known by its photos: the same id for the same, an heir for what is gone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from backends.embedders.base import unit_rows
from pipeline.clusters.hierarchy import Group
from pipeline.clusters.naming import FitResult, measure_leaves, name_clusters
from pipeline.clusters.recognition import SKETCH, Sketch, match_groups, new_id, recognise
from pipeline.clusters.tree_file import Clustering
from tests.support.placed import clustering_of


def photos(first: int, end: int) -> list[str]:
    return [f"{number:04d}.jpg" for number in range(first, end)]


# Ids


def test_the_same_photos_have_the_same_id() -> None:
    assert new_id(photos(0, 9), ()) == new_id(photos(0, 9)[::-1], ())
    assert new_id(photos(0, 9), ()) != new_id(photos(0, 8), ())
    assert new_id(["\udcff"], ())


def test_an_id_is_given_once() -> None:
    taken: set[str] = set()
    for _ in range(20):
        taken.add(new_id(photos(0, 9), taken))
    assert len(taken) == 20


def test_no_spreadsheet_takes_an_id_for_a_number() -> None:
    ids = [new_id([str(number)], ()) for number in range(2000)]
    assert all(re.fullmatch(r"c[0-9a-f]{7}", made) for made in ids)


# From one clustering to the next


def test_a_cluster_with_the_same_photos_is_the_same() -> None:
    old = {"a": photos(0, 50), "b": photos(50, 60)}
    seen = recognise([photos(50, 60), photos(0, 50)], old, {})
    assert seen.ids == ["b", "a"]
    assert seen.successors == {}


@pytest.mark.parametrize("size", [3, 10, 100, 1000])
def test_a_cluster_that_grew_or_shrank_by_two_fifths_is_the_same(size: int) -> None:
    more = size + max(1, int(size * 0.4))
    assert recognise([photos(0, more)], {"a": photos(0, size)}, {}).ids == ["a"]
    assert recognise([photos(0, size)], {"a": photos(0, more)}, {}).ids == ["a"]


def test_a_cluster_that_fell_in_two_lives_on_in_the_larger() -> None:
    seen = recognise([photos(60, 100), photos(0, 60)], {"a": photos(0, 100)}, {})
    assert seen.ids == [None, "a"]
    assert seen.successors == {}


def test_of_clusters_that_became_one_the_largest_lives_on() -> None:
    old = {"a": photos(0, 30), "b": photos(30, 100), "c": photos(100, 120)}
    seen = recognise([photos(0, 120)], old, {})
    assert seen.ids == ["b"]
    assert seen.successors == {"a": 0, "c": 0}


def test_a_cluster_that_was_scattered_is_gone_and_has_no_heir() -> None:
    new = [[*photos(100 * n, 100 * n + 100), *photos(1000 + n, 1001 + n)] for n in range(8)]
    seen = recognise(new, {"a": photos(1000, 1008)}, {})
    assert seen.ids == [None] * 8
    assert seen.successors == {}


def test_a_cluster_that_became_noise_is_gone() -> None:
    assert recognise([photos(0, 9)], {"a": photos(20, 90)}, {}).ids == [None]
    assert recognise([], {"a": photos(0, 9)}, {}).ids == []


@pytest.mark.parametrize("size", [5, SKETCH, SKETCH + 1, 900])
def test_sketches_do_where_the_old_clusters_are_gone(size: int) -> None:
    old = {"a": photos(0, size), "b": photos(5000, 5000 + size)}
    sketches = {id_: Sketch.of(keys) for id_, keys in old.items()}
    grown = [photos(5000, 5000 + size + size // 4), photos(0, size)]

    assert recognise(grown, {}, sketches).ids == ["b", "a"]
    assert all(len(sketch.photos) <= SKETCH for sketch in sketches.values())
    assert sketches["a"] == Sketch.of(old["a"][::-1])


def test_a_name_goes_back_to_the_photos_that_were_named() -> None:
    """A clustering in between had put the named cluster together with two others."""
    named, others = photos(50, 80), [photos(0, 30), photos(100, 130)]
    between = {"a": [*named, *others[0], *others[1]]}
    for new in ([named, *others], [*others, named]):
        ids = recognise(new, between, {"a": Sketch.of(named)}).ids
        assert ids == ["a" if keys == named else None for keys in new]


def test_an_empty_sketch_tells_nothing() -> None:
    assert recognise([photos(0, 30)], {}, {"a": Sketch(0, [])}).ids == [None]
    assert recognise([photos(0, 30)], {"a": photos(0, 30)}, {"a": Sketch(0, [])}).ids == ["a"]


def test_a_sketch_of_a_group_is_no_sketch_of_a_cluster() -> None:
    sketches = {"g": Sketch.of(photos(0, 30), group=True)}
    assert recognise([photos(0, 30)], {}, sketches).ids == [None]


def test_a_group_is_known_by_what_is_in_it() -> None:
    sizes = {"a": 10, "b": 10, "c": 100, "d": 10}
    old = {"g": ["a", "b"], "h": ["a", "b", "c"]}
    assert match_groups([["a", "b", "c", "d"], ["b", "a"]], old, sizes) == ["h", "g"]
    assert match_groups([["d"]], old, sizes) == [None]
    assert match_groups([], old, sizes) == []


# A whole clustering


def named(
    previous: Clustering | None,
    leaves: Sequence[Sequence[str]],
    top: Sequence[Group] = (),
    sketches: Mapping[str, Sketch] | None = None,
) -> tuple[list[str], dict[str, str], list[str]]:
    """Return the ids of leaves, the successors, and the ids of groups."""
    keys = [key for leaf in leaves for key in leaf]
    labels = np.repeat(np.arange(len(leaves)), [len(leaf) for leaf in leaves]).astype(np.int32)
    vectors = unit_rows(np.eye(len(leaves), dtype=np.float32)[labels] + 0.01)
    groups = list(top) or [Group(label, [], len(leaf)) for label, leaf in enumerate(leaves)]
    found = FitResult(keys, ["a dog"] * len(keys), vectors, np.arange(len(keys)), labels, groups)
    made = name_clusters(found, measure_leaves(found), previous, dict(sketches or {}))
    assert len({node.id for node in made.nodes}) == len(made.nodes)
    assert {node.exemplar for node in made.nodes} <= {*keys}
    return made.leaf_ids, made.successors, [node.id for node in made.nodes if not node.leaf]


def test_ids_of_a_first_clustering_follow_from_its_photos() -> None:
    leaves = [photos(0, 5), photos(5, 12)]
    assert named(None, leaves) == named(None, leaves)


def test_photos_that_are_gone_say_nothing_about_where_a_cluster_went() -> None:
    before = clustering_of({"aaaaaaaa": photos(0, 100), "bbbbbbbb": photos(100, 120)})
    ids, _, _ = named(before, [photos(90, 100), photos(100, 120)])
    assert ids == ["aaaaaaaa", "bbbbbbbb"]


def test_heirs_of_heirs_are_clusters_of_today() -> None:
    before = clustering_of(
        {"b": photos(0, 40), "c": photos(40, 200)}, successors={"a": "b", "z": "c"}
    )
    ids, successors, _ = named(before, [photos(0, 200)])
    assert ids == ["c"]
    assert successors == {"a": "c", "b": "c", "z": "c"}


def test_groups_keep_their_id_with_most_of_what_is_in_them() -> None:
    leaves = {"a": photos(0, 10), "b": photos(10, 20), "c": photos(20, 30), "d": photos(30, 50)}
    before = clustering_of(leaves, {"g": ["a", "b", "c"]})
    parts = [Group(label, [], 10) for label in range(3)]
    new = [photos(0, 10), photos(10, 20), photos(30, 50)]

    ids, successors, groups = named(before, new, [Group(None, parts[:2], 20), parts[2]])

    assert ids == ["a", "b", "d"]
    assert groups == ["g"]
    assert successors == {}


def test_a_group_that_people_named_is_known_again_after_a_clustering_without_groups() -> None:
    leaves = [photos(0, 10), photos(10, 20), photos(30, 50)]
    parts = [Group(label, [], 10) for label in range(3)]
    flat = clustering_of({"x": photos(0, 20), "y": photos(30, 50)})
    sketches = {"named": Sketch.of(photos(0, 20), group=True)}

    _, _, groups = named(flat, leaves, [Group(None, parts[:2], 20), parts[2]], sketches)

    assert groups == ["named"]


def test_a_sketch_brings_an_id_back_after_the_clusters_were_lost() -> None:
    sketches = {"named": Sketch.of(photos(0, 300))}
    assert named(None, [photos(0, 310), photos(400, 420)], sketches=sketches)[0][0] == "named"
