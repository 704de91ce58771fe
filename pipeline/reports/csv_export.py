"""`cluster_export.csv`: a row for each photo."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.clusters.view import NO_CAPTION, UNCLUSTERED, ClusterView
from pipeline.reports.photo_texts import PhotoTexts
from pipeline.reports.plain import safe_cell

COLUMNS = ("rel_path", "cluster_id", "cluster", "chunk", "label", "status", "distance", "taken")
"""The columns are a contract with other programs."""


def csv_lines(view: ClusterView, labels: PhotoTexts) -> Iterator[bytes]:
    """Yield the lines of the file with their newlines, the header first."""
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


def csv_line(cells: Iterable[object]) -> bytes:
    """Return one line of CSV (RFC 4180); no cell is a formula or breaks the line.

    Cells with a semicolon or a tab are quoted too, because a spreadsheet may take either for
    a separator, and the following text for a formula.
    """
    shown = [_quoted(safe_cell(str(cell))) for cell in cells]
    return (",".join(shown) + "\n").encode("utf-8", "replace")


def _quoted(cell: str) -> str:
    if not any(char in cell for char in ',;\t"'):
        return cell
    escaped = cell.replace('"', '""')
    return f'"{escaped}"'
