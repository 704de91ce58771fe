"""What an ingestion and an import did, and how cache and queue stand, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pcc_tui.words.figures import counted, counts, duration
from pipeline.ingest.importing.report import ImportReport
from pipeline.ingest.report import IngestReport

if TYPE_CHECKING:
    from pipeline.ingest.queue.base import Counts
    from pipeline.ingest.status import IngestStatus

MOST_SHOWN = 200
"""Most photos listed that were given up; `pcc ingest status --json` lists all of them."""


def ingest_words(report: IngestReport, *, go_on: str, why: str) -> list[str]:
    """Return what an ingestion did, line by line.

    Args:
        report: What the ingestion did.
        go_on: Tells the reader how to go on.
        why: Tells the reader where the reasons stand.
    """
    if not report.photos:
        lines = ["There are no such photos"]
    elif not report.attempted and not report.remaining:
        errored = f", {report.errored:,} failed before" if report.errored else ""
        through = counted(report.done, "photo has", "photos have")
        lines = [f"Nothing to do: {through} been through all stages{errored}"]
    else:
        done = counted(report.attempted, "photo", "photos")
        lines = [f"{done} ({counts(report.by_status)}) in {duration(report.seconds)}"]
    if report.remaining:
        lines.append(f"{counted(report.remaining, 'photo is', 'photos are')} left; {go_on}")
    if report.parked:
        lines.append(f"{counted(report.parked, 'photo was', 'photos were')} given up; {why}")
    return lines


def import_words(report: ImportReport) -> list[str]:
    """Return what an import took in, line by line."""
    if not report.finished:
        return ["Stopped; the database is as it was"]
    taken = ", ".join(
        f"{getattr(report, name):,} {name}"
        for name in ("images", "regions", "labels", "texts", "embeddings")
    )
    skipped = sum(report.skipped.values())
    return [
        f"Imported: {taken}, in {duration(report.seconds)}",
        *report.remarks,
        *([f"{skipped:,} lines were skipped:"] if skipped else []),
        *(f"  {one.file}, line {one.line:,}: {one.why}" for one in report.named[:MOST_SHOWN]),
    ]


def queue_words(queue: Counts) -> str:
    """Return how many items of a queue wait, are leased or were given up, on one line."""
    return (
        f"{queue.waiting:,} waiting, {queue.leased:,} in hands, {queue.parked:,} given up"
        f"{', paused' if queue.paused else ''}"
    )


def status_words(
    found: IngestStatus,
    cache: str,
    most: int = MOST_SHOWN,
    *,
    again: str = "pcc ingest run --retry-errors",
) -> list[str]:
    """Return how a cache and its queue stand, line by line.

    Args:
        found: How cache and queue stand.
        cache: Directory of the cache, as it is to be shown.
        most: Most photos listed that were given up.
        again: The command that tries again what was given up.
    """
    lines = [f"{counted(found.photos, 'photo', 'photos')} in {cache}"]
    for stage, by_status in found.stages.items():
        who = found.models.get(stage)
        lines.append(f"  {stage}: {counts(by_status)}{f', by {who}' if who else ''}")
    if found.damaged:
        lines.append(f"{found.damaged:,} lines of outcomes.jsonl hold no record")
    if found.parked:
        lines.append(f"Given up; `{again}` tries them again:")
    lines += [f"  {parked.image_id}: {parked.reason}" for parked in found.parked[:most]]
    if len(found.parked) > most:
        lines.append(f"  and {len(found.parked) - most:,} more; --json lists them all")
    return lines
