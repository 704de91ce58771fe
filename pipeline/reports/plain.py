"""Making text from outside harmless for the formats of reports."""

from __future__ import annotations

import re
import unicodedata

from backends.keys import scrub

_MARKUP = re.compile(r"([\\`*_{}\[\]<>|#!~&$@])")
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_JOINERS = "\u200c\u200d"
"""Joiners are kept, because scripts and emoji need them and they move no text."""


def one_line(text: str) -> str:
    """Return a text on one line, without control characters, direction marks and API keys."""
    text = scrub(text)
    if text.isprintable():
        return text
    return "".join(char if _is_harmless(char) else " " for char in text).strip()


def _is_harmless(char: str) -> bool:
    if char in _JOINERS:
        return True
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


def markdown_text(text: str) -> str:
    """Return a text that Markdown shows unchanged, without markup, HTML or links."""
    shown = _MARKUP.sub(r"\\\1", one_line(text).strip()).replace("://", r":\/\/")
    shown = re.sub(r"\b(www)\.", r"\1\\.", shown, flags=re.IGNORECASE)
    return re.sub(r"^(\d+)([.)])", r"\1\\\2", re.sub(r"^([-+=])", r"\\\1", shown))


def safe_cell(text: str) -> str:
    """Return a text as a cell of CSV, on one line and never a formula.

    A text that a spreadsheet would compute gets an apostrophe in front, which marks the cell
    as text (OWASP, CSV injection). A text that begins with an apostrophe before such a
    character gets one as well, so that `plain_cell` can reverse exactly this step.
    """
    shown = one_line(text)
    return f"'{shown}" if _is_formula(shown) else shown


def plain_cell(cell: str) -> str:
    """Return the text of a cell that `safe_cell` made."""
    return cell[1:] if cell.startswith("'") and _is_formula(cell) else cell


def _is_formula(text: str) -> bool:
    return text.lstrip("' \u00a0\u3000").startswith(_FORMULA)
