"""Append-only JSONL journals: records, durable writing, reading, checking and rewriting.

Other packages import from here alone; the modules behind it may change.
"""

from journal.disk import NO_SPACE, free_bytes, sync_directory
from journal.errors import (
    DiskFull,
    JournalError,
    JournalLocked,
    JournalLost,
    JournalWriteFailed,
    RecordUnreadable,
)
from journal.failures import named, what_failed
from journal.index import Index, load_index
from journal.inspection import InspectedLine, inspect_lines
from journal.lines import BOM, UNREADABLE, Seal, check_seal, seal, why_unreadable
from journal.lock import WriterLock, patient_lock
from journal.reader import (
    Follower,
    Malformed,
    collector_off,
    read_chunks,
    read_line,
    read_record,
    scan,
)
from journal.records import (
    RETRYABLE,
    CaptionRecord,
    EditRecord,
    RecordHead,
    Status,
    believed,
    record_key,
    split_path,
    system_path,
    utc_now,
)
from journal.repair import CheckReport, RewriteReport, check, compact, repair
from journal.rewrite import atomic_rewrite, clear_leftovers
from journal.spread import SpreadDict
from journal.writer import Committed, GroupCommit, JournalTail, JournalWriter

__all__ = [
    "BOM",
    "NO_SPACE",
    "RETRYABLE",
    "UNREADABLE",
    "CaptionRecord",
    "CheckReport",
    "Committed",
    "DiskFull",
    "EditRecord",
    "Follower",
    "GroupCommit",
    "Index",
    "InspectedLine",
    "JournalError",
    "JournalLocked",
    "JournalLost",
    "JournalTail",
    "JournalWriteFailed",
    "JournalWriter",
    "Malformed",
    "RecordHead",
    "RecordUnreadable",
    "RewriteReport",
    "Seal",
    "SpreadDict",
    "Status",
    "WriterLock",
    "atomic_rewrite",
    "believed",
    "check",
    "check_seal",
    "clear_leftovers",
    "collector_off",
    "compact",
    "free_bytes",
    "inspect_lines",
    "load_index",
    "named",
    "patient_lock",
    "read_chunks",
    "read_line",
    "read_record",
    "record_key",
    "repair",
    "scan",
    "seal",
    "split_path",
    "sync_directory",
    "system_path",
    "utc_now",
    "what_failed",
    "why_unreadable",
]
