"""Setting fields in a line of JSON without touching one byte of the others.

A number that says `1e-05`, a key that stands in the line twice, odd spaces: all of them belong
to whoever wrote the line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from journal import BOM, UNREADABLE

_TOKEN = re.compile(rb'("[^"\\]*(?:\\.[^"\\]*)*")\s*:\s*|"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]')
"""A name with its colon, another string, or a bracket; nothing else tells where a value begins."""

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def set_fields(line: bytes, fields: Mapping[str, bytes], present: frozenset[str]) -> bytes:
    """Return a line with some fields set.

    Args:
        line: A JSON object with at least one field; spaces may stand around it.
        fields: Name to JSON value. A name is plain ASCII.
        present: Names of fields that the line has already; their value is replaced where
            it stands. All other fields are appended.
    """
    for name in present & fields.keys():
        line = _replace(line, name, fields[name])
    added = b"".join(
        b',"%b":%b' % (name.encode(), value)
        for name, value in fields.items()
        if name not in present
    )
    if not added:
        return line
    behind_last = len(line[: line.rindex(b"}")].rstrip())
    return line[:behind_last] + added + line[behind_last:]


def _replace(line: bytes, name: str, value: bytes) -> bytes:
    """Return a line with the value of one field replaced.

    The place is found by brackets and strings alone; reading the result proves that it was
    the right one.
    """
    wanted = _read(line)
    old = bytes(wanted[name])
    if _plain(old) == _plain(value):
        return line
    wanted[name] = msgspec.Raw(value)
    start = _place_of(line, name)
    changed = line[:start] + value + line[start + len(old) :]
    if not _same(_read(changed), wanted):
        raise AssertionError(f"{name} stands in a line where nobody finds it")
    return changed


def _place_of(line: bytes, name: str) -> int:
    """Return where the value of a field begins: behind the last such name of the outer object."""
    place = depth = 0
    for token in _TOKEN.finditer(line):
        text = token[0]
        if text in b"[{":
            depth += 1
        elif text in b"]}":
            depth -= 1
        elif depth == 1 and token[1] is not None and msgspec.json.decode(token[1]) == name:
            place = token.end()
    return place


def _plain(value: bytes) -> bytes:
    """Return a value as we write it, so that values that differ in spaces or order are equal."""
    return msgspec.json.encode(msgspec.json.decode(value), order="sorted")


def _read(line: bytes) -> dict[str, msgspec.Raw]:
    try:
        return _members(line.removeprefix(BOM))
    except UNREADABLE:
        return {}


def _same(one: Mapping[str, msgspec.Raw], other: Mapping[str, msgspec.Raw]) -> bool:
    return one.keys() == other.keys() and all(
        bytes(raw) == bytes(other[name]) for name, raw in one.items()
    )
