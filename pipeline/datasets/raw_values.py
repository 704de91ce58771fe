"""Values of a record as the bytes that stand in its line: absent, empty, or decoded on demand."""

from __future__ import annotations

import msgspec

from journal import UNREADABLE

ABSENT = msgspec.Raw(b"")
"""What stands for a field that a line does not have."""

EMPTY = (b"null", b'""', b"[]", b"{}")

LONGEST_EMPTY = 16
"""Bytes of the longest value that may be an empty list with spaces in it."""


def is_empty(raw: msgspec.Raw) -> bool:
    """Tell whether a value says nothing: null, an empty string, list or object."""
    value = bytes(raw) if len(raw) <= LONGEST_EMPTY else b""
    return value in EMPTY or (value[:1] in (b"[", b"{") and b"".join(value.split()) in EMPTY)


def is_null(raw: msgspec.Raw) -> bool:
    """Tell whether a value is null."""
    return bytes(raw) == b"null"


def is_of_kind(raw: msgspec.Raw, kind: object) -> bool:
    """Tell whether a value is of a type that msgspec knows."""
    try:
        msgspec.json.decode(raw, type=kind)
    except UNREADABLE:
        return False
    return True


def decoded(raw: msgspec.Raw) -> object:
    """Return a value, None where the field is absent or holds a number beyond every limit."""
    try:
        return msgspec.json.decode(raw) if raw else None
    except UNREADABLE:
        return None
