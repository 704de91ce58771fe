"""Totals of a captions journal, read once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import msgspec

from journal import CaptionRecord, Malformed, Seal, believed, inspect_lines, record_key, scan


class Stats(msgspec.Struct, kw_only=True, tag_field="kind", tag="stats"):
    """What `pcc stats --json` prints. Figures that no attempt can have count for no sum.

    Attributes:
        records: Photos with a record.
        by_status: Photos by the status of the last record.
        by_backend: Photos by the backend of the last record.
        by_model: Photos by the model of the last record.
        first_at: Time of the first record, UTC.
        last_at: Time of the last record, UTC.
        tokens_in: Tokens of pictures and prompts, over all attempts.
        tokens_out: Tokens of answers, over all attempts.
        cost_usd: Cost of all attempts in US dollars.
        seconds_mean: Mean time of an attempt that reached the backend.
        malformed: Lines that hold no record.
        unverified: Records whose crc is absent or does not match.
    """

    records: int = 0
    by_status: dict[str, int] = {}
    by_backend: dict[str, int] = {}
    by_model: dict[str, int] = {}
    first_at: str | None = None
    last_at: str | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float = 0.0
    seconds_mean: float | None = None
    malformed: Malformed = msgspec.field(default_factory=Malformed)
    unverified: int = 0


def read_stats(journal: Path) -> Stats:
    """Add up a journal; a journal that does not exist gives zeros."""
    stats = Stats()
    if not journal.exists():
        return stats
    last: dict[str, tuple[str, str | None, str | None]] = {}
    interned: dict[tuple[str, str | None, str | None], tuple[str, str | None, str | None]] = {}
    seconds = timed = 0.0
    for line in inspect_lines(journal, CaptionRecord):
        record = line.record
        if record is None:
            stats.malformed.count(line.number, torn=line.torn)
            continue
        stats.unverified += line.seal is not Seal.INTACT
        made = (record.status, record.backend, record.model)
        last[record_key(record.rel_path, record.raw_path)] = interned.setdefault(made, made)
        _add(stats, record)
        taken = believed(record.seconds)
        if taken is not None:
            seconds += taken
            timed += 1
    stats.records = len(last)
    stats.by_status = _count(status for status, _, _ in last.values())
    stats.by_backend = _count(backend for _, backend, _ in last.values())
    stats.by_model = _count(model for _, _, model in last.values())
    stats.seconds_mean = round(seconds / timed, 4) if timed else None
    return stats


def _add(stats: Stats, record: CaptionRecord) -> None:
    if record.at is not None:
        stats.first_at = min(stats.first_at or record.at, record.at)
        stats.last_at = max(stats.last_at or record.at, record.at)
    stats.tokens_in += believed(record.tokens_in) or 0
    stats.tokens_out += believed(record.tokens_out) or 0
    stats.cost_usd += believed(record.cost_usd) or 0.0


def _count(names: Iterable[str | None]) -> dict[str, int]:
    return dict(Counter(name for name in names if name is not None).most_common())


def count_copies(journal: Path) -> int:
    """Return how many photos have a caption copied from an identical file."""
    copies: set[str] = set()
    for _, record in scan(journal, CaptionRecord):
        key = record_key(record.rel_path, record.raw_path)
        (copies.discard if record.copied_from is None else copies.add)(key)
    return len(copies)
