"""Text made safe for a terminal: text from a file, a model or a server is data, never a command."""

from __future__ import annotations

import unicodedata

JOINERS = "\u200c\u200d"
"""Zero-width joiners shape scripts and emoji, and cannot move other text."""

_HARMLESS = ("Zs", "Co")


def clean(text: str) -> str:
    r"""Return a text as one line that no terminal acts upon.

    Control characters, escapes, surrogates, bidirectional and other format
    characters become visible escapes such as `\\x1b`.
    """
    if text.isprintable():
        return text
    return "".join(
        char
        if char.isprintable() or char in JOINERS or unicodedata.category(char) in _HARMLESS
        else _escape(char)
        for char in text
    )


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")
