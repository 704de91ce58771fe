"""Lines of a dataset, and what is read of them."""

from __future__ import annotations

import base64
from pathlib import Path

import msgspec
import pytest

import journal.reader
from pipeline.datasets.passes.dimensions import recorded_size
from pipeline.datasets.raw_values import is_empty
from pipeline.datasets.records import (
    DatasetLine,
    Record,
    key_of,
    locate,
    parse,
    read_lines,
)

BOM = b"\xef\xbb\xbf"


def lines_of(tmp_path: Path, data: bytes) -> list[DatasetLine]:
    path = tmp_path / "d.jsonl"
    path.write_bytes(data)
    return list(read_lines(path))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"\n\n\n",
        b"a",
        b"a\n",
        b"a\nbb",
        b"a\n\nbb\n",
        b"a\r\nb\r\n",
        b" \n\t\nx",
        b"\xff\xfe\n\0\0\n",
        b"caf\xc3\xa9 \xe2\x80\xa8 one line\x0b\x0c\x85\nb\n",
    ],
)
def test_lines_and_their_offsets_make_up_the_file(tmp_path: Path, data: bytes) -> None:
    lines = lines_of(tmp_path, data)

    assert b"".join(data[line.start : line.end] for line in lines) == data
    assert [line.data for line in lines] == (data.removesuffix(b"\n").split(b"\n") if data else [])
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))


@pytest.fixture
def short_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take lines of more than 8 KiB for overlong."""
    monkeypatch.setattr(journal.reader, "CHUNK_BYTES", 4096)
    monkeypatch.setattr(journal.reader, "MAX_LINE_BYTES", 8192)


@pytest.mark.usefixtures("short_lines")
@pytest.mark.parametrize("length", [20_000, 16_384, 16_383, 4096 * 5 - 1])
@pytest.mark.parametrize("ending", [b"", b"\n", b"\nlast", b"\nlast\n"])
@pytest.mark.parametrize("before", [b"", b"first\n"])
def test_an_overlong_line_is_told_by_where_it_is_alone(
    tmp_path: Path, before: bytes, length: int, ending: bytes
) -> None:
    data = before + b"x" * length + ending
    lines = lines_of(tmp_path, data)

    assert b"".join(data[line.start : line.end] for line in lines) == data
    assert [line.data for line in lines if line.data is not None] == (
        (before + ending.removeprefix(b"\n")).splitlines()
    )
    overlong = [line for line in lines if line.data is None]
    assert [(line.start, line.number) for line in overlong] == [(len(before), 2 if before else 1)]


@pytest.mark.usefixtures("short_lines")
def test_several_overlong_lines_are_several(tmp_path: Path) -> None:
    data = b"\n".join([b"x" * 20_000, b"a", b"y" * 30_000, b"z" * 20_000])
    lines = lines_of(tmp_path, data)

    assert [line.data for line in lines] == [None, b"a", None, None]
    assert b"".join(data[line.start : line.end] for line in lines) == data


MALFORMED = {
    "empty": b"",
    "not JSON": b"hello",
    "truncated": b'{"image_path": "a.jpg", "caption": "a d',
    "a list": b'["a.jpg"]',
    "a number": b"7",
    "null": b"null",
    "no path": b'{"caption": "a dog"}',
    "a path of another type": b'{"image_path": 7}',
    "a null path": b'{"image_path": null}',
    "a raw path of another type": b'{"image_path": "a", "raw_path": []}',
    "NaN": b'{"image_path": "a", "score": NaN}',
    "Infinity": b'{"image_path": "a", "score": -Infinity}',
    "text behind it": b'{"image_path": "a"} x',
    "two objects": b'{"image_path": "a"}{"image_path": "b"}',
    "a comma too many": b'{"image_path": "a",}',
    "single quotes": b"{'image_path': 'a'}",
    "a raw tab": b'{"image_path": "a\tb"}',
    "a leading zero": b'{"image_path": "a", "n": 01}',
    "invalid UTF-8 in the path": b'{"image_path": "\xff"}',
    "invalid UTF-8 in a field of ours": b'{"image_path": "a", "caption": "\xff"}',
    "invalid UTF-8 in the id": b'{"image_path": "a", "image_id": "\xc3"}',
    "half a surrogate pair": b'{"image_path": "a", "caption": "\\ud800"}',
    "too deep": b'{"image_path": "a", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "too deep and open": b'{"image_path": "a", "x": ' + b'{"a":' * 100_000,
    "NUL": b"\0\0\0\0",
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_record(data: bytes) -> None:
    assert parse(data) is None


ODD_VALUES = {
    "null": b"null",
    "a list": b"[]",
    "an object": b"{}",
    "text": b'"7"',
    "no text": b'""',
    "zero": b"0",
    "less": b"-1",
    "a boolean": b"true",
    "a fraction": b"1.5",
    "above all floats": b"1e999",
    "below all floats": b"1e-999",
    "no end of digits": b"9" * 400,
    "deep": b"[" * 300 + b"]" * 300,
}


@pytest.mark.parametrize("value", ODD_VALUES.values(), ids=ODD_VALUES)
def test_odd_values_make_no_size(value: bytes) -> None:
    record = parse(b'{"image_path":"a","height":%b,"width":5}' % value)

    assert record is None or recorded_size(record) is None


@pytest.mark.parametrize("value", ODD_VALUES.values(), ids=ODD_VALUES)
def test_only_text_is_text(value: bytes) -> None:
    record = parse(b'{"image_path":"a","caption":%b}' % value)

    text = value[1:-1].decode() if value.startswith(b'"') else None
    assert record is None or record.text("caption") == text


@pytest.mark.parametrize(
    "data", [b'{"image_path":"a"}', b' { "image_path" : "a" } \r', BOM + b'{"image_path":"a"}']
)
def test_records_with_spaces_and_marks(data: bytes) -> None:
    found = parse(data)
    assert found is not None
    assert found.image_path == "a"


def test_what_is_empty_and_what_is_not() -> None:
    for text in (b"null", b'""', b"[]", b"{}", b"[ ]", b"{ }", b"[\t \t]"):
        assert is_empty(msgspec.Raw(text)), text
    for text in (b"0", b"false", b"[0]", b"[null]", b'"null"', b'"[]"', b"[[]]"):
        assert not is_empty(msgspec.Raw(text)), text


def test_a_space_is_no_empty_string() -> None:
    assert not is_empty(msgspec.Raw(b'" "'))


def located(path: str, raw: bytes | None = None) -> str | None:
    return locate(
        Record(path, base64.b64encode(raw).decode() if raw is not None else None), "/in/put"
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.jpg", "a.jpg"),
        ("./a.jpg", "a.jpg"),
        ("sub/../a.jpg", "a.jpg"),
        ("sub//a.jpg", "sub/a.jpg"),
        ("sub/./a.jpg", "sub/a.jpg"),
        ("/in/put/a.jpg", "a.jpg"),
        ("/in/put/sub/../a.jpg", "a.jpg"),
        ("/in/put//a.jpg", "a.jpg"),
        ("//in/put/a.jpg", "a.jpg"),
        ("/in/./put/a.jpg", "a.jpg"),
        ("/in/putter/a.jpg", "/in/putter/a.jpg"),
        ("/in/put/../b.jpg", "/in/b.jpg"),
        ("/else/where.jpg", "/else/where.jpg"),
        ("..a.jpg", "..a.jpg"),
        ("a..jpg", "a..jpg"),
        (".../a.jpg", ".../a.jpg"),
        ("..", None),
        ("../a.jpg", None),
        ("sub/../../a.jpg", None),
        ("./../a.jpg", None),
        ("sub/../..", None),
        ("", None),
        ("a\0.jpg", None),
    ],
)
def test_where_an_image_is(path: str, expected: str | None) -> None:
    assert located(path) == expected


def test_raw_paths_are_bytes_and_have_keys_of_their_own() -> None:
    assert located("caf?.jpg", b"caf\xe9.jpg") == "caf\udce9.jpg"
    assert located("a.jpg", b"../a.jpg") is None
    assert located("a.jpg", b"") is None
    assert locate(Record("a.jpg", "no base64!"), "/in") is None
    assert locate(Record("a.jpg", "é"), "/in") is None
    keys = {
        key_of(Record(name), name)
        for name in ("caf\udce9.jpg", "caf\ufffd.jpg", "caf\u00e9.jpg", "cafe\u0301.jpg")
    }
    assert len(keys) == 3  # the last two are one name
