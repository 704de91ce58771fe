"""Setting fields in a line of JSON without touching one byte of the others.

A number that says `1e-05`, a key that stands there twice, odd spaces: all of it
belongs to whoever wrote the line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from journal import BOM

_ANY_NAME = rb'(?:[^"\\]|\\.){1,400}'
"""A name as JSON may spell it, with escapes."""

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def set_fields(line: bytes, fields: Mapping[str, bytes], present: frozenset[str]) -> bytes:
    """Return a line with some fields set.

    Args:
        line: A JSON object with at least one field; spaces may stand around it.
        fields: Name to JSON value. A name is plain ASCII.
        present: Names of those that the line has already; their value is replaced where
            it stands. The others are appended.
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

    The field is looked for as text, and each find is proved by reading the result:
    the same words may stand in a caption, or in an object within.
    """
    wanted = _read(line)
    old = bytes(wanted[name])
    if _plain(old) == _plain(value):
        return line
    wanted[name] = msgspec.Raw(value)
    for spelling in (name.encode(), _ANY_NAME):
        found = re.finditer(rb'(?="%b"\s*:\s*(%b))' % (spelling, re.escape(old)), line)
        for start, end in reversed([match.span(1) for match in found]):
            changed = line[:start] + value + line[end:]
            if _same(_read(changed), wanted):
                return changed
    raise AssertionError(f"{name} is in the line, and is nowhere in it")


def _plain(value: bytes) -> bytes:
    """Return a value as we write it: what differs in spaces or order is the same."""
    return msgspec.json.encode(msgspec.json.decode(value), order="sorted")


def _read(line: bytes) -> dict[str, msgspec.Raw]:
    try:
        return _members(line.removeprefix(BOM))
    except msgspec.MsgspecError:
        return {}


def _same(one: Mapping[str, msgspec.Raw], other: Mapping[str, msgspec.Raw]) -> bool:
    return one.keys() == other.keys() and all(
        bytes(raw) == bytes(other[name]) for name, raw in one.items()
    )
