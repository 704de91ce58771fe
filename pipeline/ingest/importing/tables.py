"""Rows of an import: inserted or updated by their natural keys, removed if the cache lacks them."""
# ruff: noqa: S608  # what is put into statements are names of our own tables and columns

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from operator import attrgetter

from pipeline.ingest.cache.counting import PhotoOutcomes, source_of, what_counts
from pipeline.ingest.cache.records import StageEnd
from pipeline.ingest.importing.report import ImportReport
from pipeline.ingest.importing.rows import EmbeddingRow, OutcomeRow, PhotoRow, RegionRow, TextRow

PHOTOS_AT_HAND = 4096

_KEPT = ("images", "outcomes", "regions", "texts", "embeddings")

_OUTCOME_COLUMNS = (
    *("stage", "status", "at", "lines", "version", "digest", "width", "height", "error"),
    *("copied_from", "worker", "work"),
)
_outcome_values = attrgetter(*_OUTCOME_COLUMNS[:-1], "item_hash")

_TEXT = "(SELECT id FROM texts WHERE image = ? AND text_id = ?)"
_OUTCOME = "(SELECT id FROM outcomes WHERE image = ? AND stage = ?)"


class Tables:
    """The tables of a database inside its one transaction.

    Args:
        connection: The connection that `transaction` yields.
        cache: Row of the cache.
    """

    def __init__(self, connection: sqlite3.Connection, cache: int) -> None:
        self._sql = connection
        self._cache = cache
        self._lines = dict.fromkeys(_KEPT, 0)
        for table in _KEPT:
            place = ", number INTEGER, start INTEGER" if table == "outcomes" else ""
            connection.execute(f"CREATE TEMP TABLE kept_{table} (id INTEGER PRIMARY KEY{place})")
        self.image = lru_cache(PHOTOS_AT_HAND)(self._image)
        self.photo = lru_cache(PHOTOS_AT_HAND)(self._photo)

    def _image(self, image_id: str, raw_path: str | None) -> int:
        """Return the row of a photo, made if there is none, and keep the row."""
        row = self._find(image_id, raw_path)
        if row is None:
            row = self._sql.execute(
                "INSERT INTO images (cache, image_id, raw_path) VALUES (?, ?, ?)",
                (self._cache, image_id, raw_path),
            ).lastrowid
            assert row is not None
        self._sql.execute("INSERT OR IGNORE INTO kept_images VALUES (?)", (row,))
        return row

    def _find(self, image_id: str, raw_path: str | None) -> int | None:
        where = "image_id = ? AND raw_path IS NULL" if raw_path is None else "raw_path = ?"
        found = self._sql.execute(
            f"SELECT id FROM images WHERE {where}",
            (image_id if raw_path is None else raw_path,),
        ).fetchone()
        return None if found is None else int(found[0])

    def is_new(self, image_id: str, raw_path: str | None) -> bool:
        """Tell whether this import has not come across a photo yet."""
        row = self._find(image_id, raw_path)
        kept = "SELECT 1 FROM kept_images WHERE id = ?"
        return row is None or self._sql.execute(kept, (row,)).fetchone() is None

    def _photo(self, image_id: str, raw_path: str | None) -> PhotoRow | None:
        """Return what is known of a photo, None if no outcome tells of it."""
        row = self._find(image_id, raw_path)
        found = self._sql.execute(
            "SELECT id, width, height FROM images JOIN kept_images USING (id) WHERE id = ?", (row,)
        ).fetchone()
        if found is None:
            return None
        last = self._sql.execute(
            """SELECT stage, status, digest, lines, work, copied_from
            FROM outcomes JOIN kept_outcomes USING (id) WHERE image = ? ORDER BY number""",
            (row,),
        )
        image, width, height = found
        outcomes = what_counts(
            StageEnd(
                image_id, stage, status, raw_path, digest, lines, item_hash=work, copied_from=of
            )
            for stage, status, digest, lines, work, of in last
        )
        return PhotoRow(image, width, height, outcomes)

    def put_outcomes(self, rows: Sequence[OutcomeRow]) -> None:
        """Put in outcomes; of two for one photo and stage the last counts."""
        self._put(
            "outcomes",
            ("image", *_OUTCOME_COLUMNS),
            "image, stage",
            [(row.image, *_outcome_values(row.outcome)) for row in rows],
        )
        self._sql.executemany(
            f"INSERT OR REPLACE INTO kept_outcomes VALUES ({_OUTCOME}, ?, ?)",
            ((row.image, row.outcome.stage, row.number, row.offset) for row in rows),
        )

    def put_regions(self, rows: Sequence[RegionRow]) -> None:
        """Put in regions with their labels; of two with one name the last counts."""
        columns = ("image", "region_id", "x0", "y0", "x1", "y1", "caption", "detector_version")
        self._put(
            "regions",
            columns,
            "image, region_id",
            [(row.image, row.region_id, *row.bbox, row.caption, row.version) for row in rows],
        )
        last = {row[:2]: row.labels for row in rows}
        find = "SELECT id FROM regions WHERE image = ? AND region_id = ?"
        found = [self._sql.execute(find, name).fetchone()[0] for name in last]
        self._sql.executemany(
            "INSERT OR IGNORE INTO kept_regions VALUES (?)", ((region,) for region in found)
        )
        self._sql.executemany(
            "DELETE FROM labels WHERE region = ? AND rank >= ?",
            zip(found, map(len, last.values()), strict=True),
        )
        self._sql.executemany(
            """INSERT INTO labels VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (region, rank) DO UPDATE SET
                label = excluded.label, score = excluded.score, source = excluded.source""",
            (
                (region, rank, label.label, label.score, label.source)
                for region, labels in zip(found, last.values(), strict=True)
                for rank, label in enumerate(labels)
            ),
        )

    def put_texts(self, rows: Sequence[TextRow]) -> None:
        """Put in texts; of two with one name the last counts."""
        self._put("texts", TextRow._fields, "image, text_id", rows)
        self._keep("texts", _TEXT, [row[:2] for row in rows])

    def put_embeddings(self, rows: Sequence[EmbeddingRow]) -> None:
        """Put in vectors; of two for one region the last counts."""
        self._put("embeddings", EmbeddingRow._fields, "region", rows)
        self._keep("embeddings", "?", [row[:1] for row in rows])

    def _put(
        self, table: str, columns: tuple[str, ...], natural: str, rows: Sequence[tuple[object, ...]]
    ) -> None:
        values = ", ".join("?" * len(columns))
        change = ", ".join(f"{name} = excluded.{name}" for name in columns)
        self._sql.executemany(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values}) "
            f"ON CONFLICT ({natural}) DO UPDATE SET {change}",
            rows,
        )
        self._lines[table] += len(rows)

    def _keep(self, table: str, found: str, names: Sequence[tuple[object, ...]]) -> None:
        self._sql.executemany(f"INSERT OR IGNORE INTO kept_{table} VALUES ({found})", names)

    def region(self, image: int, region_id: str) -> int | None:
        """Return the row of a region that this import has put in, None where there is none."""
        found = self._sql.execute(
            "SELECT id FROM regions JOIN kept_regions USING (id) WHERE image = ? AND region_id = ?",
            (image, region_id),
        ).fetchone()
        return None if found is None else int(found[0])

    def digests(self) -> sqlite3.Cursor:
        """Return image_id, raw_path and content hash of each photo, ordered by key."""
        return self._sql.execute(
            """SELECT image_id, raw_path, digest FROM images JOIN kept_images USING (id)
            ORDER BY raw_path IS NULL, raw_path, image_id"""
        )

    def set_size(self, image: int, width: int | None, height: int | None) -> None:
        """Set the size of a photo that has no outcome."""
        self._sql.execute(
            "UPDATE images SET width = ?, height = ? WHERE id = ?", (width, height, image)
        )

    def settle_photos(self) -> Iterator[tuple[int, int, str]]:
        """Give photos the digest and the size of their last outcomes, and copies their originals.

        Yields:
            For a copy whose original is not there: number and offset of the line, and a reason.
        """
        self.drop_gone("outcomes")
        self._sql.execute(
            """UPDATE images SET
            digest = (
                SELECT outcomes.digest FROM outcomes JOIN kept_outcomes USING (id)
                WHERE outcomes.image = images.id ORDER BY number DESC LIMIT 1
            ),
            (width, height) = (
                SELECT outcomes.width, outcomes.height FROM outcomes JOIN kept_outcomes USING (id)
                WHERE outcomes.image = images.id AND outcomes.width + outcomes.height IS NOT NULL
                ORDER BY number DESC LIMIT 1
            )"""
        )
        self._sql.execute(
            """UPDATE outcomes SET original = (
                SELECT same.id FROM images JOIN images AS same
                WHERE images.id = outcomes.image AND same.image_id = outcomes.copied_from
                AND same.id != images.id AND same.digest IS images.digest
                AND same.id IN (SELECT id FROM kept_images)
                ORDER BY same.raw_path IS NOT NULL, same.id LIMIT 1
            ) WHERE copied_from IS NOT NULL OR original IS NOT NULL"""
        )
        self._sql.execute(
            """UPDATE images SET copied_from = (
                SELECT original FROM outcomes
                WHERE image = images.id AND original IS NOT NULL ORDER BY stage LIMIT 1
            )"""
        )
        yield from self._sql.execute(
            """SELECT number, start, 'a copy of ' || copied_from || ', which is not there as it was'
            FROM outcomes JOIN kept_outcomes USING (id)
            WHERE copied_from IS NOT NULL AND original IS NULL ORDER BY number"""
        )
        self._point_copies_at_lines()

    def _point_copies_at_lines(self) -> None:
        """Have the views find the regions and texts of a copy where they stand."""
        copies = self._sql.execute(
            """SELECT DISTINCT image_id, raw_path FROM images
            JOIN outcomes ON outcomes.image = images.id AND outcomes.copied_from IS NOT NULL"""
        ).fetchall()
        for image_id, raw_path in copies:
            photo = self.photo(image_id, raw_path)
            assert photo is not None
            outcomes = photo.outcomes
            for stage, outcome in (("detect", outcomes.regions), ("ocr", outcomes.texts)):
                if outcome is None:
                    continue
                source = source_of(image_id, outcome, self._outcomes_of)
                if source is not None:
                    original = None if source.key == image_id else self._find(source.key, None)
                    self._sql.execute(
                        "UPDATE outcomes SET original = ? WHERE image = ? AND stage = ?",
                        (original, photo.image, stage),
                    )

    def _outcomes_of(self, key: str) -> PhotoOutcomes[StageEnd]:
        photo = self.photo(key, None)
        return PhotoOutcomes() if photo is None else photo.outcomes

    def missing(self, stage: str, table: str) -> int:
        """Return how many lines that the outcomes of a stage count are not there."""
        return int(
            self._sql.execute(
                f"""SELECT ifnull(sum(lines - found), 0) FROM (
                    SELECT lines, (SELECT count(*) FROM {table} WHERE image = outcomes.image)
                    AS found FROM outcomes
                    WHERE stage = ? AND copied_from IS NULL AND original IS NULL
                ) WHERE lines > found""",
                (stage,),
            ).fetchone()[0]
        )

    def drop_gone(self, table: str) -> int:
        """Remove the rows that the cache no longer has, and return how many there were."""
        name = "region" if table == "embeddings" else "id"
        return self._sql.execute(
            f"DELETE FROM {table} WHERE {name} NOT IN (SELECT id FROM kept_{table})"
        ).rowcount

    def count(self, report: ImportReport) -> None:
        """Write the number of rows of each table into a report."""
        for table in (*_KEPT, "labels"):
            setattr(report, table, self._count(table))
        report.copies = self._count("images WHERE copied_from IS NOT NULL")
        kept = sum(self._count(f"kept_{table}") for table in _KEPT if table != "images")
        report.superseded = sum(self._lines.values()) - kept

    def _count(self, table: str) -> int:
        return int(self._sql.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
