"""A record that is about to be written: what it lacks, and the values that passes put into it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec

if TYPE_CHECKING:
    from pipeline.datasets.gaps import Lacking

_encode = msgspec.json.Encoder().encode


class Draft(msgspec.Struct):
    """A record that is about to be written.

    Attributes:
        entry: What the record lacks.
        line: The line as it was, None for a new record.
        values: What to put into the record, by field, in the order of the passes.
    """

    entry: Lacking
    line: bytes | None = None
    values: dict[str, Any] = {}

    def put(self, values: Mapping[str, Any]) -> None:
        """Take in those values that are known and that the record lacks."""
        for name, value in values.items():
            if value is not None and name in self.entry.lacking:
                self.values[name] = value

    def text(self, field: str) -> str | None:
        """Return the text that a field is about to have, else the one it has; None without one."""
        from pipeline.datasets.records import parse  # which needs the list of passes

        if field in self.values:
            return cast("str", self.values[field])
        if field in self.entry.lacking or self.line is None:
            return None
        record = parse(self.line)
        return None if record is None else record.text(field)

    def fields(self) -> dict[str, bytes]:
        """Return the JSON values to put into the record, by field."""
        return {name: _encode(value) for name, value in self.values.items()}
