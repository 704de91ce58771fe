"""What stands in the files of reports: no key, every thumbnail, nothing from elsewhere."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from backends.keys import HIDDEN, remember
from journal import EditRecord, JournalWriter, WriterLock, utc_now
from pipeline.captions.library import LibraryPhoto, read_library
from pipeline.clusters.label_changes import rename
from pipeline.clusters.label_journal import LabelJournal, label_journal_path
from pipeline.clusters.opening import open_view
from pipeline.clusters.tree_file import clusters_path, write_clustering
from pipeline.clusters.view import ClusterView
from pipeline.reports.exchange import export_csv, export_rows
from pipeline.reports.label_import import import_csv
from pipeline.reports.photo_texts import make_photo_texts
from pipeline.reports.run import HTML, choose_sheets, make_thumbnails, write_reports
from tests.support.apps import caption, write_records
from tests.support.photos import make_photos, noise_jpeg
from tests.support.placed import clustering_of, library_photo

KEY = "canary-0815-of-a-vendor"


# Thumbnails


def raw(path: bytes) -> str:
    return base64.b64encode(path).decode()


async def test_nothing_outside_the_photos_directory_is_decoded(tmp_path: Path) -> None:
    """A journal is a file like any other: it may come from elsewhere, and name anything."""
    inside = tmp_path / "photos"
    (name,) = make_photos(inside, 1)
    (inside / "sub").mkdir()
    outside = tmp_path / "outside.jpg"
    outside.write_bytes(noise_jpeg(7, (64, 48)))
    elsewhere = os.fsencode(outside)
    photos = [
        library_photo(name),
        library_photo("../outside.jpg"),
        library_photo("sub/../../outside.jpg"),
        library_photo(str(outside)),
        library_photo("one", raw_path=raw(b"../outside.jpg")),
        library_photo("two", raw_path=raw(elsewhere)),
        library_photo("three", raw_path="no base64"),
        library_photo("nul\0.jpg"),
        library_photo("../photos/" + name),
    ]
    view = ClusterView(photos, None)
    assert len(view.leaf_of) == 9

    told: list[tuple[int, int]] = []
    found = await make_thumbnails(view, inside, lambda *to: told.append(to))

    assert [*found] == [0]
    assert told[-1] == (9, 9)


@pytest.mark.parametrize("leaves", [1, 249, 300])
def test_every_thumbnail_is_on_the_page(tmp_path: Path, leaves: int) -> None:
    """Where there are many clusters, their sheets are smaller: the same on both sides."""
    each = 17
    names = [f"{number:05d}" for number in range(leaves * each)]
    found = clustering_of(
        {f"k{at:03d}": names[at * each : at * each + each] for at in range(leaves)}
    )
    view = ClusterView([library_photo(name) for name in names], found)
    made = {
        place: b"picture %d" % place for sheet in choose_sheets(view).values() for place in sheet
    }
    assert len(made) == leaves * (12 if leaves < 250 else 10)
    write_reports(view, make_photo_texts(view.photos, {}, {}), tmp_path, ["html"], made)
    page = (tmp_path / HTML).read_text()
    assert all(base64.b64encode(jpeg).decode() in page for jpeg in made.values())


# The library


def test_a_key_is_in_no_export(workspace: Path) -> None:
    remember(KEY)
    write_records(workspace, caption(0, f"a sign: {KEY}"), caption(1), caption(2))
    journal = workspace / "captions.jsonl"
    edits: JournalWriter[EditRecord] = JournalWriter(
        WriterLock(workspace / "edits.jsonl", "a test", None)
    )
    name = caption(1).rel_path
    edits.append(EditRecord(rel_path=name, raw_path=None, caption=f"by hand: {KEY}", at=utc_now()))
    edits.close()
    photos = read_library(journal)
    assert [photo.caption for photo in photos] == [
        *(f"a sign: {HIDDEN}", f"by hand: {HIDDEN}", "a caption"),
    ]

    found = clustering_of({"aa": [photo.key for photo in photos[:2]], "bb": [photos[2].key]})
    for node in found.nodes:  # made before the key was known
        node.title, node.keywords = f"sign, {KEY}", ["sign", KEY]
    write_clustering(clusters_path(workspace), found)
    changes = LabelJournal(label_journal_path(workspace))
    view = ClusterView(photos, found)
    changes.write([rename(view, view.clusters["aa"], f"Signs of {KEY}")])
    view = open_view(workspace, journal, None)
    assert view.clusters["aa"].title == f"Signs of {HIDDEN}"

    labels = make_photo_texts(view.photos, {}, {})
    files = write_reports(view, labels, workspace, ["csv", "md", "html"], {}).files
    texts = [Path(file).read_bytes().decode() for file in files]
    for table in ("clusters", "photos"):
        texts.append(b"".join(export_csv(view, table)).decode())
        texts.append(str(list(export_rows(view, table))))
    assert not any(KEY in text for text in texts)
    assert all(HIDDEN in text.replace("\\", "") for text in texts)
    again = import_csv(view, b"".join(export_csv(view, "clusters")))
    assert (again.changes, again.refused) == ([], [])


def test_edits_count_for_photos_that_are_only_on_disk(workspace: Path) -> None:
    edits: JournalWriter[EditRecord] = JournalWriter(
        WriterLock(workspace / "edits.jsonl", "a test", None)
    )
    edits.append(EditRecord(rel_path="b.jpg", raw_path=None, caption="by hand", at=utc_now()))
    edits.close()
    found = read_library(workspace / "captions.jsonl", ["a.jpg", "b.jpg"])
    assert [(photo.path, photo.caption) for photo in found] == [
        ("a.jpg", None),
        ("b.jpg", "by hand"),
    ]


@pytest.mark.parametrize("broken", ["no base64", "é", "abc", "==="])
def test_a_broken_raw_path_costs_no_more_than_its_photo(broken: str) -> None:
    photo = LibraryPhoto("key", "a.jpg", broken, "success", "a dog")
    assert photo.path == "a.jpg"
    assert LibraryPhoto("key", "a", raw(b"\xff"), "success", "a dog").path == "\udcff"
