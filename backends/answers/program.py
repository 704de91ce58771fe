"""Is an answer what a program writes, and not what a model says of a photo?

A caption is prose or a list of tags. Servers put their errors where an answer belongs, models
call tools that nobody gave them, and bytes arrive as text. None of it is told by its words.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

CALL_KEYS = frozenset(
    (
        *("error", "errors", "traceback", "arguments", "parameters", "params", "args", "input"),
        *("tool_calls", "tool_use", "function", "function_call"),
    )
)
"""Keys of an object that tells of an error, or calls for a tool."""

CAPTION_KEYS = frozenset({"caption", "description", "alt_text"})
"""Keys of an object that has a caption all the same."""

LONGEST_LINE = 300
"""The most characters of a line that may be one of a program."""

FEW_SIGNS = 8
"""So few signs without a word may be a number that stands in the photo."""

_BEGINS = re.compile(
    r"<(?:!doctype|html|head|body|\?xml)\b|[<\[](?:tool|function)_calls?[>\]]"
    r"|traceback \(most recent call last\):|(?-i:[A-Z]\w*(?:Error|Exception)):\s",
    re.IGNORECASE,
)
"""How a page, a call or the path of an error begins."""

_CODE = re.compile(
    r"import [\w.]+(?: as \w+)?|from [\w.]+ import .+|[\w.\[\]]+ = .*[\"'(\[{].*|def \w+\(.*:"
    r"|(?:[a-z_]\w*\.)*[a-z_]\w*\((?:|.*[\"'(={].*)\)|#.*",
    re.IGNORECASE,
)
"""A line of a program."""

_ADDRESS = re.compile(r"(?:[a-z]+://|data:)\S+", re.IGNORECASE)
_APART = re.compile(r"[\s,;|]+")
_MOJIBAKE = re.compile(
    "(?:[\u00c2-\u00f4][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc"
    "\u2013-\u203a\u20ac\u2122]{1,3})"
)
"""A character beyond ASCII whose bytes in UTF-8 were each taken for a character."""


def is_of_a_program(text: str) -> bool:
    """Tell whether a text is an object of an error or of a call, markup, code or bytes."""
    return (
        _BEGINS.match(text) is not None
        or _is_call(text)
        or _is_code(text)
        or _is_bytes(text)
        or _is_mojibake(text)
    )


def _is_call(text: str) -> bool:
    if not text.startswith(("{", "[")):
        return False
    try:
        value: Any = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return False
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict) or CAPTION_KEYS & value.keys():
        return False
    return any(value.get(key) not in (None, "") for key in CALL_KEYS)


def _is_code(text: str) -> bool:
    """Tell whether a text begins with a line of a program, and is one for the most part."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines or lines[0].startswith("#") or not _is_line(lines[0]):
        return False
    return 2 * sum(map(_is_line, lines)) >= len(lines)


def _is_line(line: str) -> bool:
    return len(line) <= LONGEST_LINE and _CODE.fullmatch(line) is not None


def _is_bytes(text: str) -> bool:
    """Tell whether a text has no word: numbers, keys, addresses, and bytes as text have none."""
    if _ADDRESS.fullmatch(text):
        return True
    pieces = _APART.split(text)
    return len(text) > FEW_SIGNS and not any(_is_word(piece) for piece in pieces)


def _is_word(piece: str) -> bool:
    if piece.isascii() and any(sign.isdigit() for sign in piece):
        return False
    return any(sign.isalpha() for sign in piece)


def _is_mojibake(text: str) -> bool:
    """Tell whether most of a text was read in the wrong encoding."""
    broken = sum(len(found[0]) for found in _MOJIBAKE.finditer(text))
    return broken > 0 and 2 * broken >= len("".join(text.split()))
