"""check, repair and compact."""

from __future__ import annotations

from pathlib import Path

import pytest

from journal import (
    CAPTIONS,
    CaptionRecord,
    JournalLocked,
    RecordHead,
    WriterLock,
    check,
    compact,
    repair,
    scan,
)
from journal.lines import TORN_MARK
from tests.journal.test_reader import line

PLAIN = b'{"rel_path": "p", "caption": "x", "status": "success", "future": 1e-05}\n'


def test_check_names_damage_by_line_and_offset(tmp_path: Path) -> None:
    path = tmp_path / "j"
    flipped = line("b").replace(b'"c"', b'"d"')
    path.write_bytes(
        line("a") + b"garbage\n" + flipped + PLAIN + b"{" + TORN_MARK + b"\n" + b'{"re'
    )
    report = check(path, CaptionRecord)

    first, second = report.damage
    assert (first.line, first.offset) == (2, len(line("a")))
    assert (second.line, second.offset) == (3, len(line("a")) + 8)
    assert second.reason == "crc does not match"
    assert (report.damaged, report.torn_tail, report.unverified) == (2, 2, 2)
    assert report.records == 3


def test_repair_seals_what_it_can_read_and_keeps_the_old_file(tmp_path: Path) -> None:
    path, backup = tmp_path / "j", tmp_path / "old"
    before = line("a") + b"garbage\n" + PLAIN + line("b").replace(b"\n", b"\r\n") + b'{"torn'
    path.write_bytes(before)
    report = repair(path, CaptionRecord, CAPTIONS, backup)

    assert backup.read_bytes() == before
    assert (report.kept, report.dropped, report.resealed) == (3, 2, 1)
    after = check(path, CaptionRecord)
    assert (after.records, after.unverified, after.damaged, after.torn_tail) == (3, 0, 0, 0)
    assert b'"future":1e-05' in path.read_bytes()


def test_repair_keeps_a_record_whose_crc_does_not_match(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(line("a").replace(b'"c"', b'"edited by sed"'))
    repair(path, CaptionRecord, CAPTIONS, tmp_path / "old")

    assert [record.caption for _, record in scan(path, CaptionRecord)] == ["edited by sed"]
    assert check(path, CaptionRecord).damaged == 0


def test_compact_keeps_the_last_record_of_each_key_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(line("a", "error_api") + PLAIN + b"garbage\n" + line("a") + line("b"))
    report = compact(path, CaptionRecord, CAPTIONS)

    assert path.read_bytes() == PLAIN + b"garbage\n" + line("a") + line("b")
    assert (report.kept, report.dropped) == (4, 1)
    assert compact(path, CaptionRecord, CAPTIONS).dropped == 0


def test_compact_never_prefers_a_line_it_cannot_read(tmp_path: Path) -> None:
    path = tmp_path / "j"
    wrong = b'{"rel_path":"a","caption":"c","status":"success","seconds":"abc"}\n'
    path.write_bytes(line("a") + wrong)
    compact(path, CaptionRecord, CAPTIONS)

    assert path.read_bytes() == line("a") + wrong
    assert check(path, CaptionRecord).records == 1


def test_compact_keeps_torn_and_overlong_lines_for_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "j"
    overlong = b"x" * (18 << 20) + b"\n"
    path.write_bytes(line("a") + overlong + line("a") + b'{"torn')
    compact(path, CaptionRecord, CAPTIONS)

    assert path.read_bytes() == overlong + line("a") + b'{"torn' + TORN_MARK + b"\n"
    report = check(path, CaptionRecord)
    assert (report.records, report.damaged, report.torn_tail) == (1, 1, 1)


def test_journal_being_written_is_not_rewritten(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(line("a"))
    lock = WriterLock(path, "a run", None)

    with pytest.raises(JournalLocked):
        compact(path, CaptionRecord, CAPTIONS)
    with pytest.raises(JournalLocked):
        repair(path, CaptionRecord, CAPTIONS, tmp_path / "old")
    lock.release()
    assert [head.rel_path for _, head in scan(path, RecordHead)] == ["a"]
