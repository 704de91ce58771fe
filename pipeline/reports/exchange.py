"""Labels out to a spreadsheet or a program, and back.

Two tables: one of clusters (their title, their lock, what they are merged into) and one
of photos (the cluster each stands in). Either may come back changed; only what changed is
written, and a row that does not fit is refused by its number and harms no other.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Literal

import msgspec

from journal import record_key
from pipeline.clusters.changes import find_cluster, lock, merge, move, rename, split, unlock
from pipeline.clusters.errors import WrongOverride
from pipeline.clusters.overrides import Override
from pipeline.clusters.view import SPECIAL, Cluster, ClusterView
from pipeline.reports.csv_export import csv_line
from pipeline.reports.plain import one_line, plain_cell

Table = Literal["clusters", "photos"]
Row = Mapping[str, str]

COLUMNS: dict[Table, tuple[str, ...]] = {
    "clusters": (
        *("cluster_id", "title", "locked", "merge_into"),
        *("size", "cluster", "keywords", "exemplar", "exemplar_caption"),
    ),
    "photos": ("rel_path", "raw_path", "cluster_id", "cluster", "caption"),
}
"""What may be changed: title, locked and merge_into of a cluster, cluster_id of a photo."""

NEEDED: dict[Table, tuple[str, ...]] = {
    "clusters": ("cluster_id",),
    "photos": ("rel_path", "cluster_id"),
}

NEW = "new:"
"""Before a title in `cluster_id`: the photos of all such rows become a cluster of their own."""

YES, NO = ("yes", "true", "1", "x"), ("no", "false", "0", "")


class Refusal(msgspec.Struct):
    """A row that does not fit.

    Attributes:
        row: Its number; the header is row 1 of a spreadsheet.
        reason: Why.
    """

    row: int
    reason: str


class Imported(msgspec.Struct):
    """What a table that came back asks for.

    Attributes:
        changes: To be written.
        refused: Rows that do not fit.
        rows: Rows read.
        unchanged: Rows that ask for nothing.
        told: What changes, in a sentence each.
    """

    changes: list[Override]
    refused: list[Refusal]
    rows: int = 0
    unchanged: int = 0
    told: list[str] = []


class UnreadableTable(WrongOverride):
    """Raised when a file is no table of labels at all."""


def export_rows(view: ClusterView, table: Table) -> Iterator[dict[str, str]]:
    """Yield the rows of a table, by column."""
    if table == "photos":
        for place, photo in enumerate(view.photos):
            leaf = view.leaf_of[place]
            yield {
                "rel_path": photo.rel_path,
                "raw_path": photo.raw_path or "",
                "cluster_id": leaf,
                "cluster": " / ".join(view.path(leaf)),
                "caption": photo.caption or "",
            }
        return
    for cluster in view.clusters.values():
        if cluster.id in SPECIAL:
            continue
        exemplar = None if cluster.exemplar is None else view.photos[cluster.exemplar]
        yield {
            "cluster_id": cluster.id,
            "title": cluster.title,
            "locked": "yes" if cluster.locked else "no",
            "merge_into": "",
            "size": str(cluster.size),
            "cluster": " / ".join(view.path(cluster.id)),
            "keywords": ", ".join(cluster.keywords),
            "exemplar": exemplar.rel_path if exemplar else "",
            "exemplar_caption": (exemplar.caption or "") if exemplar else "",
        }


def export_csv(view: ClusterView, table: Table) -> Iterator[bytes]:
    """Yield the lines of a table as CSV that no spreadsheet computes."""
    yield csv_line(COLUMNS[table])
    for row in export_rows(view, table):
        yield csv_line([row[column] for column in COLUMNS[table]])


def import_csv(view: ClusterView, data: bytes) -> Imported:
    """Read a table of CSV, with commas, semicolons or tabs, and find what it changes.

    Raises:
        UnreadableTable: it has no header of ours.
    """
    text = data.decode("utf-8-sig", "surrogateescape")
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = list(lines)
    except csv.Error as error:
        raise UnreadableTable(f"line {lines.line_num}: {error}") from None
    header = [cell.strip() for cell in rows[0]] if rows else []
    table = _table_of(header)
    reader = _Reader(view)
    for number, cells in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            reader.refuse(number, f"it has {len(cells)} cells, the header {len(header)}")
            continue
        reader.read(table, number, dict(zip(header, map(plain_cell, cells), strict=True)))
    return reader.result()


def import_json(view: ClusterView, data: bytes) -> Imported:
    """Read a table of JSON, a list of objects, and find what it changes.

    Raises:
        UnreadableTable: it is none.
    """
    try:
        rows = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UnreadableTable(f"no JSON: {error}") from None
    if not isinstance(rows, list) or not rows or not isinstance(rows[0], dict):
        raise UnreadableTable("not a list of objects")
    table = _table_of([str(name) for name in rows[0]])
    reader = _Reader(view)
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict) or not all(isinstance(cell, str) for cell in row.values()):
            reader.refuse(number, "it is no object of strings")
            continue
        if missing := [column for column in NEEDED[table] if column not in row]:
            reader.refuse(number, f"it lacks {missing[0]}")
            continue
        reader.read(table, number, row)
    return reader.result()


def _table_of(header: Sequence[str]) -> Table:
    for table in ("photos", "clusters"):
        if all(column in header for column in NEEDED[table]):
            return table
    raise UnreadableTable(
        "the header names neither rel_path and cluster_id (photos) nor cluster_id (clusters)"
    )


class _Reader:
    """Turns rows into changes, each checked against the clusters as they are."""

    def __init__(self, view: ClusterView) -> None:
        self._view = view
        self._result = Imported([], [])
        self._moves: dict[str, list[str]] = {}
        self._splits: dict[str, list[str]] = {}

    @cached_property
    def _key_by_sight(self) -> dict[str, str]:
        """Key by path as a table shows it, where that is not the path itself."""
        count = Counter(one_line(photo.rel_path) for photo in self._view.photos)
        return {
            path: photo.key
            for photo in self._view.photos
            if (path := one_line(photo.rel_path)) != photo.rel_path and count[path] == 1
        }

    def refuse(self, number: int, reason: str) -> None:
        """Note a row that does not fit."""
        self._result.rows += 1
        self._result.refused.append(Refusal(number, reason))

    def read(self, table: Table, number: int, row: Row) -> None:
        """Take in one row."""
        before = len(self._result.told)
        try:
            for cell in row.values():
                _check_text(cell)
            read: Callable[[Row], None] = self._photo if table == "photos" else self._cluster
            read(row)
        except WrongOverride as error:
            self.refuse(number, str(error))
            return
        self._result.rows += 1
        self._result.unchanged += len(self._result.told) == before

    def _cluster(self, row: Row) -> None:
        view, id_ = self._view, row["cluster_id"].strip()
        cluster = view.clusters.get(id_)
        if cluster is None:
            raise WrongOverride(f"there is no cluster {id_!r}")
        changes: list[tuple[Override, str]] = []
        title = row.get("title", cluster.title)
        if _shown(title) != _shown(cluster.title):
            change = rename(view, cluster, title)
            changes.append((change, f"{cluster.title} is now called {change.title}"))
        locked = row.get("locked", "").strip().casefold()
        if locked not in YES + NO:
            raise WrongOverride(f"locked is yes or no, not {locked!r}")
        if "locked" in row and (locked in YES) != cluster.locked:
            if cluster.locked:
                changes.append((unlock(view, cluster), f"{cluster.title} is no longer locked"))
            else:
                changes.append((lock(view, cluster), f"{cluster.title} is locked"))
        if into := row.get("merge_into", "").strip():
            target = find_cluster(view, into)
            change = merge(view, target, [cluster])
            changes.append((change, f"{cluster.title} is merged into {target.title}"))
        for change, sentence in changes:
            self._result.changes.append(change)
            self._result.told.append(sentence)

    def _photo(self, row: Row) -> None:
        view, wanted = self._view, row["cluster_id"].strip()
        key = record_key(row["rel_path"], row.get("raw_path") or None)
        key = key if key in view.place_of else self._key_by_sight.get(row["rel_path"], key)
        place = view.place_of.get(key)
        if place is None:
            raise WrongOverride(f"there is no photo {row['rel_path']!r}")
        leaf = view.leaf_of[place]
        if wanted == leaf:
            return
        if view.clusters[leaf].locked:
            title = view.clusters[leaf].title
            raise WrongOverride(f"{row['rel_path']} is in {title}, which is locked")
        if wanted.casefold().startswith(NEW):
            title = wanted[len(NEW) :].strip()
            split(view, [key], title)  # refuses what does not fit
            self._splits.setdefault(title, []).append(key)
            self._result.told.append(f"{row['rel_path']} goes to a new cluster, {title}")
            return
        target = self._target(wanted)
        move(view, [key], target)
        self._moves.setdefault(target.id, []).append(key)
        self._result.told.append(f"{row['rel_path']} goes to {target.title}")

    def _target(self, id_: str) -> Cluster:
        if id_ not in self._view.clusters:
            raise WrongOverride(f"there is no cluster {id_!r}")
        return self._view.clusters[id_]

    def result(self) -> Imported:
        """Return everything, the moves to one cluster as one change."""
        view, changes = self._view, self._result.changes
        changes += [split(view, keys, title) for title, keys in self._splits.items()]
        changes += [move(view, keys, view.clusters[id_]) for id_, keys in self._moves.items()]
        return self._result


def _shown(title: str) -> str:
    """Return a title as a table shows it, so that one nobody touched changes nothing."""
    return " ".join(one_line(title).split())


def _check_text(cell: str) -> None:
    try:
        cell.encode()
    except UnicodeEncodeError:
        raise WrongOverride("a cell of it is not UTF-8") from None
