"""Exporting labels to a spreadsheet or a program: a table of clusters and a table of photos."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from backends.keys import scrub
from journal import text_kind
from pipeline.clusters.view import SPECIAL, ClusterView
from pipeline.reports.csv_export import csv_line

Table = Literal["clusters", "photos"]

COLUMNS: dict[Table, tuple[str, ...]] = {
    "clusters": (
        *("cluster_id", "title", "locked", "merge_into"),
        *("size", "cluster", "keywords", "exemplar", "exemplar_caption"),
    ),
    "photos": ("rel_path", "raw_path", "cluster_id", "cluster", "caption"),
}
"""People may change title, locked and merge_into of a cluster, and cluster_id of a photo."""


EXPORTS = text_kind(
    "an export of labels",
    *(",".join(columns[:3]) for columns in COLUMNS.values()),
    *(f'[\n  {{\n    "{columns[0]}": ' for columns in COLUMNS.values()),
    "[]",
)


def export_rows(view: ClusterView, table: Table) -> Iterator[dict[str, str]]:
    """Yield the rows of a table, each a dict by the name of the column."""
    if table == "photos":
        for place, photo in enumerate(view.photos):
            leaf = view.leaf_of[place]
            yield {
                "rel_path": photo.rel_path,
                "raw_path": photo.raw_path or "",
                "cluster_id": leaf,
                "cluster": scrub(" / ".join(view.path(leaf))),
                "caption": photo.caption or "",
            }
        return
    for cluster in view.clusters.values():
        if cluster.id in SPECIAL:
            continue
        exemplar = None if cluster.exemplar is None else view.photos[cluster.exemplar]
        yield {
            "cluster_id": cluster.id,
            "title": scrub(cluster.title),
            "locked": "yes" if cluster.locked else "no",
            "merge_into": "",
            "size": str(cluster.size),
            "cluster": scrub(" / ".join(view.path(cluster.id))),
            "keywords": scrub(", ".join(cluster.keywords)),
            "exemplar": exemplar.rel_path if exemplar else "",
            "exemplar_caption": (exemplar.caption or "") if exemplar else "",
        }


def export_csv(view: ClusterView, table: Table) -> Iterator[bytes]:
    """Yield the lines of a table as CSV in which no spreadsheet finds a formula."""
    yield csv_line(COLUMNS[table])
    for row in export_rows(view, table):
        yield csv_line([row[column] for column in COLUMNS[table]])
