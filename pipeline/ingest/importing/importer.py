"""Import of a cache: in one transaction, and the same cache gives the same rows."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import msgspec

from journal import record_key
from pipeline.ingest.cache.manifest import CacheManifest, dataset_digest
from pipeline.ingest.errors import CacheRefused
from pipeline.ingest.importing.adapters import Chosen, choose
from pipeline.ingest.importing.database import transaction
from pipeline.ingest.importing.phase_one_rows import import_documents
from pipeline.ingest.importing.replay import OUTCOMES, Replay
from pipeline.ingest.importing.report import Adapter, ImportReport
from pipeline.ingest.importing.tables import Tables
from pipeline.jobs.pause_point import PausePoint


class Importer:
    """Imports one cache.

    Args:
        cache: Directory of the cache.
        database: The database file; made if it is missing.
        adapter: Reads a cache of another form, None for a cache of this form.

    Attributes:
        report: What the import did.
    """

    def __init__(self, cache: Path, database: Path, adapter: Adapter | None = None) -> None:
        self.report = ImportReport(adapted=adapter)
        self._cache = cache
        self._database = database
        self._adapter = adapter

    def run(self, pause_point: PausePoint) -> None:
        """Import the cache, and fill in the report.

        Raises:
            GivenUp: the import was cancelled; the database is as it was.
            CacheRefused: cache or database are of another kind; neither was touched.
            JournalLocked: another process writes the database.
            DiskFull: there is no room; the database is as it was.
            OSError: a file cannot be read or written; the database is as it was.
        """
        began = time.monotonic()
        chosen = choose(self._cache, self._adapter)
        with transaction(self._database) as connection:
            tables = Tables(connection, self._put_cache(connection, chosen))
            if chosen.adapter == "phase-1":
                import_documents(self._cache, tables, self.report, pause_point)
            else:
                self._replay(chosen, tables, pause_point)
            pause_point.begin("checking what is in the database", 0)
            self._settle(connection, tables)
            pause_point.go_through(0)
        self.report.seconds = round(time.monotonic() - began, 3)
        self.report.finished = True

    def _put_cache(self, connection: sqlite3.Connection, chosen: Chosen) -> int:
        manifest, adapter = chosen
        self.report.cache_id = manifest.cache_id
        held = connection.execute("SELECT cache_id FROM caches").fetchone()
        if held is not None and held[0] != manifest.cache_id:
            raise CacheRefused(
                f"{self._database} holds the cache {held[0]}, not {manifest.cache_id}; "
                "--db names another file"
            )
        columns = [*_COLUMNS, "models", "adapted"]
        values = [getattr(manifest, name) for name in _COLUMNS]
        change = ", ".join(f"{name} = excluded.{name}" for name in columns)
        row: int = connection.execute(
            f"INSERT INTO caches ({', '.join(columns)}) "  # noqa: S608
            f"VALUES ({', '.join('?' * len(columns))}) ON CONFLICT (cache_id) DO UPDATE SET "
            f"{change} RETURNING id",
            (*values, msgspec.json.encode(manifest.models, order="sorted").decode(), adapter),
        ).fetchone()[0]
        return row

    def _replay(self, chosen: Chosen, tables: Tables, pause_point: PausePoint) -> None:
        replay = Replay(self._cache, tables, self.report, pause_point, chosen.adapter)
        replay.outcomes()
        if chosen.adapter != "schema":
            self._compare_digest(chosen.manifest, tables)
        replay.regions()
        replay.texts()
        replay.embeddings()

    def _compare_digest(self, manifest: CacheManifest, tables: Tables) -> None:
        """Make sure that the photos are those of the manifest.

        Raises:
            CacheRefused: they are others; or they are the same, and an adapter was given.
        """
        photos = ((record_key(name, raw), digest) for name, raw, digest in tables.digests())
        found, expected = dataset_digest(photos), manifest.dataset_digest
        if self._adapter == "digest":
            if found == expected:
                raise CacheRefused(
                    f"the dataset_digest of {self._cache} fits; leave out --adapt digest"
                )
            return
        if found == expected:
            return
        if self.report.skipped.get(OUTCOMES):
            self.report.remarks.append(
                f"the dataset_digest cannot be compared: lines of {OUTCOMES} were passed over"
            )
            return
        raise CacheRefused(
            f"the outcomes of the cache {self._cache} have the dataset_digest {found}, and its "
            f"manifest says {expected or 'none'}: it is still being made, or parts of it are "
            "another's; `pcc ingest run` brings the manifest up to date, --adapt digest takes the "
            "cache as it is"
        )

    def _settle(self, connection: sqlite3.Connection, tables: Tables) -> None:
        """Remove rows that the cache no longer has, and count the rest."""
        for table in ("embeddings", "texts", "regions", "images"):
            if removed := tables.drop_gone(table):
                self.report.removed[table] = removed
        broken = connection.execute("PRAGMA foreign_key_check").fetchone()
        if broken is not None:
            raise sqlite3.IntegrityError(f"a row of {broken[0]} refers to none of {broken[2]}")
        for stage, file, table in (
            ("detect", "detections.jsonl", "regions"),
            ("ocr", "ocr.jsonl", "texts"),
        ):
            if missing := tables.missing(stage, table):
                self.report.missing[file] = missing
        tables.count(self.report)


_COLUMNS = ("cache_id", "phase", "version", "generated_at", "schema_hash", "dataset_digest")
