"""What an ingestion did and how it stands, in words, for the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from pcc_tui.words.figures import counted, counts, duration
from pipeline.ingest.importing.report import ImportReport

if TYPE_CHECKING:
    from pipeline.ingest.ingestion import IngestReport
    from pipeline.ingest.queue.base import Counts
    from pipeline.ingest.status import IngestStatus

MOST_SHOWN = 200
"""Photos given up that are listed; `pcc ingest status --json` lists them all."""


class IngestAnswer(msgspec.Struct):
    """What the app needs of the answer of `pcc ingest run`."""

    photos: int
    attempted: int
    by_status: dict[str, int]
    seconds: float
    done: int
    errored: int
    remaining: int
    parked: int


def ingest_words(answer: IngestAnswer | IngestReport, *, go_on: str, why: str) -> list[str]:
    """Return what an ingestion did, line by line.

    Args:
        answer: What it did.
        go_on: How to go on.
        why: What tells why photos were given up.
    """
    if not answer.photos:
        lines = ["There are no such photos"]
    elif not answer.attempted and not answer.remaining:
        errored = f", {answer.errored:,} failed before" if answer.errored else ""
        through = counted(answer.done, "photo has", "photos have")
        lines = [f"Nothing to do: {through} been through all stages{errored}"]
    else:
        done = counted(answer.attempted, "photo", "photos")
        lines = [f"{done} ({counts(answer.by_status)}) in {duration(answer.seconds)}"]
    if answer.remaining:
        lines.append(f"{counted(answer.remaining, 'photo is', 'photos are')} left; {go_on}")
    if answer.parked:
        lines.append(f"{counted(answer.parked, 'photo was', 'photos were')} given up; {why}")
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
    """Return what is where in a queue, on one line."""
    return (
        f"{queue.waiting:,} waiting, {queue.leased:,} in hands, {queue.parked:,} given up"
        f"{', paused' if queue.paused else ''}"
    )


def status_words(found: IngestStatus, cache: str, most: int = MOST_SHOWN) -> list[str]:
    """Return how a cache and its queue stand, line by line.

    Args:
        found: What was found.
        cache: The directory, as it is to be shown.
        most: Photos given up that are listed.
    """
    lines = [f"{counted(found.photos, 'photo', 'photos')} in {cache}"]
    for stage, by_status in found.stages.items():
        who = found.models.get(stage)
        lines.append(f"  {stage}: {counts(by_status)}{f', by {who}' if who else ''}")
    if found.damaged:
        lines.append(f"{found.damaged:,} lines of outcomes.jsonl hold no record")
    if found.parked:
        lines.append("Given up; `pcc ingest run --retry-errors` tries them again:")
    lines += [f"  {parked.image_id}: {parked.reason}" for parked in found.parked[:most]]
    if len(found.parked) > most:
        lines.append(f"  and {len(found.parked) - most:,} more; --json lists them all")
    return lines
