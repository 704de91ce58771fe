"""What an import took in, and what it passed over."""

from __future__ import annotations

from typing import Literal

import msgspec

Adapter = Literal["phase-1", "schema", "digest"]
"""Reads a cache of another form. `phase-1`: one JSON file for each photo. `schema`: a cache of
another version, as far as it has the fields of this one. `digest`: a cache whose dataset_digest
does not fit its outcomes."""

MOST_NAMED = 1000


class Skipped(msgspec.Struct, frozen=True):
    """Something of a cache that did not make it into the database.

    Attributes:
        file: Path of the file, relative to the cache.
        line: Number of the line, from 1; 1 for a file that holds one document.
        offset: Byte offset of the line.
        why: What is wrong, a few words.
    """

    file: str
    line: int
    offset: int
    why: str


class ImportReport(msgspec.Struct, kw_only=True, tag_field="kind", tag="ingest-import"):
    """What an import did, as `--json` prints it.

    Attributes:
        finished: Whether the database holds the cache; if not, the database is as it was.
        cache_id: Name of the cache.
        adapted: The adapter that read the cache, None without one.
        images: Photos in the database now.
        copies: Photos in the database that are copies of others.
        outcomes: Outcomes of stages in the database now.
        regions: Regions in the database now.
        labels: Labels of regions in the database now.
        texts: Texts, and reasons why photos were not read, in the database now.
        embeddings: Vectors of regions in the database now.
        removed: Rows that the cache no longer has and that were removed, by table.
        superseded: Lines that are followed by another line with the same identity.
        left_over: Lines that no outcome counts; killed workers and repeated runs leave them.
        unverified: Lines that count although their crc is missing or does not match.
        torn: Half lines of killed workers; nothing was lost with them.
        missing: Lines that outcomes count and that are not there, by file.
        skipped: Lines or parts of documents that were passed over, by file.
        named: The first 1,000 lines or parts that were passed over.
        remarks: What else there is to say, a sentence each.
        seconds: Wall-clock time in seconds.
    """

    finished: bool = False
    cache_id: str = ""
    adapted: Adapter | None = None
    images: int = 0
    copies: int = 0
    outcomes: int = 0
    regions: int = 0
    labels: int = 0
    texts: int = 0
    embeddings: int = 0
    removed: dict[str, int] = {}
    superseded: int = 0
    left_over: int = 0
    unverified: int = 0
    torn: int = 0
    missing: dict[str, int] = {}
    skipped: dict[str, int] = {}
    named: list[Skipped] = []
    remarks: list[str] = []
    seconds: float = 0.0

    def skip(self, file: str, line: int, offset: int, why: str) -> None:
        """Count a line that is passed over, and name it while there is room."""
        self.skipped[file] = self.skipped.get(file, 0) + 1
        if len(self.named) < MOST_NAMED:
            self.named.append(Skipped(file, line, offset, why))
