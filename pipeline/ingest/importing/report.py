"""What an import took in, and what it passed over."""

from __future__ import annotations

from typing import Literal

import msgspec

Adapter = Literal["phase-1", "schema", "digest"]
"""What reads a cache that is not as it ought to be: one JSON file for each photo; a cache of
another version, as far as it has our fields; one whose dataset_digest does not fit, as it is."""

MOST_NAMED = 1000


class Skipped(msgspec.Struct, frozen=True):
    """Something of a cache that did not make it into the database.

    Attributes:
        file: Where it stands, relative to the cache.
        line: Counted from 1; of a file that holds one document, 1.
        offset: In bytes, of that line.
        why: What is wrong with it.
    """

    file: str
    line: int
    offset: int
    why: str


class ImportReport(msgspec.Struct, kw_only=True, tag_field="kind", tag="ingest-import"):
    """What came of an import, as `--json` prints it.

    Attributes:
        finished: Whether the database holds it; else it is as it was.
        cache_id: Of the cache.
        adapted: The adapter that read it, None without one.
        images: Photos in the database now.
        copies: Of those, photos that are the same as another.
        outcomes: Stages that photos went through.
        regions: Regions in the database now.
        labels: Labels of regions.
        texts: Texts, and reasons why photos were not read.
        embeddings: Vectors of regions.
        removed: Rows that the cache no longer has, by table.
        superseded: Lines that have another with the same identity further down.
        left_over: Lines that no outcome counts; killed workers and work done anew leave them.
        unverified: Lines that count although their crc is missing or does not match.
        torn: Half lines of killed workers; nothing was lost with them.
        missing: Lines that outcomes count and that are not there, by file.
        skipped: Lines or parts of documents that were passed over, by file.
        named: The first 1,000 of those.
        remarks: What else there is to say, a sentence each.
        seconds: How long it took.
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
        """Count what is passed over, and name it while there is room."""
        self.skipped[file] = self.skipped.get(file, 0) + 1
        if len(self.named) < MOST_NAMED:
            self.named.append(Skipped(file, line, offset, why))
