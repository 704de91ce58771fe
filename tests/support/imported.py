"""Imports of a small cache, and queries to the database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from pipeline.ingest.importing.importer import Importer
from pipeline.ingest.importing.report import Adapter, ImportReport
from pipeline.jobs.pause_point import PausePoint
from tests.support.caches import detection, outcome, text, write_cache, write_vectors


def write_three_photos(directory: Path) -> Path:
    """Write a cache of three photos, the last of which is a copy of the first."""
    made = write_cache(
        directory,
        [
            outcome("a.jpg", lines=2),
            outcome("a.jpg", "ocr", 2),
            outcome("b/ö.jpg", lines=1),
            outcome("b/ö.jpg", "ocr", 1),
            outcome("copy.jpg", digest="blake3:a.jpg", copied_from="a.jpg"),
            outcome("copy.jpg", "ocr", digest="blake3:a.jpg", copied_from="a.jpg"),
        ],
        [detection("a.jpg"), detection("a.jpg", 1, "cat"), detection("b/ö.jpg", 0, "bus")],
        [
            text("a.jpg", 0, "STOP", region_id="r1"),
            text("a.jpg", 1, "GO", language=None),
            text("b/ö.jpg", 0, "", source="pause_point", skipped="no text", quad=...),
        ],
    )
    write_vectors(made, {("a.jpg", "r0"): [1.5, -2.0], ("b/ö.jpg", "r0"): [0.25, 4.0]}, "siglip")
    return made


def take_in(cache: Path, db: Path, adapter: Adapter | None = None) -> ImportReport:
    """Import a whole cache, and return the report."""
    importer = Importer(cache, db, adapter)
    importer.run(PausePoint())
    assert importer.report.finished
    return importer.report


def ask(db: Path, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with closing(sqlite3.connect(db)) as connection:
        return connection.execute(query).fetchall()


def dump(db: Path) -> list[str]:
    """Return the whole database as SQL statements."""
    with closing(sqlite3.connect(db)) as connection:
        return list(connection.iterdump())
