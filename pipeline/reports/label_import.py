"""Importing labels from a spreadsheet or a program.

Only changes are written. A row that does not fit is refused and named by its number, and
the other rows are imported. Rows are independent: a row whose meaning would depend on the
order of the rows is refused too.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property

import msgspec

from journal import record_key, why_unreadable
from pipeline.clusters.errors import WrongLabelChange
from pipeline.clusters.label_changes import (
    check_photo,
    check_target,
    checked_title,
    find_cluster,
    lock,
    merge,
    move,
    rename,
    split,
    unlock,
)
from pipeline.clusters.label_journal import LabelChange
from pipeline.clusters.view import Cluster, ClusterView
from pipeline.reports.exchange import Table
from pipeline.reports.plain import one_line, plain_cell

Row = Mapping[str, str]

NEEDED: dict[Table, tuple[str, ...]] = {
    "photos": ("rel_path", "cluster_id"),
    "clusters": ("cluster_id",),
}

NEW = "new:"
"""Prefix of a title in `cluster_id`: the photos of all such rows become a new cluster."""

YES, NO = ("yes", "true", "1", "x"), ("no", "false", "0", "")

LONGEST_CELL = 1 << 24


class RefusedRow(msgspec.Struct):
    """A row that does not fit.

    Attributes:
        row: Number of the row; the header is row 1 of a spreadsheet.
        reason: Why the row was refused.
    """

    row: int
    reason: str


class Imported(msgspec.Struct, tag_field="kind", tag="labels-import"):
    """The changes that an imported table asks for.

    Attributes:
        changes: Changes to be written.
        refused: Rows that do not fit.
        rows: Number of rows that were read.
        unchanged: Number of rows that ask for no change.
        told: The changes in words, a sentence each.
    """

    changes: list[LabelChange]
    refused: list[RefusedRow]
    rows: int = 0
    unchanged: int = 0
    told: list[str] = []


class UnreadableTable(WrongLabelChange):
    """Raised when a file is not a table of labels."""


def import_csv(view: ClusterView, data: bytes) -> Imported:
    """Read a table of CSV, with commas, semicolons or tabs, and find what it changes.

    Each row is one line, because no exported cell contains a line break. So a lost quotation
    mark spoils no other row.

    Raises:
        UnreadableTable: the table does not have the header of an exported table.
    """
    csv.field_size_limit(LONGEST_CELL)
    text = data.decode("utf-8-sig", "surrogateescape")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    delimiter = max(",;\t", key=lines[0].count)

    def cells_of(line: str) -> list[str]:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])

    try:
        header = [cell.strip() for cell in cells_of(lines[0])]
    except csv.Error as error:
        raise UnreadableTable(f"its header cannot be read: {error}") from None
    if len(set(header)) < len(header):
        raise UnreadableTable("its header names a column twice")
    reader = _Reader(view, _table_of(header))
    for number, line in enumerate(lines[1:], 2):
        if not line.strip(f" {delimiter}"):
            continue
        try:
            cells = cells_of(line)
        except csv.Error as error:
            reader.refuse(number, str(error))
            continue
        if len(cells) != len(header):
            reader.refuse(number, f"it has {len(cells)} cells, the header {len(header)}")
            continue
        reader.read(number, dict(zip(header, map(plain_cell, cells), strict=True)))
    return reader.result()


def import_json(view: ClusterView, data: bytes) -> Imported:
    """Read a table of JSON, a list of objects, and find what it changes.

    Raises:
        UnreadableTable: the file is not such a table.
    """
    try:
        rows = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UnreadableTable(f"it is no JSON: {why_unreadable(error)}") from None
    if not isinstance(rows, list) or not rows or not isinstance(rows[0], dict):
        raise UnreadableTable("not a list of objects")
    table = _table_of([str(name) for name in rows[0]])
    reader = _Reader(view, table)
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict) or not all(isinstance(cell, str) for cell in row.values()):
            reader.refuse(number, "it is no object of strings")
            continue
        if missing := [column for column in NEEDED[table] if column not in row]:
            reader.refuse(number, f"it lacks {missing[0]}")
            continue
        reader.read(number, row)
    return reader.result()


def _table_of(header: Sequence[str]) -> Table:
    for table in NEEDED:
        if all(column in header for column in NEEDED[table]):
            return table
    raise UnreadableTable(
        "the header names neither rel_path and cluster_id (photos) nor cluster_id (clusters); "
        "is it a table of `pcc labels export`, in UTF-8?"
    )


class _Reader:
    """Turns rows into changes; each row is checked against the clusters and the rows before."""

    def __init__(self, view: ClusterView, table: Table) -> None:
        self._view = view
        self._read = self._photo if table == "photos" else self._cluster
        self._result = Imported([], [])
        self._row_of: dict[str, int] = {}
        self._merged: set[str] = set()
        self._merge_targets: set[str] = set()
        self._locked: set[str] = set()
        self._moves: dict[str, list[str]] = {}
        self._splits: dict[str, list[str]] = {}

    @cached_property
    def _key_by_sight(self) -> dict[str, str]:
        """Keys by the path that a table shows, for paths that a table shows in another form."""
        count = Counter(one_line(photo.rel_path) for photo in self._view.photos)
        return {
            path: photo.key
            for photo in self._view.photos
            if (path := one_line(photo.rel_path)) != photo.rel_path and count[path] == 1
        }

    def refuse(self, number: int, reason: str) -> None:
        """Note a row that does not fit."""
        self._result.rows += 1
        self._result.refused.append(RefusedRow(number, reason))

    def read(self, number: int, row: Row) -> None:
        """Check one row and add its changes."""
        before = len(self._result.told)
        try:
            for cell in row.values():
                _check_text(cell)
            self._read(number, row)
        except WrongLabelChange as error:
            self.refuse(number, str(error))
            return
        self._result.rows += 1
        self._result.unchanged += len(self._result.told) == before

    def _once(self, number: int, name: str) -> None:
        first = self._row_of.setdefault(name, number)
        if first != number:
            raise WrongLabelChange(f"row {first} is about the same")

    def _cluster(self, number: int, row: Row) -> None:
        view, id_ = self._view, row["cluster_id"].strip()
        if id_ not in view.clusters:
            raise WrongLabelChange(f"there is no cluster {id_!r}")
        self._once(number, id_)
        cluster = view.clusters[id_]
        changes: list[tuple[LabelChange, str]] = []
        title = row.get("title", cluster.title)
        if _shown(title) != _shown(cluster.title):
            change = rename(view, cluster, title)
            changes.append((change, f"{cluster.title} is now called {change.title}"))
        into = row.get("merge_into", "").strip()
        locked = self._wants_lock(row, cluster)
        if into and locked is not None:
            raise WrongLabelChange("it is locked or unlocked in one import, and merged in the next")
        if locked is not None:
            changes.append(self._lock(cluster, locked=locked))
        if into:
            changes.append(self._merge(cluster, find_cluster(view, into)))
        for change, sentence in changes:
            self._result.changes.append(change)
            self._result.told.append(sentence)

    @staticmethod
    def _wants_lock(row: Row, cluster: Cluster) -> bool | None:
        """Return whether a row asks to lock or to unlock, None if the row asks for neither."""
        wanted = row.get("locked", "yes" if cluster.locked else "no").strip().casefold()
        if wanted not in YES + NO:
            raise WrongLabelChange(f"locked is yes or no, not {wanted!r}")
        return None if (wanted in YES) == cluster.locked else wanted in YES

    def _lock(self, cluster: Cluster, *, locked: bool) -> tuple[LabelChange, str]:
        if not locked:
            return unlock(self._view, cluster), f"{cluster.title} is no longer locked"
        if cluster.id in self._merge_targets:
            raise WrongLabelChange(
                "another row merges something into it; lock it in the next import"
            )
        self._locked.add(cluster.id)
        return lock(self._view, cluster), f"{cluster.title} is locked"

    def _merge(self, cluster: Cluster, target: Cluster) -> tuple[LabelChange, str]:
        if target.id in self._locked:
            raise WrongLabelChange(f"another row locks {target.title}")
        if target.id in self._merged:
            raise WrongLabelChange(f"another row merges {target.title} into something else")
        if cluster.id in self._merge_targets:
            raise WrongLabelChange(f"another row merges something into {cluster.title}")
        change = merge(self._view, target, [cluster])
        self._merged.add(cluster.id)
        self._merge_targets.add(target.id)
        return change, f"{cluster.title} is merged into {target.title}"

    def _photo(self, number: int, row: Row) -> None:
        view, wanted = self._view, row["cluster_id"].strip()
        key = record_key(row["rel_path"], row.get("raw_path") or None)
        key = key if key in view.place_of else self._key_by_sight.get(row["rel_path"], key)
        if key not in view.place_of:
            raise WrongLabelChange(f"there is no photo {row['rel_path']!r}")
        self._once(number, key)
        if wanted == view.leaf_of[view.place_of[key]]:
            return
        check_photo(view, key)
        if wanted.casefold().startswith(NEW):
            title = checked_title(wanted[len(NEW) :])
            self._splits.setdefault(title, []).append(key)
            self._result.told.append(f"{row['rel_path']} goes to a new cluster, {title}")
            return
        if wanted not in view.clusters:
            raise WrongLabelChange(f"there is no cluster {wanted!r}")
        target = check_target(view.clusters[wanted])
        self._moves.setdefault(target.id, []).append(key)
        self._result.told.append(f"{row['rel_path']} goes to {target.title}")

    def result(self) -> Imported:
        """Return all changes; the moves to one cluster are one change."""
        view, changes = self._view, self._result.changes
        changes += [split(view, keys, title) for title, keys in self._splits.items()]
        changes += [move(view, keys, view.clusters[id_]) for id_, keys in self._moves.items()]
        return self._result


def _shown(title: str) -> str:
    """Return a title as a table shows it, so that an untouched title counts as no change."""
    return " ".join(one_line(title).split())


def _check_text(cell: str) -> None:
    try:
        cell.encode()
    except UnicodeEncodeError:
        raise WrongLabelChange("a cell of it is not UTF-8") from None
