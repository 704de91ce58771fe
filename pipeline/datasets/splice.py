"""Setting fields in a line of JSON without touching one byte of the others.

A number that says `1e-05`, a key that stands there twice, odd spaces: all of it
belongs to whoever wrote the line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from journal import BOM

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
    if msgspec.json.decode(old) == msgspec.json.decode(value):
        return line
    wanted[name] = msgspec.Raw(value)
    found = re.finditer(rb'"%b"\s*:\s*(%b)' % (name.encode(), re.escape(old)), line)
    for place in reversed([match.span(1) for match in found]):
        changed = line[: place[0]] + value + line[place[1] :]
        if _same(_read(changed), wanted):
            return changed
    return msgspec.json.encode(wanted)  # the name is spelt with escapes


def _read(line: bytes) -> dict[str, msgspec.Raw]:
    try:
        return _members(line.removeprefix(BOM))
    except msgspec.MsgspecError:
        return {}


def _same(one: Mapping[str, msgspec.Raw], other: Mapping[str, msgspec.Raw]) -> bool:
    return one.keys() == other.keys() and all(
        bytes(raw) == bytes(other[name]) for name, raw in one.items()
    )
