"""`pcc journal check`, `repair` and `compact`: looking at every line, and rewriting the file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from io import FileIO
from pathlib import Path
from typing import TypeVar

import msgspec

from journal.file_kinds import FileKind
from journal.foreign_files import open_regular
from journal.index import Index
from journal.inspection import inspect_lines
from journal.lines import TORN_MARK, Seal, reseal
from journal.lock import WriterLock
from journal.own_files import give_second_name
from journal.reader import Follower
from journal.records import Keyed
from journal.rewrite import atomic_rewrite, clear_leftovers

T = TypeVar("T")
H = TypeVar("H", bound=Keyed)

LISTED_DAMAGE = 1000

PIECE_BYTES = 1 << 20

NewLine = Iterable[bytes] | None
"""A line of the new file, in pieces; None for a line that is left out."""


class Damage(msgspec.Struct):
    """A damaged line, by number from 1 and byte offset."""

    line: int
    offset: int
    reason: str


class CheckReport(msgspec.Struct, kw_only=True, tag_field="kind", tag="journal-check"):
    """What `check` found.

    Attributes:
        lines: Lines in the file, empty ones included.
        records: Lines that hold a record.
        unverified: Records whose crc is absent or does not match. They count all the same.
        torn_tail: Half lines left by a killed writer. They are expected; nothing was lost.
        damaged: Lines that hold no record, or a record whose crc does not match.
        damage: The first 1,000 damaged lines.
    """

    lines: int = 0
    records: int = 0
    unverified: int = 0
    torn_tail: int = 0
    damaged: int = 0
    damage: list[Damage] = msgspec.field(default_factory=list)


class RewriteReport(msgspec.Struct, tag_field="kind", tag="journal-rewrite"):
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
        report.unverified += line.fault is None and line.seal is not Seal.INTACT
        reason = line.fault or (Seal.BROKEN.value if line.seal is Seal.BROKEN else None)
        if reason is not None:
            report.damaged += 1
            if len(report.damage) < LISTED_DAMAGE:
                report.damage.append(Damage(line.number, line.offset, reason))
    return report


def repair(path: Path, record_type: type[T], kind: FileKind, backup: Path) -> RewriteReport:
    """Write the journal anew with every record sealed and every other line left out.

    Args:
        path: The journal.
        record_type: The type of its records.
        kind: What the file must be.
        backup: Where the old file stays.

    Raises:
        JournalLocked: another process writes the journal.
        DiskFull: there is no room for the new file.
        FileExistsError: `backup` exists.
        FileRefused: the file is no journal.
    """

    def new_lines(journal: Path, report: RewriteReport) -> Iterator[NewLine]:
        for line in inspect_lines(journal, record_type):
            if line.fault is not None:
                yield None
            elif line.seal is Seal.INTACT:
                yield [line.data.rstrip(b"\r") + b"\n"]
            else:
                report.resealed += 1
                yield [reseal(line.data)]

    return _rewrite(path, new_lines, kind, backup)


def compact(path: Path, record_type: type[H], kind: FileKind) -> RewriteReport:
    """Keep the last record of each key, byte for byte, and every line that cannot be read.

    Raises:
        JournalLocked: another process writes the journal.
        DiskFull: there is no room for the new file.
        FileRefused: the file is no journal.
    """

    def new_lines(journal: Path, report: RewriteReport) -> Iterator[NewLine]:
        index: Index[str] = Index(Follower(journal, record_type), lambda record: "")
        index.refresh()
        last = index.offsets()
        with open_regular(journal) as file:
            for line in inspect_lines(journal, record_type):
                if line.fault is None:
                    yield [line.data + b"\n"] if line.offset in last else None
                else:
                    yield _whole_line(file, line.offset, line.end)

    return _rewrite(path, new_lines, kind, backup=None)


def _whole_line(file: FileIO, offset: int, end: int) -> Iterator[bytes]:
    """Yield a line that holds no record, however long, and mark the line where nothing ends it."""
    piece = b""
    while offset < end and (
        piece := os.pread(file.fileno(), min(PIECE_BYTES, end - offset), offset)
    ):
        offset += len(piece)
        yield piece
    if not piece.endswith(b"\n"):
        yield TORN_MARK + b"\n"


def _rewrite(
    path: Path,
    new_lines: Callable[[Path, RewriteReport], Iterator[NewLine]],
    kind: FileKind,
    backup: Path | None,
) -> RewriteReport:
    """Put new lines in the place of a journal."""
    report = RewriteReport()
    lock = WriterLock(path, "pcc journal", kind)
    try:
        clear_leftovers(lock.path.parent, lock.path.name)
        with atomic_rewrite(lock.path, lock.path.stat().st_size, kind) as file:
            for pieces in new_lines(lock.path, report):
                if pieces is None:
                    report.dropped += 1
                    continue
                report.kept += 1
                file.writelines(pieces)
            if backup is not None:
                _keep_old(lock.path, backup)
                report.backup = str(backup)
    finally:
        lock.release()
    return report


def _keep_old(journal: Path, backup: Path) -> None:
    """Give the old file a second name, or copy it where the file system has no hard links."""
    try:
        give_second_name(journal, backup)
    except FileExistsError:
        raise
    except OSError:
        with open_regular(journal) as old, atomic_rewrite(backup, journal.stat().st_size) as copy:
            shutil.copyfileobj(old, copy)
