"""The library as people see it: every photo in its place, whatever was changed by hand."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from journal import CaptionRecord
from pipeline.captions.edits import Edits
from pipeline.captions.library import read_library
from pipeline.clusters import label_changes
from pipeline.clusters.errors import WrongLabelChange
from pipeline.clusters.opening import open_view
from pipeline.clusters.view import NO_CAPTION, UNCLUSTERED, ClusterView, PhotoMeasures
from tests.support.apps import caption, failure, write_records
from tests.support.placed import (
    Desk,
    clustering_of,
    library_of,
    library_photo,
    redone,
    titles_of,
)

LEAVES = {"aa": ["a1", "a2", "a3"], "bb": ["b1", "b2"], "cc": ["c1", "c2", "c3", "c4"]}
FOUND = clustering_of(LEAVES, {"gg": ["aa", "bb"]}, noise={"n1": "aa"})
NAMES = ["a1", "a2", "a3", "b1", "b2", "c1", "c2", "c3", "c4", "n1"]


def fresh() -> ClusterView:
    return ClusterView(library_of(*NAMES), FOUND)


# What a clustering found


def test_a_view_without_changes_is_what_was_found() -> None:
    view = fresh()
    assert titles_of(view) == {
        "AA": ["a1", "a2", "a3"],
        "BB": ["b1", "b2"],
        "CC": ["c1", "c2", "c3", "c4"],
        UNCLUSTERED: ["n1"],
    }
    assert view.roots == ["gg", "cc", UNCLUSTERED]
    assert view.path("bb") == ["GG", "BB"]
    assert [cluster.id for cluster in view.clusters.values()] == [
        *("gg", "aa", "bb", "cc", UNCLUSTERED)
    ]
    assert view.distance[1] == 0.1
    assert view.distance[9] is None
    assert view.has_clusters


def test_photos_without_a_vector_stand_apart() -> None:
    photos = [*library_of("a1"), library_photo("x", None), library_photo("y")]
    view = ClusterView(photos, FOUND)
    assert view.leaf_of == ["aa", NO_CAPTION, UNCLUSTERED]
    assert view.roots == ["aa", UNCLUSTERED, NO_CAPTION]


def test_before_the_first_clustering_all_is_unclustered() -> None:
    view = ClusterView(library_of("a", "b"), None)
    assert titles_of(view) == {UNCLUSTERED: ["a", "b"]}
    assert not view.has_clusters
    assert ClusterView([], None).clusters == {}


def test_noise_joins_its_nearest_cluster_where_that_was_asked_for() -> None:
    FOUND.head.assign_noise = True
    try:
        view = fresh()
    finally:
        FOUND.head.assign_noise = False
    assert view.leaf_of[9] == "aa"
    assert view.distance[9] == 0.8


def test_a_group_left_with_one_child_gives_way_to_it() -> None:
    deep = clustering_of(LEAVES, {"top": ["gg", "cc"], "gg": ["aa", "bb"]})
    assert ClusterView(library_of(*NAMES), deep).path("aa") == ["TOP", "GG", "AA"]
    assert ClusterView(library_of("a1", "c1"), deep).path("aa") == ["TOP", "AA"]
    assert ClusterView(library_of("a1", "b1"), deep).path("aa") == ["GG", "AA"]
    assert ClusterView(library_of("b1"), deep).path("bb") == ["BB"]
    assert titles_of(ClusterView(library_of("other"), deep)) == {UNCLUSTERED: ["other"]}


def test_sizes_and_spans_are_summed_up() -> None:
    photos = [
        library_photo("a1", taken="2020-05-01T10:00:00"),
        library_photo("a2", taken="2019-01-02T10:00:00"),
        library_photo("b1", taken="2021-01-02T10:00:00"),
        library_photo("b2"),
        library_photo("c1"),
    ]
    clusters = ClusterView(photos, FOUND).clusters
    assert [clusters[id_].size for id_ in ("gg", "aa", "bb", "cc")] == [4, 2, 2, 1]
    assert clusters["aa"].span == "2019-01-02 to 2020-05-01"
    assert clusters["bb"].span == "2021-01-02"
    assert clusters["gg"].span == "2019-01-02 to 2021-01-02"
    assert clusters["cc"].span == ""


# Changed by hand


def test_each_change_does_what_it_says() -> None:
    desk = Desk(fresh(), FOUND)
    desk.rename("gg", "  Pets \n and more ")
    desk.rename("aa", "Dogs")
    desk.move("bb", "a1", "n1")
    desk.merge("cc", "bb")
    new = desk.split("Kites", "c2", "c3")

    assert titles_of(desk.view) == {
        "Dogs": ["a2", "a3"],
        "CC": ["a1", "b1", "b2", "c1", "c4", "n1"],
        "Kites": ["c2", "c3"],
    }
    assert desk.view.clusters["aa"].named
    assert desk.view.clusters[new].named
    assert not desk.view.clusters["cc"].named
    assert "gg" not in desk.view.clusters  # its other child was merged away

    for _ in range(3):
        desk.undo()
    assert titles_of(desk.view)["BB"] == ["b1", "b2"]
    assert desk.view.path("aa") == ["Pets and more", "Dogs"]
    for _ in range(2):
        desk.undo()
    assert titles_of(desk.view) == titles_of(fresh())


def test_what_was_split_off_stands_beside_where_it_was() -> None:
    desk = Desk(fresh(), FOUND)
    new = desk.split("Puppies", "a1", "c1")
    assert desk.view.path(new) == ["GG", "Puppies"]
    noise = desk.split("Odd", "n1")
    assert desk.view.path(noise) == ["Odd"]


def test_photos_may_be_moved_on_and_back() -> None:
    desk = Desk(fresh(), FOUND)
    desk.move("bb", "a1")
    desk.move("cc", "a1", "a2")
    desk.move("aa", "a1")
    assert titles_of(desk.view)["AA"] == ["a1", "a3"]
    assert titles_of(desk.view)["CC"] == ["a2", "c1", "c2", "c3", "c4"]


def test_merging_into_what_was_merged_follows() -> None:
    desk = Desk(fresh(), FOUND)
    desk.merge("bb", "aa")
    desk.merge("cc", "bb")
    assert titles_of(desk.view)["CC"] == sorted(NAMES[:9])


def test_two_clusters_merged_into_each_other_are_one() -> None:
    view = fresh()
    a, b = view.clusters["aa"], view.clusters["bb"]
    both = [label_changes.merge(view, a, [b]), label_changes.merge(view, b, [a])]
    assert titles_of(redone(view, FOUND, *both))["AA"] == ["a1", "a2", "a3", "b1", "b2"]


def test_all_photos_may_leave_a_cluster() -> None:
    desk = Desk(fresh(), FOUND)
    desk.move("cc", "a1", "a2", "a3")
    assert "aa" not in desk.view.clusters
    assert desk.view.roots == ["cc", "bb", UNCLUSTERED]


def measured(keys: Sequence[str]) -> PhotoMeasures | None:
    """Measure keys by their digit: the larger, the nearer."""
    digits = [int(key[1]) for key in keys if key[1].isdigit()]
    if not digits:
        return None
    nearest = [key[1] for key in keys].index(str(max(digits)))
    return PhotoMeasures(0.5, nearest, [None if key[0] == "x" else 0.25 for key in keys])


def test_changed_clusters_are_measured_anew_and_no_others() -> None:
    view = fresh()
    change = label_changes.move(view, ["c4"], view.clusters["bb"])
    after = ClusterView(view.photos, FOUND, [change], measure=measured)

    b, c, a = (after.clusters[id_] for id_ in ("bb", "cc", "aa"))
    assert (b.cohesion, c.cohesion, a.cohesion) == (0.5, 0.5, 0.9)
    assert [after.photos[cluster.exemplar or 0].key for cluster in (b, c, a)] == ["c4", "c3", "a1"]
    assert after.distance == [0.0, 0.1, 0.2, *[0.25] * 6, None]


def test_without_vectors_the_exemplar_is_still_one_of_the_cluster() -> None:
    desk = Desk(fresh(), FOUND)
    desk.move("cc", "a1", "a2")  # with it goes the exemplar of aa and of its group
    clusters, names = desk.view.clusters, [photo.key for photo in desk.view.photos]
    assert names[clusters["aa"].exemplar or 0] == "a3"
    assert names[clusters["gg"].exemplar or 0] in ("a3", "b1", "b2")
    assert names[clusters["cc"].exemplar or 0] == "c1"  # at a distance of 0
    new = desk.split("Both", "b1", "c2")
    assert desk.view.clusters[new].exemplar is not None


def test_photos_without_vectors_may_be_put_into_clusters() -> None:
    view = ClusterView([*library_of(*NAMES), library_photo("x1", None)], FOUND)
    desk = Desk(view, FOUND)
    desk.move("aa", "x1")
    assert titles_of(desk.view)["AA"] == ["a1", "a2", "a3", "x1"]
    new = desk.split("Alone", "x1")
    assert desk.view.clusters[new].exemplar == 10
    assert desk.view.distance[10] is None


# What fits nothing


def test_changes_that_fit_nothing_are_refused() -> None:
    desk = Desk(fresh(), FOUND)
    desk.lock("bb")
    view, clusters = desk.view, desk.view.clusters
    group, free, locked, noise = (clusters[id_] for id_ in ("gg", "aa", "bb", UNCLUSTERED))
    refused: list[tuple[Callable[[], object], str]] = [
        (lambda: label_changes.rename(view, free, " \n "), "cannot be empty"),
        (lambda: label_changes.rename(view, free, "x" * 201), "200 characters at most"),
        (lambda: label_changes.rename(view, noise, "x"), "is no cluster"),
        (lambda: label_changes.move(view, ["a1"], group), "is a group"),
        (lambda: label_changes.move(view, ["a1"], locked), "is locked; unlock it first"),
        (lambda: label_changes.move(view, ["b1"], free), "is locked; unlock it first"),
        (lambda: label_changes.move(view, ["a1"], noise), "is no cluster"),
        (lambda: label_changes.move(view, ["gone"], free), "there is no photo gone"),
        (lambda: label_changes.merge(view, free, [free]), "takes two clusters"),
        (lambda: label_changes.merge(view, free, [locked]), "is locked"),
        (lambda: label_changes.merge(view, free, [group]), "is a group"),
        (lambda: label_changes.split(view, [], "x"), "takes photos"),
        (lambda: label_changes.split(view, ["b1"], "x"), "is locked"),
        (lambda: label_changes.lock(view, group), "is a group"),
        (lambda: label_changes.unlock(view, free), "is not locked"),
        (lambda: label_changes.find_cluster(view, "nothing"), "there is no cluster 'nothing'"),
    ]
    for change, reason in refused:
        with pytest.raises(WrongLabelChange, match=reason):
            change()


def test_clusters_are_found_by_id_and_by_a_title_that_only_one_has() -> None:
    desk = Desk(fresh(), FOUND)
    assert label_changes.find_cluster(desk.view, "cc").id == "cc"
    assert label_changes.find_cluster(desk.view, "Gg").id == "gg"
    desk.rename("aa", "Twins")
    desk.rename("cc", "twins")
    with pytest.raises(WrongLabelChange, match=r"2 clusters are called 'TWINS'.*: aa, cc"):
        label_changes.find_cluster(desk.view, "TWINS")


# Journal and disk


def test_photos_are_those_of_the_journal_and_of_the_disk(workspace: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in (b"here.jpg", b"both.jpg", "\u00e9.jpg".encode(), b"bad\xff.jpg"):
        (folder / os.fsdecode(name)).touch()
    journal = workspace / "captions.jsonl"
    write_records(
        workspace,
        CaptionRecord(rel_path="both.jpg", caption="a dog", status="success"),
        CaptionRecord(rel_path="gone.jpg", caption="a cat", status="success"),
        CaptionRecord(rel_path="failed.jpg", caption=None, status="error_api"),
    )
    readable = ["bad\ufffd.jpg", "both.jpg", "here.jpg", "\u00e9.jpg"]

    both = open_view(workspace, journal, folder)
    disk = open_view(workspace, workspace / "none.jsonl", folder)
    written = open_view(workspace, journal, None)

    assert titles_of(both) == {
        UNCLUSTERED: ["both.jpg", "gone.jpg"],
        NO_CAPTION: sorted(["failed.jpg", *(name for name in readable if name != "both.jpg")]),
    }
    assert titles_of(disk) == {NO_CAPTION: sorted(readable)}
    assert titles_of(written) == {
        UNCLUSTERED: ["both.jpg", "gone.jpg"],
        NO_CAPTION: ["failed.jpg"],
    }
    assert open_view(workspace, workspace / "none.jsonl", None).photos == []


def test_edits_are_the_captions_that_count(workspace: Path) -> None:
    write_records(workspace, caption(0, "a dog"), caption(1, "a cat"), failure(2))
    edits = Edits(workspace / "captions.jsonl")
    edits.write("IMG_00000.jpg", None, "a wolf")
    edits.write("IMG_00001.jpg", None, "")
    edits.write("IMG_00002.jpg", None, "a hand")
    edits.write("IMG_00009.jpg", None, "nobody knows it")

    photos = read_library(workspace / "captions.jsonl")
    assert [photo.caption for photo in photos] == ["a wolf", None, "a hand"]
