"""Tables that come back: rows that contradict each other, torn rows, and large ones."""

from __future__ import annotations

import json
from itertools import permutations

import pytest

from pipeline.clusters.view import ClusterView
from pipeline.reports.exchange import export_csv
from pipeline.reports.label_import import Imported, import_csv, import_json
from tests.support.placed import Desk, clustering_of, library_of, library_photo, redone, titles_of

LEAVES = {"aa": ["a1", "a2"], "bb": ["b1", "b2"], "cc": ["c1"], "dd": ["d1"]}
FOUND = clustering_of(LEAVES)


def desk() -> Desk:
    return Desk(
        ClusterView(library_of(*(n for names in LEAVES.values() for n in names)), FOUND), FOUND
    )


def imported(view: ClusterView, *rows: dict[str, str]) -> Imported:
    """Bring rows back as CSV and as JSON; both ask for the same."""
    header = [*rows[0]]
    lines = [header, *([row[column] for column in header] for row in rows)]
    by_csv = import_csv(view, "".join(",".join(line) + "\n" for line in lines).encode())
    by_json = import_json(view, json.dumps(rows).encode())
    assert by_csv.told == by_json.told
    assert [r.row for r in by_csv.refused] == [r.row + 1 for r in by_json.refused]
    return by_csv


def merging(**into: str) -> list[dict[str, str]]:
    return [{"cluster_id": id_, "merge_into": target} for id_, target in into.items()]


def reasons(found: Imported) -> list[str]:
    return [refused.reason for refused in found.refused]


# Rows about each other


def test_two_clusters_are_not_merged_into_each_other() -> None:
    made = desk()
    found = imported(made.view, *merging(aa="bb", bb="aa"))
    assert reasons(found) == ["another row merges AA into something else"]
    assert titles_of(redone(made.view, FOUND, *found.changes))["BB"] == ["a1", "a2", "b1", "b2"]


@pytest.mark.parametrize("order", permutations(range(3)))
def test_a_ring_of_merges_is_broken_whatever_the_order_of_rows(order: tuple[int, ...]) -> None:
    made = desk()
    rows = merging(aa="bb", bb="cc", cc="aa")
    found = imported(made.view, *(rows[at] for at in order))
    assert len(found.changes) == 1
    assert len(found.refused) == 2
    assert len(titles_of(redone(made.view, FOUND, *found.changes))) == 3


@pytest.mark.parametrize("order", [1, -1])
def test_a_chain_of_merges_is_refused_whatever_the_order_of_rows(order: int) -> None:
    found = imported(desk().view, *merging(aa="bb", bb="cc")[::order])
    assert len(found.changes) == len(found.refused) == 1
    assert found.refused[0].row == 3


def test_several_clusters_are_merged_into_one() -> None:
    made = desk()
    found = imported(made.view, *merging(aa="cc", bb="cc", dd="cc"))
    assert found.refused == []
    assert len(titles_of(redone(made.view, FOUND, *found.changes))["CC"]) == 6


def test_a_row_does_not_lock_and_merge() -> None:
    rows = [{"cluster_id": "aa", "locked": "yes", "merge_into": "bb", "title": "Dogs"}]
    found = imported(desk().view, *rows)
    assert "locked or unlocked in one import" in reasons(found)[0]
    assert found.changes == []


@pytest.mark.parametrize("order", [1, -1])
def test_nothing_is_merged_into_what_another_row_locks(order: int) -> None:
    rows = [
        {"cluster_id": "aa", "locked": "yes", "merge_into": ""},
        {"cluster_id": "bb", "locked": "no", "merge_into": "aa"},
    ]
    found = imported(desk().view, *rows[::order])
    assert len(found.changes) == len(found.refused) == 1
    assert found.refused[0].row == 3


def test_a_second_row_about_the_same_is_refused() -> None:
    made = desk()
    photos = [{"rel_path": "a1", "cluster_id": id_} for id_ in ("bb", "cc", "new: Kites", "aa")]
    found = imported(made.view, *photos)
    assert reasons(found) == ["row 2 is about the same"] * 3
    assert [change.cluster for change in found.changes] == ["bb"]
    clusters = [{"cluster_id": "aa", "title": title} for title in ("One", "Two", "AA")]
    assert [change.title for change in imported(made.view, *clusters).changes] == ["One"]


# Lines


@pytest.mark.parametrize(
    "torn", [b'"b1,cc', b'b1,"cc', b'b1",cc', b'b1,cc"', b'"b1",c"c', b'"b1" ,cc', b'"']
)
def test_a_lost_quotation_mark_spoils_its_own_row_alone(torn: bytes) -> None:
    data = b'rel_path,cluster_id\n"a1",bb\n' + torn + b'\n"a2","cc"\nc1,"dd"\n'
    found = import_csv(desk().view, data)
    assert [refused.row for refused in found.refused] == [3]
    assert [change.photos for change in found.changes] == [["a1"], ["a2"], ["c1"]]
    assert found.rows == 4


def test_what_a_semicolon_would_part_is_quoted() -> None:
    view = ClusterView([library_photo("a1", "a;=1+1"), library_photo("a2", "a\t=1+1")], None)
    _, first, second = export_csv(view, "photos")
    assert first.endswith(b',"a;=1+1"\n')
    assert b"\t" not in second


# Large ones


def test_a_caption_of_any_length_comes_back() -> None:
    photos = [library_photo("a1", 'long, "' * 30_000), library_photo("b1", "short")]
    found = clustering_of({"aa": ["a1"], "bb": ["b1"]})
    view = ClusterView(photos, found)
    table = b"".join(export_csv(view, "photos"))
    assert len(table) > 200_000
    again = import_csv(view, table)
    assert (again.rows, again.unchanged, again.refused) == (2, 2, [])
    moved = import_csv(view, table.replace(b"a1,,aa", b"a1,,bb"))
    assert [change.photos for change in moved.changes] == [["a1"]]


def test_thousands_of_photos_are_moved_by_one_change() -> None:
    names = [f"p{number:05d}" for number in range(10_000)]
    found = clustering_of({"aa": names[:5000], "bb": names[5000:]})
    view = ClusterView(library_of(*names), found)
    rows = "".join(f"{name},bb\n" for name in names)
    again = import_csv(view, f"rel_path,cluster_id\n{rows}".encode())
    assert (again.rows, again.unchanged, again.refused) == (10_000, 5_000, [])
    (change,) = again.changes
    assert change.photos == names[:5000]
    assert titles_of(redone(view, found, change)) == {"BB": names}
