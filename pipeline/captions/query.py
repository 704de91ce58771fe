"""Filters of a library, typed as `status:error backend:basic date:2024-08 harbour`."""

from __future__ import annotations

import unicodedata
from typing import Any

import msgspec

from pipeline.captions.plan import Made


class Query(msgspec.Struct, frozen=True):
    """A filter over the records of a library; a record must fit every part.

    Attributes:
        status: Start of the name of the status; `error` means any error.
        backend: Start of the name of the backend.
        date: Start of the month of capture, `2024` or `2024-08`.
        edited: Only photos whose caption was written by hand.
        marked: Only photos that are marked.
        words: Words that must all be in the path, the caption or the error, in any case.
    """

    status: str = ""
    backend: str = ""
    date: str = ""
    edited: bool = False
    marked: bool = False
    words: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Query:
        """Parse a query as it is typed; a term that is not a known filter is a word to find."""
        fields: dict[str, Any] = {}
        words: list[str] = []
        for token in text.split():
            name, colon, value = token.partition(":")
            if colon and name in ("status", "backend", "date"):
                fields[name] = value
            elif token in ("is:edited", "is:marked"):
                fields[value] = True
            else:
                words.append(_folded(token))
        return cls(**fields, words=tuple(words))

    def __str__(self) -> str:
        named = [("status", self.status), ("backend", self.backend), ("date", self.date)]
        parts = [f"{name}:{value}" for name, value in named if value]
        parts += ["is:edited"] * self.edited + ["is:marked"] * self.marked
        return " ".join([*parts, *self.words])

    def admits(self, made: Made) -> bool:
        """Tell whether a record with this status, maker and month fits the filters."""
        return (
            made.status.startswith(self.status)
            and (made.backend or "").startswith(self.backend)
            and (made.month or "").startswith(self.date)
        )

    def finds(self, *texts: str | None) -> bool:
        """Tell whether each word is in at least one of some texts."""
        text = _folded("\n".join(filter(None, texts)))
        return all(word in text for word in self.words)


def _folded(text: str) -> str:
    """Return a text in the form for comparison: case-folded, with composed accents."""
    return (text if text.isascii() else unicodedata.normalize("NFC", text)).casefold()


def fits_query(value: str) -> bool:
    """Tell whether a value can be part of a query, as a plain word."""
    return value != "" and value.isprintable() and not any(char.isspace() for char in value)
