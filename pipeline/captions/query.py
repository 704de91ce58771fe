"""What to show of a library: `status:error backend:basic date:2024-08 harbour`."""

from __future__ import annotations

import unicodedata
from typing import Any

import msgspec

from pipeline.captions.plan import Made


class Query(msgspec.Struct, frozen=True):
    """A filter over the records of a library; every part must hold.

    Attributes:
        status: How the name of the status starts; `error` means any error.
        backend: Likewise, of the backend.
        date: How the month of capture starts, `2024` or `2024-08`.
        edited: Only photos whose caption was written by hand.
        marked: Only photos that are marked.
        words: All of them stand in the path, the caption or the error, in any case.
    """

    status: str = ""
    backend: str = ""
    date: str = ""
    edited: bool = False
    marked: bool = False
    words: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Query:
        """Read a query as it is typed; what is no known filter is a word to look for."""
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
        """Tell whether a record of such status, maker and month may be shown."""
        return (
            made.status.startswith(self.status)
            and (made.backend or "").startswith(self.backend)
            and (made.month or "").startswith(self.date)
        )

    def finds(self, *texts: str | None) -> bool:
        """Tell whether all words stand in some texts together."""
        text = _folded("\n".join(filter(None, texts)))
        return all(word in text for word in self.words)


def _folded(text: str) -> str:
    """Return a text as it is compared: without case, and composed where it has accents."""
    return (text if text.isascii() else unicodedata.normalize("NFC", text)).casefold()


def fits_query(value: str) -> bool:
    """Tell whether a value can stand in a query: a plain word."""
    return value != "" and value.isprintable() and not any(char.isspace() for char in value)
