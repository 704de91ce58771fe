"""Labels out and back: what changed is applied, what does not fit is named and harms nothing."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from pipeline.clusters.view import NO_CAPTION, UNCLUSTERED, ClusterView
from pipeline.reports.exchange import COLUMNS, Table, export_csv, export_rows
from pipeline.reports.label_import import Imported, UnreadableTable, import_csv, import_json
from pipeline.reports.plain import one_line
from tests.support.placed import Desk, clustering_of, library_photo, redone, titles_of

LEAVES = {"aa": ["a1", "=a2", "'a3"], "bb": ["b1", "b2"], "cc": ["c1", "c\u200e2", "c,\n3"]}
RAW = base64.b64encode(b"b\xff").decode()
FOUND = clustering_of(LEAVES, {"gg": ["aa", "bb"]})

Row = dict[str, str]
Change = Callable[[list[Row]], None]


def desk() -> Desk:
    names = [name for names in LEAVES.values() for name in names]
    photos = [library_photo(name, f'={name}; "a, b"\n') for name in [*names, "n1"]]
    photos.append(library_photo("b\ufffd", None, status=None, raw_path=RAW))
    return Desk(ClusterView(photos, FOUND), FOUND)


def to_csv(view: ClusterView, table: Table) -> bytes:
    return b"".join(export_csv(view, table))


def to_json(view: ClusterView, table: Table) -> bytes:
    return msgspec.json.encode(list(export_rows(view, table)))


def changed_csv(view: ClusterView, table: Table, change: Change, **dialect: Any) -> bytes:
    """Change a table as a spreadsheet does."""
    rows = list(csv.DictReader(io.StringIO(to_csv(view, table).decode(), newline="")))
    change(rows)
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS[table], **dialect)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def both(view: ClusterView, table: Table, change: Change) -> Imported:
    """Bring a changed table back in either format; both ask for the same."""
    by_csv = import_csv(view, changed_csv(view, table, change))
    rows: list[Row] = json.loads(to_json(view, table))
    change(rows)
    by_json = import_json(view, json.dumps(rows).encode())
    assert by_csv.told == [*map(one_line, by_json.told)]
    assert [r.reason for r in by_csv.refused] == [r.reason for r in by_json.refused]
    assert [r.row for r in by_csv.refused] == [r.row + 1 for r in by_json.refused]
    return by_csv


def row_of(rows: list[Row], id_: str) -> Row:
    return next(row for row in rows if row["cluster_id"] == id_)


# Out


def test_the_columns_are_those_that_are_promised() -> None:
    view = desk().view
    clusters, photos = (to_csv(view, table).decode() for table in ("clusters", "photos"))
    assert clusters.startswith(
        "cluster_id,title,locked,merge_into,size,cluster,keywords,exemplar,exemplar_caption\n"
    )
    assert photos.startswith("rel_path,raw_path,cluster_id,cluster,caption\n")
    assert clusters.count("\n") == 1 + len([id_ for id_ in view.clusters if " " not in id_]) - 1
    assert photos.count("\n") == 1 + len(view.photos)


@pytest.mark.parametrize("table", ["clusters", "photos"])
def test_no_cell_of_a_table_is_a_formula(table: Table) -> None:
    made = desk()
    made.rename("aa", "=1+1")
    for row in csv.reader(io.StringIO(to_csv(made.view, table).decode(), newline="")):
        assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in row)


@pytest.mark.parametrize("table", ["clusters", "photos"])
@pytest.mark.parametrize("title", ["Dogs", "=1+1", "'=x", "a\u200eb", "-", "שלום \u200f", "1e5"])
def test_a_table_that_nobody_changed_changes_nothing(table: Table, title: str) -> None:
    made = desk()
    made.rename("bb", title)
    made.lock("cc")
    view = made.view
    imports = [import_csv(view, to_csv(view, table)), import_json(view, to_json(view, table))]
    for imported in imports:
        assert imported.changes == []
        assert imported.refused == []
        assert imported.told == []
        assert imported.rows == imported.unchanged > 3


# Back: clusters


def test_clusters_come_back_renamed_locked_and_merged() -> None:
    made = desk()
    made.lock("bb")

    def change(rows: list[Row]) -> None:
        row_of(rows, "gg")["title"] = " Pets   and more"
        row_of(rows, "aa").update(title="Dogs", locked="YES")
        row_of(rows, "bb")["locked"] = "false"

    imported = both(made.view, "clusters", change)
    after = redone(made.view, FOUND, *made.made, *imported.changes)

    assert after.path("aa") == ["Pets and more", "Dogs"]
    assert after.clusters["aa"].locked
    assert not after.clusters["bb"].locked
    assert len(imported.told) == 4
    assert (imported.rows, imported.unchanged, imported.refused) == (4, 1, [])


@pytest.mark.parametrize("into", ["cc", "CC", "cC"])
def test_clusters_are_merged_by_id_or_title(into: str) -> None:
    made = desk()

    def change(rows: list[Row]) -> None:
        row_of(rows, "bb")["merge_into"] = into

    imported = both(made.view, "clusters", change)
    assert imported.told == ["BB is merged into CC"]
    assert len(titles_of(redone(made.view, FOUND, *imported.changes))["CC"]) == 5


def test_rows_of_clusters_that_do_not_fit_are_refused_and_the_rest_lands() -> None:
    made = desk()
    made.lock("bb")

    def change(rows: list[Row]) -> None:
        row_of(rows, "aa")["merge_into"] = "bb"
        row_of(rows, "gg").update(locked="perhaps")
        row_of(rows, "bb").update(title=" ", locked="no")
        rows.append({**row_of(rows, "cc"), "cluster_id": "zz", "title": "Gone"})
        row_of(rows, "cc")["title"] = "Kites"

    imported = both(made.view, "clusters", change)

    assert {refused.reason for refused in imported.refused} == {
        "BB is locked; unlock it first",
        "locked is yes or no, not 'perhaps'",
        "a title cannot be empty",
        "there is no cluster 'zz'",
    }
    assert imported.told == ["CC is now called Kites"]
    assert [change.action for change in imported.changes] == ["rename"]


# Back: photos


def test_photos_come_back_in_other_clusters() -> None:
    made = desk()

    def change(rows: list[Row]) -> None:
        for row in rows:
            if "a2" in row["rel_path"] or row["raw_path"] or row["rel_path"] == "n1":
                row["cluster_id"] = "cc"
            elif "c" in row["rel_path"]:
                row["cluster_id"] = "new: Two  Kites" if "1" not in row["rel_path"] else "NEW:One"

    imported = both(made.view, "photos", change)
    after = titles_of(redone(made.view, FOUND, *imported.changes))

    assert after["CC"] == ["=a2", "b\ufffd", "n1"]
    assert after["Two Kites"] == ["c,\n3", "c\u200e2"]
    assert after["One"] == ["c1"]
    assert sorted(change.action for change in imported.changes) == ["move", "split", "split"]
    assert len(imported.told) == 6


def test_rows_of_photos_that_do_not_fit_are_refused_and_the_rest_lands() -> None:
    made = desk()
    made.lock("bb")

    def change(rows: list[Row]) -> None:
        ids = ["bb", "gg", "zz", "aa", "aa", "new: ", UNCLUSTERED, "aa", "aa", NO_CAPTION]
        for row, id_ in zip(rows, ids, strict=True):
            row["cluster_id"] = id_
        rows.append({**rows[0], "rel_path": "nobody.jpg"})

    imported = both(made.view, "photos", change)

    assert [(refused.row, refused.reason) for refused in imported.refused] == [
        (2, "BB is locked; unlock it first"),
        (3, "GG is a group; name a cluster in it"),
        (4, "there is no cluster 'zz'"),
        (5, "b1 is in BB, which is locked; unlock it first"),
        (6, "b2 is in BB, which is locked; unlock it first"),
        (7, "a title cannot be empty"),
        (8, "'unclustered' is no cluster"),
        (12, "there is no photo 'nobody.jpg'"),
    ]
    assert len(imported.told) == 2
    assert (imported.rows, imported.unchanged) == (11, 1)


# Spreadsheets, and what is no table


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_table_is_read_as_spreadsheets_save_it(end: str, delimiter: str, mark: bytes) -> None:
    made = desk()

    def change(rows: list[Row]) -> None:
        row_of(rows, "aa")["title"] = "Dogs; cats, and\tmore"

    data = changed_csv(made.view, "clusters", change, lineterminator=end, delimiter=delimiter)
    imported = import_csv(made.view, mark + data + end.encode() * 3)
    assert imported.refused == []
    assert [change.title for change in imported.changes] == ["Dogs; cats, and more"]


def test_a_broken_row_is_refused_by_its_number() -> None:
    data = b"cluster_id,title\naa,One\n\nbb\nbb,a,b\nbb,\xff\xfe\ncc,Two\n"
    imported = import_csv(desk().view, data)
    assert [(refused.row, refused.reason) for refused in imported.refused] == [
        (4, "it has 1 cells, the header 2"),
        (5, "it has 3 cells, the header 2"),
        (6, "a cell of it is not UTF-8"),
    ]
    assert [change.title for change in imported.changes] == ["One", "Two"]
    assert (imported.rows, imported.unchanged) == (5, 0)


def test_a_broken_object_is_refused_by_its_number() -> None:
    rows = [
        {"cluster_id": "aa", "title": "One"},
        {"title": "No id"},
        {"cluster_id": "bb", "title": 7},
        {"cluster_id": "bb", "title": None},
        "bb",
        {"cluster_id": "bb", "title": "\ud800"},
        {"cluster_id": "cc", "title": "Two", "colour": "red"},
    ]
    imported = import_json(desk().view, json.dumps(rows).encode())
    assert [refused.row for refused in imported.refused] == [2, 3, 4, 5, 6]
    assert imported.refused[0].reason == "it lacks cluster_id"
    assert [change.title for change in imported.changes] == ["One", "Two"]


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\n", b"a,b\n1,2\n", b"rel_path,cluster\n", b"\xff\xfec\0l\0u\0s\0", b"\0"),
        *(b"cluster_id,title,title\naa,a,b\n", b'cluster_id,"title\naa,One\n'),
    ],
)
def test_what_is_no_table_of_csv_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableTable):
        import_csv(desk().view, data)


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"{}", b"[]", b"[1]", b'[{"a": "b"}]', b"\xff", b"[" * 100_000, b"1" * 9_000],
)
def test_what_is_no_table_of_json_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableTable):
        import_json(desk().view, data)
