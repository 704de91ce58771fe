"""`cluster_export.csv`: a row for each photo."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from pipeline.clusters.view import NO_CAPTION, UNCLUSTERED, ClusterView
from pipeline.reports.labels import Labels
from pipeline.reports.plain import safe_cell

COLUMNS = ("rel_path", "cluster_id", "cluster", "chunk", "label", "status", "distance", "taken")
"""A contract with other programs."""


def csv_lines(view: ClusterView, labels: Labels) -> Iterator[bytes]:
    """Yield the lines of the file, a header first, each with its newline."""
    yield csv_line(COLUMNS)
    titles = {leaf.id: " / ".join(view.path(leaf.id)) for leaf in view.leaves()}
    for place, photo in enumerate(view.photos):
        leaf = view.leaf_of[place]
        distance = view.distance[place]
        yield csv_line(
            [
                photo.rel_path,
                "" if leaf in (UNCLUSTERED, NO_CAPTION) else leaf,
                titles[leaf],
                view.chunk_of(place),
                labels.texts[place],
                photo.status or "",
                "" if distance is None else f"{distance:.4f}",
                photo.taken or "",
            ]
        )


def csv_line(cells: Any) -> bytes:
    """Return one line of CSV; no cell of it is a formula or breaks the line."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([safe_cell(str(cell)) for cell in cells])
    return line.getvalue().encode("utf-8", "replace")
