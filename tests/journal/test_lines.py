"""The seal of a line."""

from __future__ import annotations

import json
from zlib import crc32

import pytest

from journal.lines import Seal, check_seal, reseal, seal

BODY = b'{"rel_path":"a.jpg","caption":"x","status":"success"}'


def test_seal_is_last_and_covers_every_byte_before_it() -> None:
    line = seal(BODY)

    assert json.loads(line)["crc"] == f"{crc32(BODY[:-1]):08x}"
    assert line.startswith(BODY[:-1] + b',"crc":"')
    assert line.endswith(b'"}\n')


def test_intact_line_is_intact_with_and_without_carriage_return() -> None:
    line = seal(BODY).rstrip(b"\n")

    assert check_seal(line) is Seal.INTACT
    assert check_seal(line + b"\r") is Seal.INTACT


def test_every_single_bit_flip_is_noticed() -> None:
    line = seal(BODY).rstrip(b"\n")
    for position in range(len(line)):
        for bit in range(8):
            flipped = bytearray(line)
            flipped[position] ^= 1 << bit
            assert check_seal(bytes(flipped)) is not Seal.INTACT


def test_line_without_crc_has_no_seal() -> None:
    assert check_seal(BODY) is Seal.ABSENT


@pytest.mark.parametrize(
    "line",
    [
        b'{"rel_path": "a.jpg", "n": 1e-05, "x": 1.0, "t": "\\u00e9\xc3\xa9", "crc": "00000000"}',
        b'{"rel_path":"a.jpg","n":1e-05,"x":1.0,"t":"\\u00e9\xc3\xa9","crc":"ffffffff"}',
        b'{"rel_path":"a.jpg","n":1e-05,"x":1.0,"t":"\\u00e9\xc3\xa9"}',
    ],
)
def test_reseal_keeps_the_bytes_of_every_value(line: bytes) -> None:
    sealed = reseal(line)

    assert check_seal(sealed.rstrip(b"\n")) is Seal.INTACT
    for value in (b"1e-05", b"1.0", b'"\\u00e9\xc3\xa9"'):
        assert value in sealed
    assert sealed.count(b"crc") == 1
