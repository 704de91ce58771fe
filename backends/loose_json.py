"""Reading the JSON of servers that are not careful: what is asked for, or None.

A good caption must not be lost because of what stands beside the caption: counts that are
strings, lists that are null, a byte order mark, NaN.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

MOST_BELIEVED = 10**9
"""A server that counts more tokens is wrong."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def parse(content: bytes) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: the text is no JSON.
        RecursionError: the text is nested too deep.
    """
    content = content.removeprefix(_BYTE_ORDER_MARK)
    try:
        return msgspec.json.decode(content)
    except msgspec.DecodeError:
        return json.loads(content.decode("utf-8"))  # takes NaN and lone surrogates


def at(value: Any, *path: str | int) -> Any:
    """Return the member at a path, None where the path leads nowhere."""
    for step in path:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, dict) else None
        else:
            value = value[step] if isinstance(value, list) and len(value) > step else None
    return value


def items(value: Any) -> list[Any]:
    """Return a list, empty for what is none."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str:
    """Return a text whose lone surrogates are replaced, empty for what is none."""
    if not isinstance(value, str):
        return ""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def count(value: Any) -> int | None:
    """Return a count of tokens given as an integer, a whole float or digits, else None."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        value = int(value) if len(value) < 20 else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= MOST_BELIEVED else None


def total(first: int | None, *further: int | None) -> int | None:
    """Return the sum of counts; a further one that is not told counts as none."""
    return None if first is None else first + sum(number or 0 for number in further)
