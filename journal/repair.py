"""`pcc journal check`, `repair` and `compact`: looking at every line, and rewriting the file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from journal.index import load_index
from journal.inspection import Line, inspect_lines
from journal.lines import Seal, reseal
from journal.lock import WriterLock
from journal.rewrite import atomic_rewrite

T = TypeVar("T")

LISTED_DAMAGE = 1000


class Damage(msgspec.Struct):
    """A damaged line, by number from 1 and byte offset."""

    line: int
    offset: int
    reason: str


class CheckReport(msgspec.Struct, kw_only=True):
    """What `check` found.

    Attributes:
        lines: Lines in the file, empty ones included.
        records: Lines that hold a record.
        unverified: Records without a crc; they count, but nothing vouches for them.
        torn_tail: Half lines left by a killed writer; expected, nothing was lost.
        damaged: Lines that hold no record, or one whose crc does not match.
        damage: The first 1,000 of them.
    """

    lines: int = 0
    records: int = 0
    unverified: int = 0
    torn_tail: int = 0
    damaged: int = 0
    damage: list[Damage] = msgspec.field(default_factory=list)


class RewriteReport(msgspec.Struct):
    """What a rewrite did.

    Attributes:
        kept: Lines of the new file.
        dropped: Lines of the old file that are not in the new one.
        resealed: Records that got a new crc.
        backup: The old file, where it was kept.
    """

    kept: int = 0
    dropped: int = 0
    resealed: int = 0
    backup: str | None = None


def check(path: Path, record_type: type[T]) -> CheckReport:
    """Read every line of a journal and compare it with its crc."""
    report = CheckReport()
    for line in inspect_lines(path, record_type):
        report.lines = line.number
        if line.torn:
            report.torn_tail += 1
            continue
        report.records += line.fault is None
        report.unverified += line.fault is None and line.seal is Seal.ABSENT
        reason = line.fault or (Seal.BROKEN.value if line.seal is Seal.BROKEN else None)
        if reason is not None:
            report.damaged += 1
            if len(report.damage) < LISTED_DAMAGE:
                report.damage.append(Damage(line.number, line.offset, reason))
    return report


def repair(path: Path, record_type: type[T], backup: Path) -> RewriteReport:
    """Write the journal anew with every record sealed and every other line left out.

    Args:
        path: The journal.
        record_type: What its lines hold.
        backup: Where the old file stays.

    Raises:
        JournalLocked: it is being written.
        DiskFull: there is no room for the new file.
        FileExistsError: `backup` exists.
    """

    def mended(line: Line[T], report: RewriteReport) -> bytes | None:
        if line.fault is not None:
            return None
        if line.seal is Seal.INTACT:
            return line.data.rstrip(b"\r") + b"\n"
        report.resealed += 1
        return reseal(line.data)

    return _rewrite(path, record_type, mended, backup)


def compact(path: Path, record_type: type[T]) -> RewriteReport:
    """Keep the last record of each key, byte for byte, and every line that cannot be read.

    Raises:
        JournalLocked: it is being written.
        DiskFull: there is no room for the new file.
    """
    last: set[int] = set()

    def kept(line: Line[T], report: RewriteReport) -> bytes | None:
        if not last:
            last.update(load_index(path).offsets())
        return line.data + b"\n" if line.fault is not None or line.offset in last else None

    return _rewrite(path, record_type, kept, backup=None)


def _rewrite(
    path: Path,
    record_type: type[T],
    new_line: Callable[[Line[T], RewriteReport], bytes | None],
    backup: Path | None,
) -> RewriteReport:
    """Put what `new_line` makes of each line in the place of the journal."""
    report = RewriteReport()
    lock = WriterLock(path, "pcc journal")
    try:
        with atomic_rewrite(lock.path, needed=lock.path.stat().st_size) as file:
            for line in inspect_lines(lock.path, record_type):
                data = new_line(line, report)
                if data is None:
                    report.dropped += 1
                    continue
                report.kept += 1
                file.write(data)
            if backup is not None:
                os.link(lock.path, backup)
                report.backup = str(backup)
    finally:
        lock.release()
    return report
