"""Reading journals, whole and broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from journal import (
    CaptionRecord,
    Follower,
    RecordHead,
    RecordUnreadable,
    load_index,
    read_record,
    scan,
)
from journal import reader as reader_module
from journal.lines import TORN_MARK, seal


def line(name: str, status: str = "success") -> bytes:
    return seal(f'{{"rel_path":"{name}","caption":"c","status":"{status}"}}'.encode())


def keys(path: Path) -> list[str]:
    return [head.rel_path for _, head in scan(path, RecordHead)]


def test_three_fields_are_enough_and_unknown_ones_are_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(
        b'{"rel_path": "a.jpg", "caption": "x", "status": "success"}\n'
        b'{"rel_path":"b.jpg","caption":null,"status":"error_api","future":{"x":[1]}}\n'
    )

    records = [record for _, record in scan(path, CaptionRecord)]

    assert [record.rel_path for record in records] == ["a.jpg", "b.jpg"]


def test_offsets_lead_back_to_their_records(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(line("a") + b"garbage\n" + line("b") + b"\n" + line("c"))

    for offset, head in scan(path, RecordHead):
        assert read_record(path, offset, CaptionRecord)[0].rel_path == head.rel_path


def test_the_last_bytes_alone_hold_the_records_that_begin_in_them(tmp_path: Path) -> None:
    path = tmp_path / "j"
    lines = [line("a"), line("b"), b'{"half' + TORN_MARK + b"\n", line("c")]
    path.write_bytes(b"".join(lines))
    whole = dict(scan(path, RecordHead))

    for size in range(path.stat().st_size + 10):
        found = dict(scan(path, RecordHead, size))
        begins = path.stat().st_size - size
        assert found == {offset: head for offset, head in whole.items() if offset >= begins}


@pytest.mark.parametrize(
    ("damage", "damaged", "torn"),
    [
        (b'{"rel_path":"x","cap\n', 1, 0),
        (b'{"rel_path":"x","cap' + TORN_MARK + b"\n", 0, 1),
        (b"\0" * 5000 + b"\n", 1, 0),
        (b'{"rel_path":"\xff\xfe","caption":null,"status":"success"}\n', 1, 0),
        (b'{"rel_path":1,"caption":null,"status":"success"}\n', 1, 0),
        (b'{"rel_path":"x","caption":null,"status":"unheard of"}\n', 1, 0),
        (b"[]\n", 1, 0),
        (b"\r\n\n", 0, 0),
    ],
)
def test_damage_in_the_middle_is_passed_over_counted_and_numbered(
    tmp_path: Path, damage: bytes, damaged: int, torn: int
) -> None:
    path = tmp_path / "j"
    path.write_bytes(line("a") + damage + line("b"))
    follower = Follower(path, RecordHead)

    assert [head.rel_path for _, head in follower.poll()] == ["a", "b"]
    assert follower.malformed.damaged == damaged
    assert follower.malformed.torn_tail == torn
    assert follower.malformed.lines == [2] * damaged


@pytest.mark.parametrize("tail", [b'{"rel_path":"x","capt', b"\0" * 70_000, b"{"])
def test_torn_tail_is_expected_and_no_damage(tmp_path: Path, tail: bytes) -> None:
    path = tmp_path / "j"
    path.write_bytes(line("a") + tail)
    follower = Follower(path, RecordHead)

    assert [head.rel_path for _, head in follower.poll()] == ["a"]
    assert (follower.malformed.torn_tail, follower.malformed.damaged) == (1, 0)


def test_last_line_without_newline_counts_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(line("a") + line("b").rstrip(b"\n"))

    assert keys(path) == ["a", "b"]


def test_bom_and_crlf_are_read_through(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(b"\xef\xbb\xbf" + line("a").replace(b"\n", b"\r\n") + line("b"))

    assert keys(path) == ["a", "b"]


def test_bom_before_an_only_line_without_newline_is_read_through(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(b"\xef\xbb\xbf" + line("a").rstrip(b"\n"))

    assert keys(path) == ["a"]


def test_line_separators_inside_json_split_nothing(tmp_path: Path) -> None:
    path = tmp_path / "j"
    name = "a\u2028b\u0085c\x1cd".encode("utf-8").replace(b"\x1c", b"\\u001c")
    path.write_bytes(b'{"rel_path":"' + name + b'","caption":null,"status":"success"}\n')

    assert keys(path) == ["a\u2028b\u0085c\x1cd"]


def test_overlong_line_costs_one_line_and_little_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "MAX_LINE_BYTES", 3 << 20)
    path = tmp_path / "j"
    path.write_bytes(line("a") + b"x" * (9 << 20) + b"\n" + line("b"))
    follower = Follower(path, RecordHead)

    found = list(follower.poll())

    assert [head.rel_path for _, head in found] == ["a", "b"]
    assert follower.malformed.lines == [2]
    assert read_record(path, found[1][0], RecordHead)[0].rel_path == "b"


def test_lines_across_chunk_borders_are_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "j"
    names = [f"photo-{number}" for number in range(200)]
    path.write_bytes(b"".join(map(line, names)))
    for size in (1, 7, 64, 1000):
        monkeypatch.setattr(reader_module, "CHUNK_BYTES", size)
        assert keys(path) == names


def test_follower_sees_only_what_is_new_and_waits_for_half_lines(tmp_path: Path) -> None:
    path = tmp_path / "j"
    follower = Follower(path, RecordHead)
    assert list(follower.poll()) == []

    path.write_bytes(line("a") + line("b")[:20])
    assert [head.rel_path for _, head in follower.poll()] == ["a"]
    assert follower.malformed.torn_tail == 1

    with path.open("ab") as file:
        file.write(line("b")[20:] + line("c"))
    assert [head.rel_path for _, head in follower.poll()] == ["b", "c"]
    assert follower.malformed.torn_tail == 0
    assert list(follower.poll()) == []


def test_follower_starts_over_when_the_file_is_replaced(tmp_path: Path) -> None:
    path, other = tmp_path / "j", tmp_path / "new"
    path.write_bytes(line("a") + line("b"))
    follower = Follower(path, RecordHead)
    heads: list[str] = []
    for _ in range(2):  # the first poll of a file is no reset, nor is a poll with nothing new
        heads += [head.rel_path for _, head in follower.poll(heads.clear)]
    assert heads == ["a", "b"]

    other.write_bytes(line("c"))
    other.replace(path)
    for _, head in follower.poll(heads.clear):
        heads.append(head.rel_path)
    assert heads == ["c"], "what was read of the old file is void before the new is read"

    path.unlink()
    assert list(follower.poll(heads.clear)) == []
    assert heads == [], "a file that is gone has no records"


def test_index_keeps_the_last_record_of_each_key(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(line("a", "error_api") + line("b") + line("a"))
    index = load_index(path)

    assert {key: index.group(key) for key in index} == {"a": "success", "b": "success"}
    assert read_record(path, index.offset("a"), RecordHead)[0].status == "success"
    assert index.offset("a") > index.offset("b")


def test_index_grows_with_the_journal_and_forgets_a_replaced_one(tmp_path: Path) -> None:
    path, other = tmp_path / "j", tmp_path / "new"
    path.write_bytes(line("a"))
    index = load_index(path)
    with path.open("ab") as file:
        file.write(line("b", "error_model"))
    index.refresh()
    assert index.group("b") == "error_model"

    other.write_bytes(line("c"))
    other.replace(path)
    index.refresh()
    assert list(index) == ["c"]


def test_keys_compare_in_nfc_and_raw_names_keep_apart(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(
        line("Ete\u0301.jpg")
        + '{"rel_path":"Ét\ufffd.jpg","raw_path":"w4l06S5qcGc=",'.encode()
        + b'"caption":null,"status":"success"}\n'
    )
    index = load_index(path)

    assert "Et\u00e9.jpg" in index
    assert "\0w4l06S5qcGc=" in index


def test_reading_where_no_record_starts_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(line("a"))

    with pytest.raises(RecordUnreadable, match="byte 3"):
        read_record(path, 3, CaptionRecord)
