"""Looking at every line of a journal and at its crc, which takes longer than a scan."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from journal.foreign_files import open_regular
from journal.lines import BOM, TORN_MARK, UNREADABLE, Seal, check_seal, why_unreadable
from journal.reader import read_chunks

T = TypeVar("T")


class InspectedLine(msgspec.Struct, Generic[T], gc=False):
    """One line of a journal and what is wrong with it.

    Attributes:
        number: Number of the line, from 1.
        offset: Byte offset of the start of the line.
        end: Byte offset behind the line and its newline.
        data: The line without its newline.
        seal: What the crc of the line says.
        record: The record, None where the line cannot be read.
        fault: Why the line holds no record; None when it holds one.
        torn: True for a half line left by a killed writer.
    """

    number: int
    offset: int
    end: int
    data: bytes
    seal: Seal
    record: T | None
    fault: str | None
    torn: bool


def inspect_lines(path: Path, record_type: type[T]) -> Iterator[InspectedLine[T]]:
    """Yield every line of a journal that is not empty."""
    decoder = msgspec.json.Decoder(record_type)
    number = 0
    with open_regular(path) as file:
        for chunk in read_chunks(file):
            offset = chunk.offset
            for data in chunk.lines:
                number += 1
                end = chunk.end if len(chunk.lines) == 1 else offset + len(data) + 1
                if data.strip(b"\r"):
                    yield _inspect(decoder, number, (offset, end), data, chunk.complete)
                offset = end


def _inspect(
    decoder: msgspec.json.Decoder[T],
    number: int,
    place: tuple[int, int],
    data: bytes,
    complete: bool,
) -> InspectedLine[T]:
    text = data.removeprefix(BOM) if place[0] == 0 else data
    record, fault = None, None
    try:
        record = decoder.decode(text)
    except UNREADABLE as error:
        fault = why_unreadable(error)
    torn = fault is not None and (not complete or data.endswith(TORN_MARK))
    return InspectedLine(number, *place, text, check_seal(text), record, fault, torn)
