"""What a clustering changed is told as people see it, with everything they changed by hand."""

from __future__ import annotations

import msgspec

from pipeline.clusters.comparison import ClusterReport, compare, count_clusters
from pipeline.clusters.tree_file import Clustering
from pipeline.clusters.view import UNCLUSTERED, ClusterView
from tests.support.placed import Desk, clustering_of, library_of, library_photo

LEAVES = {"aa": ["a1", "a2", "a3"], "bb": ["b1", "b2"], "cc": ["c1", "c2", "c3", "c4"]}
FOUND = clustering_of(LEAVES, {"gg": ["aa", "bb"]}, noise={"n1": "aa", "n2": "cc"})
NAMES = [*(name for names in LEAVES.values() for name in names), "n1", "n2"]


def desk() -> Desk:
    photos = [*library_of(*NAMES, "new"), library_photo("x", None)]
    return Desk(ClusterView(photos, FOUND), FOUND)


def report_of(made: Desk, after: Clustering) -> ClusterReport:
    """Cluster again, and return what is told of it."""
    before, placed = made.view, {placed.key for placed in FOUND.placed}
    made.again(after)
    report = count_clusters(made.view)
    compare(report, before, made.view, placed)
    return report


def test_nothing_is_told_where_nothing_changed() -> None:
    made = desk()
    made.rename("aa", "Dogs")
    made.move("bb", "n1")
    report = report_of(made, FOUND)
    assert (report.photos, report.clustered, report.unclustered, report.no_caption) == (
        13,
        10,
        2,
        1,
    )
    assert (report.clusters, report.groups, report.kept, report.new) == (3, 1, 3, 0)
    assert (report.moved, report.moves, report.gone, report.lost) == (0, [], [], [])


def test_what_moved_is_told_by_the_names_that_people_gave() -> None:
    made = desk()
    made.rename("aa", "Dogs")
    found = {"aa": ["a1", "a2", "c1", "c2", "new"], "bb": ["b1", "b2", "a3"], "cc": ["c3", "c4"]}
    report = report_of(made, clustering_of(found, noise={"n1": "aa", "n2": "cc"}))
    assert report.moves == [("CC", "Dogs", 2), ("Dogs", "BB", 1)]
    assert report.moved == 3  # what was not there before has not moved
    assert (report.kept, report.new, report.gone) == (3, 0, [])


def test_photos_of_a_locked_cluster_have_not_moved() -> None:
    made = desk()
    made.rename("aa", "Dogs")
    made.lock("aa")
    found = {"bb": ["b1", "b2", "a1", "a2", "a3"], "cc": LEAVES["cc"]}
    after = clustering_of(found, noise={"n1": "bb", "n2": "cc"}, successors={"aa": "bb"})
    report = report_of(made, after)
    assert (report.moved, report.moves, report.gone, report.lost) == (0, [], [], [])
    assert (report.kept, report.new) == (3, 0)


def test_newcomers_to_a_locked_cluster_moved_beside_it() -> None:
    made = desk()
    made.rename("aa", "Dogs")
    made.lock("aa")
    found = {"aa": [*LEAVES["aa"], "c1", "c2"], "bb": LEAVES["bb"], "cc": ["c3", "c4"]}
    report = report_of(made, clustering_of(found, noise={"n1": "bb", "n2": "cc"}))
    assert report.moves == [("CC", "Dogs (new)", 2)]
    assert (report.kept, report.new) == (3, 1)


def test_noise_that_joins_its_nearest_cluster_has_moved() -> None:
    made = desk()
    made.rename("aa", "Dogs")
    head = msgspec.structs.replace(FOUND.head, assign_noise=True)
    report = report_of(made, Clustering(head, FOUND.nodes, FOUND.placed))
    assert report.moves == [(UNCLUSTERED, "Dogs", 1), (UNCLUSTERED, "CC", 1)]
    assert (report.moved, report.clustered, report.unclustered) == (2, 11, 1)
    assert (report.kept, report.new, report.gone) == (3, 0, [])


def test_clusters_that_are_gone_are_told_by_name_and_heir() -> None:
    made = desk()
    made.rename("bb", "Cats")
    found = {"aa": [*LEAVES["aa"], "b1", "b2"], "cc": LEAVES["cc"]}
    report = report_of(made, clustering_of(found, noise={"n1": "aa", "n2": "cc"}))
    assert report.gone == ["Cats, most of it now in AA"]
    assert report.lost == ["the name 'Cats': its cluster is no more"]
    assert report.moves == [("Cats", "AA", 2)]


def test_only_the_largest_streams_are_told_and_all_are_counted() -> None:
    names = [f"p{number:03d}" for number in range(120)]
    clusters = {f"k{number:02d}": names[6 * number : 6 * number + 6] for number in range(20)}
    before = clustering_of(clusters)
    made = Desk(ClusterView(library_of(*names), before), before)
    view = made.view
    ids = [*clusters]
    shifted = {id_: list(clusters[id_]) for id_ in ids}
    for number in range(0, 20, 2):
        for _ in range(1 + number % 4):
            shifted[ids[number + 1]].append(shifted[ids[number]].pop())
        shifted[ids[number]].append(shifted[ids[number + 1]].pop(0))
    made.again(clustering_of(shifted))
    report = count_clusters(made.view)
    compare(report, view, made.view, set(names))
    assert report.moved > sum(count for _, _, count in report.moves)
    assert len(report.moves) == 10
    assert [count for _, _, count in report.moves] == [3] * 5 + [1] * 5
