"""Cells of a CSV file that no spreadsheet takes for a formula, each on one line."""

from __future__ import annotations

import re

_FORMULA = ("=", "+", "-", "@")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def safe_cell(text: str) -> str:
    """Return a text as a cell shows it: control characters gone, no formula.

    What a spreadsheet would compute gets an apostrophe in front, which tells it that this
    is text (OWASP, CSV injection). So does what begins with one before such a character:
    `plain_cell` takes exactly that back.
    """
    shown = _CONTROL.sub(" ", text)
    return f"'{shown}" if _is_dangerous(shown.lstrip("'").lstrip()) else shown


def plain_cell(cell: str) -> str:
    """Return the text of a cell that `safe_cell` made."""
    return cell[1:] if cell.startswith("'") and _is_dangerous(cell.lstrip("'").lstrip()) else cell


def _is_dangerous(text: str) -> bool:
    return text.startswith(_FORMULA)
