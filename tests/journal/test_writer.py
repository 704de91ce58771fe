"""Durable appending: group commit, healing, full disks, failed syncs."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from journal import (
    CaptionRecord,
    DiskFull,
    JournalError,
    JournalLost,
    JournalWriteFailed,
    JournalWriter,
    RecordHead,
    WriterLock,
    read_record,
    scan,
)
from journal import writer as writer_module


def record(name: str) -> CaptionRecord:
    return CaptionRecord(rel_path=name, caption="c", status="success")


def open_writer(path: Path, acknowledged: list[tuple[int, str]]) -> JournalWriter[CaptionRecord]:
    return JournalWriter(
        WriterLock(path, "a test", None),
        on_commit=lambda done: acknowledged.extend((at, made.rel_path) for at, made in done),
    )


def test_acknowledged_records_stand_at_their_offsets(tmp_path: Path) -> None:
    path, acknowledged = tmp_path / "j", list[tuple[int, str]]()
    writer = open_writer(path, acknowledged)
    for number in range(500):
        writer.append(record(f"{number}.jpg"))
    writer.flush()

    assert [name for _, name in acknowledged] == [f"{number}.jpg" for number in range(500)]
    for offset, name in acknowledged:
        assert read_record(path, offset, CaptionRecord)[0].rel_path == name
    writer.close()


def test_many_records_share_a_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    syncs = list[int]()
    monkeypatch.setattr(writer_module, "sync_data", syncs.append)
    writer = open_writer(tmp_path / "j", [])
    for number in range(2000):
        writer.append(record(f"{number}.jpg"))
    writer.close()

    assert len(syncs) <= 5


def test_many_threads_append_and_each_record_is_acknowledged_once(tmp_path: Path) -> None:
    path, acknowledged = tmp_path / "j", list[tuple[int, str]]()
    writer = open_writer(path, acknowledged)

    def append(thread: int) -> None:
        for number in range(200):
            writer.append(record(f"{thread}-{number}"))

    threads = [threading.Thread(target=append, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()

    written = [head.rel_path for _, head in scan(path, RecordHead)]
    assert sorted(written) == sorted(name for _, name in acknowledged)
    assert len(set(written)) == 1600


def test_new_journal_is_private(tmp_path: Path) -> None:
    open_writer(tmp_path / "j", []).close()

    assert (tmp_path / "j").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("tail", [b'{"rel_path":"x","capt', b"\0\0\0\0"])
def test_torn_tail_is_healed_by_a_new_line_and_nothing_is_cut(tmp_path: Path, tail: bytes) -> None:
    path = tmp_path / "j"
    before = b'{"rel_path":"a","caption":"c","status":"success"}\n' + tail
    path.write_bytes(before)
    writer = open_writer(path, [])
    writer.append(record("b"))
    writer.close()

    assert path.read_bytes().startswith(before)
    assert [head.rel_path for _, head in scan(path, RecordHead)] == ["a", "b"]


def test_whole_last_line_without_newline_is_kept_as_a_record(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(b'{"rel_path":"a","caption":"c","status":"success"}')
    writer = open_writer(path, [])
    writer.append(record("b"))
    writer.close()

    assert [head.rel_path for _, head in scan(path, RecordHead)] == ["a", "b"]


def test_failed_sync_acknowledges_nothing_and_is_never_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = list[int]()

    def fail(descriptor: int) -> None:
        calls.append(descriptor)
        raise OSError(errno.EIO, "Input/output error")

    acknowledged = list[tuple[int, str]]()
    writer = open_writer(tmp_path / "j", acknowledged)
    monkeypatch.setattr(writer_module, "sync_data", fail)
    writer.append(record("a"))
    with pytest.raises(JournalWriteFailed, match="Input/output error"):
        writer.flush()
    with pytest.raises(JournalWriteFailed):
        writer.append(record("b"))
    with pytest.raises(JournalWriteFailed):
        writer.close()

    assert len(calls) == 1
    assert acknowledged == []


def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    path = tmp_path / "j"
    writer = open_writer(path, [])
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:7]))
    for number in range(20):
        writer.append(record(str(number)))
    writer.close()

    assert [head.rel_path for _, head in scan(path, RecordHead)] == [
        str(number) for number in range(20)
    ]


def test_short_write_on_a_full_disk_is_cut_back_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, told = tmp_path / "j", list[JournalError]()
    writer: JournalWriter[CaptionRecord] = JournalWriter(
        WriterLock(path, "a test", None), on_failure=told.append
    )
    writer.append(record("a"))
    writer.flush()
    before = path.read_bytes()
    real, room = os.write, [10]

    def write(descriptor: int, data: bytes) -> int:
        if not room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data[: room.pop()])

    monkeypatch.setattr(os, "write", write)
    writer.append(record("b"))
    with pytest.raises(DiskFull, match="disk full"):
        writer.close()

    assert path.read_bytes() == before
    assert len(told) == 1


@pytest.mark.parametrize("action", ["rename", "remove", "replace"])
def test_journal_taken_away_underneath_stops_the_writer(tmp_path: Path, action: str) -> None:
    path = tmp_path / "j"
    writer = open_writer(path, [])
    if action == "rename":
        path.rename(tmp_path / "elsewhere")
    elif action == "remove":
        path.unlink()
    else:
        (tmp_path / "other").write_bytes(b"")
        (tmp_path / "other").replace(path)
    writer.append(record("a"))

    with pytest.raises(JournalLost):
        writer.close()


def test_trouble_of_any_kind_with_the_file_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = list[JournalError]()
    lock = WriterLock(tmp_path / "j", "a test", None)
    writer: JournalWriter[CaptionRecord] = JournalWriter(lock, on_failure=told.append)

    def verify() -> None:
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr(lock, "verify", verify)
    writer.append(record("a"))
    with pytest.raises(JournalWriteFailed, match="Stale file handle"):
        writer.flush()
    assert len(told) == 1


def test_closed_journal_takes_no_record(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "j", [])
    writer.close()
    with pytest.raises(JournalError, match="closed"):
        writer.append(record("a"))


def test_offsets_hold_when_somebody_else_appends(tmp_path: Path) -> None:
    path, acknowledged = tmp_path / "j", list[tuple[int, str]]()
    writer = open_writer(path, acknowledged)
    writer.append(record("a"))
    writer.flush()
    with path.open("ab") as file:
        file.write(b"a note by somebody else\n")
    writer.append(record("b"))
    writer.close()

    for offset, name in acknowledged:
        assert read_record(path, offset, CaptionRecord)[0].rel_path == name
