"""Changes by hand beside locks, taken back, and at random: nothing is lost, nobody twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from pipeline.clusters import label_changes
from pipeline.clusters.errors import WrongLabelChange
from pipeline.clusters.label_journal import LabelJournal, label_journal_path
from pipeline.clusters.tree_file import Clustering
from pipeline.clusters.view import NO_CAPTION, SPECIAL, ClusterView
from tests.support.placed import (
    GROUPS,
    Desk,
    clustering_of,
    desk,
    library_of,
    library_photo,
    titles_of,
)

# Locks


def test_a_locked_cluster_keeps_its_photos_and_takes_no_other() -> None:
    made = desk()
    made.lock("aa")
    made.again(clustering_of({"aa": ["a1", "b1", "n1"], "bb": ["b2", "a2"], "cc": ["c1"]}, GROUPS))
    assert titles_of(made.view)["AA"] == ["a1", "a2", "a3"]
    assert titles_of(made.view)["AA (new)"] == ["b1", "n1"]
    assert made.view.clusters["aa"].locked
    assert not made.view.clusters["aa+"].locked
    assert made.view.path("aa+") == ["GG", "AA (new)"]

    made.unlock("aa")
    assert titles_of(made.view)["AA"] == ["a1", "b1", "n1"]
    assert titles_of(made.view)["BB"] == ["a2", "b2"]


def test_a_locked_cluster_that_is_gone_keeps_its_photos_and_its_name() -> None:
    made = desk()
    made.rename("aa", "Dogs")
    made.lock("aa")
    made.again(clustering_of({"bb": ["a1", "a2", "a3", "b1", "b2"]}, successors={"aa": "bb"}))
    assert titles_of(made.view)["Dogs"] == ["a1", "a2", "a3"]
    assert made.view.arrangement.lost == []


def grown() -> Desk:
    """A locked cluster, with newcomers beside it."""
    made = desk()
    made.lock("bb")
    found = {"aa": ["a1", "a2"], "bb": ["b1", "a3", "n1"], "cc": ["c1", "c2", "c3", "c4"]}
    made.again(clustering_of(found))
    assert titles_of(made.view)["BB (new)"] == ["a3", "n1"]
    return made


def test_newcomers_may_be_named() -> None:
    made = grown()
    made.rename("bb+", "Newcomers")
    assert titles_of(made.view)["Newcomers"] == ["a3", "n1"]
    assert made.view.clusters["bb+"].named
    assert made.view.arrangement.lost == []


@pytest.mark.parametrize("order", [1, -1])
def test_newcomers_may_be_added_to(order: int) -> None:
    made = grown()
    made.view.photos.sort(key=lambda photo: photo.key, reverse=order < 0)
    made.again(made.clustering)
    made.move("bb+", "a1")
    made.merge("bb+", "cc")
    assert titles_of(made.view)["BB (new)"] == ["a1", "a3", "c1", "c2", "c3", "c4", "n1"]


def test_newcomers_may_be_merged_split_and_locked() -> None:
    made = grown()
    made.merge("cc", "bb+")
    assert titles_of(made.view)["CC"] == ["a3", "c1", "c2", "c3", "c4", "n1"]
    made.undo()
    made.split("One", "n1")
    made.lock("bb+")
    made.again(clustering_of({"bb": ["b1", "a3", "n1", "a1"], "cc": ["c1"]}))
    titles = titles_of(made.view)
    assert titles["BB"] == ["b1", "b2"]
    assert titles["BB (new)"] == ["a3"]
    assert titles["One"] == ["n1"]
    assert "a1" in titles["BB (new) (new)"]


def test_newcomers_merged_into_what_is_locked_later_stay_beside() -> None:
    made = grown()
    made.merge("cc", "bb+")
    made.lock("cc")
    made.again(clustering_of({"bb": ["b1", "a3", "a1"], "cc": ["c1", "a2"]}))
    titles = titles_of(made.view)
    assert titles["CC"] == ["a3", "c1", "c2", "c3", "c4", "n1"]
    assert titles["BB"] == ["b1", "b2"]
    assert titles["BB (new)"] == ["a1"]
    assert titles["CC (new)"] == ["a2"]


# Journal


def test_changes_are_taken_back_one_after_the_other(workspace: Path) -> None:
    changes = LabelJournal(label_journal_path(workspace))
    view = desk().view
    renamed = label_changes.rename(view, view.clusters["aa"], "Dogs")
    changes.write([renamed, label_changes.move(view, ["n1"], view.clusters["bb"])])
    assert changes.refresh()
    assert not changes.refresh()
    assert label_journal_path(workspace).stat().st_mode & 0o077 == 0
    taken_back = []
    while changes.standing:
        change, of = label_changes.undo(changes)
        taken_back.append(of.action)
        changes.write([change])
        changes.refresh()
    assert taken_back == ["move", "rename"]
    with pytest.raises(WrongLabelChange, match="no change to take back"):
        label_changes.undo(changes)
    changes.write([label_changes.lock(view, view.clusters["cc"])])

    again = LabelJournal(label_journal_path(workspace))
    again.refresh()
    assert [change.action for change in again.standing] == ["lock"]
    assert set(again.sketches) == {"aa", "bb", "cc"}
    assert again.sketches["aa"].size == 3


# Whatever is done


def random_clustering(random: Random, names: list[str], ids: list[str]) -> Clustering:
    """Return a clustering in which some clusters live on, and groups hold some of them."""
    known = random.sample(ids, random.randrange(1, len(ids) + 1))
    leaves: dict[str, list[str]] = {}
    noise: dict[str, str] = {}
    for name in names:
        if random.random() < 0.8:
            leaves.setdefault(random.choice(known), []).append(name)
    for name in names:
        if leaves and all(name not in members for members in leaves.values()):
            noise[name] = random.choice([*leaves])
    top = [*leaves]
    groups = {"g1": top[:2], "g2": ["g1", *top[2:3]]} if len(top) > 2 else {}
    gone = {id_: random.choice(top) for id_ in ids if id_ not in leaves and top}
    return clustering_of(leaves, dict(reversed(groups.items())), noise=noise, successors=gone)


def change_something(random: Random, made: Desk) -> None:
    """Try something; what does not fit is refused."""
    view = made.view
    ids = [*view.clusters]
    keys = random.sample([photo.key for photo in view.photos], random.randrange(1, 5))
    id_, other = random.choice(ids), random.choice(ids)
    action = random.choice(["rename", "move", "merge", "split", "lock", "unlock", "undo"])
    try:
        if action == "rename":
            made.rename(id_, f"Title {len(made.made)}")
        elif action == "move":
            made.move(id_, *keys)
        elif action == "merge":
            made.merge(id_, other)
        elif action == "split":
            made.split(f"Split {len(made.made)}", *keys)
        elif action == "lock":
            made.lock(id_)
        elif action == "unlock":
            made.unlock(id_)
        elif made.made:
            made.undo()
    except WrongLabelChange:
        pass


def assert_sound(view: ClusterView) -> None:
    """Every photo is in one leaf and one chunk; every sum is right."""
    seen = Counter(place for leaf in view.leaves() for place in leaf.members)
    assert seen == Counter(range(len(view.photos)))
    for place, id_ in enumerate(view.leaf_of):
        assert place in view.clusters[id_].members
        assert view.chunk_of(place).startswith(id_.replace(" ", "-"))
    reached = []
    for cluster in view.clusters.values():
        reached += cluster.children
        assert cluster.size == len(view.places(cluster.id)) > 0
        assert len(cluster.children) != 1
        assert all(view.clusters[child].parent == cluster.id for child in cluster.children)
        assert cluster.title
        if cluster.id not in SPECIAL:
            assert cluster.exemplar in view.places(cluster.id)
    assert sorted([*reached, *view.roots]) == sorted(view.clusters)
    for leaf in view.leaves():
        assert sorted(leaf.members) == sorted(
            place for number in range(len(leaf.chunks)) for place in leaf.chunk(number)
        )
        if leaf.locked:
            keys = {view.photos[place].key for place in leaf.members}
            assert keys == view.arrangement.locked[leaf.id]


@pytest.mark.parametrize("seed", range(100))
def test_every_photo_is_in_one_place_whatever_is_changed(seed: int) -> None:
    random = Random(seed)
    names = [f"p{number:02d}" for number in range(30)]
    photos = [*library_of(*names), *(library_photo(f"x{number}", None) for number in range(4))]
    ids = ["aa", "bb", "cc", "dd", "ee"]
    first = random_clustering(random, names, ids)
    made = Desk(ClusterView(photos, first), first)
    assert NO_CAPTION in made.view.clusters
    for _ in range(40):
        if random.random() < 0.15:
            known = [*ids, *(change.cluster for change in made.made if change.action == "split")]
            made.again(random_clustering(random, names, known))
        else:
            change_something(random, made)
        assert_sound(made.view)
