"""What `pcc ingest run` did."""

from __future__ import annotations

import msgspec


class IngestReport(msgspec.Struct, tag_field="kind", tag="ingest-run"):
    """What an ingestion did.

    Attributes:
        run: Id of the run.
        photos: Photos on disk.
        attempted: Photos that got an outcome.
        by_status: Number of attempted photos, by status.
        seconds: Wall-clock time in seconds, pauses left out.
        rate: Attempted photos a second.
        done: Photos that had been through all stages before this run.
        errored: Photos that had failed before this run and were left alone.
        remaining: Photos that still lack something.
        parked: Items of the queue that are given up, and whose photos have no later outcome.
    """

    run: str
    photos: int
    attempted: int
    by_status: dict[str, int]
    seconds: float
    rate: float
    done: int
    errored: int
    remaining: int
    parked: int
