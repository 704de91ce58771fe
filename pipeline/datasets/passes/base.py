"""What a pass declares: everything that the engine of an enrichment asks of it.

A pass is a class. Its class attributes say what the pass makes, so that commands and screens
can list all passes without loading anything. An object of the class belongs to one enrichment
and answers for its records. The defaults serve a pass whose producer (`producer.py`) keeps
records with an attribute for each field, so that most passes declare and override nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import msgspec

from pipeline.datasets.draft import Draft
from pipeline.datasets.producer import Producer
from pipeline.datasets.raw_values import is_empty, is_null, is_of_kind

if TYPE_CHECKING:
    from pipeline.datasets.gaps import Lacking
    from pipeline.datasets.records import Record
    from pipeline.datasets.results import Results


class Field(NamedTuple):
    """A field of a record.

    Attributes:
        name: Name of the field.
        kind: Type of a sound value, in terms of msgspec; `pcc dataset verify` reports any other.
    """

    name: str
    kind: Any


class Pass:
    """One kind of result that an enrichment adds to records.

    Args:
        results: The passes and producers of the enrichment.

    Attributes:
        name: Name of the pass, for `--pass-filter` and `--redo`.
        about: What the pass makes, in a few words, for people.
        fields: Fields of a record that the pass makes, in the order in which they are written.
        field_names: Names of these fields; collected, not declared.
        missing_if: When a field counts as missing: always if it is absent, for `null` also if it
            is null, for `empty` also if it is null or an empty string, list or object.
        stays: Fields that `--redo` of the pass leaves as they are.
        made_by: What makes the results; None for a pass that computes them from other values
            while the dataset is written.
        needs: Names of the passes that run along whenever this pass is chosen.
        follows: Names of the passes whose fields stand before those of this pass in a line;
            their values are known when this pass is asked for its own.
        reads: Fields with a text that the values are made from. A value is outdated when one
            of these texts changes.
        makes_file: Whether the pass makes a file for each image, besides any fields.
        by_default: Whether the pass runs unless others are asked for.
        extra_for: What needs the extra `datasets`, in words; None if nothing does.
    """

    name: ClassVar[str]
    about: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]] = ()
    field_names: ClassVar[frozenset[str]]
    missing_if: ClassVar[Literal["absent", "null", "empty"]] = "absent"
    stays: ClassVar[frozenset[str]] = frozenset()
    made_by: ClassVar[type[Producer[Any]] | None] = None
    needs: ClassVar[tuple[str, ...]] = ()
    follows: ClassVar[tuple[str, ...]] = ()
    reads: ClassVar[tuple[str, ...]] = ()
    makes_file: ClassVar[bool] = False
    by_default: ClassVar[bool] = True
    extra_for: ClassVar[str | None] = None

    def __init__(self, results: Results) -> None:
        self.results = results
        self.anew = self.name in results.request.anew
        self.producer = None if self.made_by is None else results.producer(self.made_by)

    def __init_subclass__(cls) -> None:
        """Collect the names of the fields."""
        super().__init_subclass__()
        cls.field_names = frozenset(field.name for field in cls.fields)

    # What a record lacks

    @classmethod
    def missing_fields(cls, record: Record) -> list[str]:
        """Return the fields that a record lacks."""
        return [field.name for field in cls.fields if cls._is_missing(record.raw(field.name))]

    @classmethod
    def _is_missing(cls, raw: msgspec.Raw) -> bool:
        if not raw or cls.missing_if == "absent":
            return not raw
        return is_null(raw) if cls.missing_if == "null" else is_empty(raw)

    @classmethod
    def damaged_fields(cls, record: Record) -> list[str]:
        """Return the fields whose value in a record is not of its kind."""
        missing = cls.missing_fields(record)
        return [
            field.name
            for field in cls.fields
            if field.name not in missing and not is_of_kind(record.raw(field.name), field.kind)
        ]

    def lacks_field(self, entry: Lacking) -> bool:
        """Tell whether a record lacks a field of this pass."""
        return not entry.lacking.isdisjoint(self.field_names)

    def lacks_anything(self, entry: Lacking) -> bool:
        """Tell whether a record lacks a field or the file of this pass."""
        return self.lacks_field(entry) or self.name in entry.files

    def has_file(self, entry: Lacking) -> bool:
        """Tell whether the pass made a file for an image, and the file is sound.

        Args:
            entry: A record whose id and bucket are known.
        """
        return False

    # What is to be made

    def has_result(self, entry: Lacking) -> bool:
        """Tell whether there is a result for a record, without reading the record.

        The result of a pass without a producer is there if every text that the pass reads is.
        """
        if self.producer is None:
            return all(self.results.has_text(name, entry) for name in self.reads)
        return self.producer.journal.made(entry.key)

    def wants(self, entry: Lacking) -> bool:
        """Tell whether the producer is to make something for a record that lacks something."""
        return (
            self.producer is not None and self.lacks_anything(entry) and not self.has_result(entry)
        )

    def wants_size(self, entry: Lacking) -> bool:
        """Tell whether width and height of an image must be known for a record."""
        needs_bucket = self.producer is not None and self.producer.needs_bucket
        return needs_bucket and entry.bucket is None and self.wants(entry)

    def has_work(self) -> bool:
        """Tell whether anything is to be made, now that the enrichment is planned."""
        return self.producer is not None and bool(self.producer.to_do)

    def prepare(self) -> None:
        """Make sure that all is there for the work, before anything is begun, on a thread.

        Raises:
            Exception: whatever speaks against beginning; the user reads its message.
        """

    # What comes into the dataset

    def can_fill(self, entry: Lacking) -> bool:
        """Tell whether there is a value for a field that a record lacks."""
        return self.lacks_field(entry) and self.has_result(entry)

    def values(self, draft: Draft) -> dict[str, Any]:
        """Return the values of the fields for a record, None for those that are not known."""
        made = None if self.producer is None else self.producer.journal.read(draft.entry.key)
        return {field.name: getattr(made, field.name, None) for field in self.fields}

    def fill(self, drafts: Sequence[Draft]) -> None:
        """Put the values of this pass into records that are about to be written."""
        for draft in drafts:
            if self.lacks_field(draft.entry):
                draft.put(self.values(draft))

    @classmethod
    def is_outdated(cls, record: Record, changed: dict[str, Any]) -> bool:
        """Tell whether a record keeps values of this pass that were made from an older text.

        Args:
            record: The record as it was.
            changed: The new values of the record, by field.
        """
        return (
            changed.keys().isdisjoint(cls.field_names)
            and not cls.missing_fields(record)
            and any(record.text(name) != changed.get(name, record.text(name)) for name in cls.reads)
        )

    def finish(self) -> list[str]:
        """Complete what all results together make up, at the end of a whole enrichment.

        Returns:
            What the user should know of it, a sentence each.
        """
        return []
