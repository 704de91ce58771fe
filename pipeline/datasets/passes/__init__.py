"""The passes of an enrichment, one file each, and the list of them.

A new pass is a file beside these and a line in the list; `docs/adding_a_pass.md` shows how.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

from pipeline.datasets.errors import UnknownPass
from pipeline.datasets.passes.base import Pass

LISTED = (
    "migrate:MigratePass",
    "dimensions:DimensionsPass",
    "embedding:EmbeddingPass",
    "caption:CaptionPass",
    "t5:T5Pass",
    "patches:PatchesPass",
)
"""Module and class of each pass, in the order in which people see the passes."""

FIRST_IN_NEW_RECORD = ("embedding", "caption", "t5", "dimensions", "migrate")
"""Passes whose fields begin a new record, in this order; those of all others follow."""


def _load(module: str, name: str) -> type[Pass]:
    found: type[Pass] = getattr(import_module(f"{__name__}.{module}"), name)
    return found


PASSES = {each.name: each for each in (_load(*entry.split(":")) for entry in LISTED)}

DEFAULT_PASSES = tuple(name for name, each in PASSES.items() if each.by_default)

TOGETHER = {"dinov3": ("embedding", "patches")}
"""Names that stand for several passes, made by one run of their producer."""

FIELDS = tuple(field.name for each in PASSES.values() for field in each.fields)
"""Fields of a record that some pass makes."""


def choose_passes(names: str | None) -> tuple[type[Pass], ...]:
    """Return the passes that a list of names stands for, those they need among them.

    Args:
        names: Separated by commas; None for those that run unless others are asked for.

    Raises:
        UnknownPass: there is no pass of that name.
    """
    wanted = list(DEFAULT_PASSES if names is None else passes_named(names))
    for name in wanted:  # which grows meanwhile
        wanted += [needed for needed in PASSES[name].needs if needed not in wanted]
    return tuple(each for name, each in PASSES.items() if name in wanted)


def passes_named(names: str) -> frozenset[str]:
    """Return the names of the passes in a list of names, without those that they need.

    Args:
        names: Separated by commas.

    Raises:
        UnknownPass: there is no pass of that name, or no name at all.
    """
    listed = [name for part in names.split(",") if (name := part.strip())]
    for name in listed or [names]:
        if name not in PASSES and name not in TOGETHER:
            raise UnknownPass(name, (*PASSES, *TOGETHER))
    return frozenset(member for name in listed for member in TOGETHER.get(name, (name,)))


def in_writing_order(passes: Iterable[type[Pass]]) -> list[type[Pass]]:
    """Return passes such that each stands behind those that it follows."""
    chosen = {each.name: each for each in passes}
    ordered: list[type[Pass]] = []

    def add(each: type[Pass]) -> None:
        for name in each.follows:
            if name in chosen and chosen[name] not in ordered:
                add(chosen[name])
        if each not in ordered:
            ordered.append(each)

    for each in chosen.values():
        add(each)
    return ordered


def fields_of_new_record() -> tuple[str, ...]:
    """Return all fields in the order in which they stand in a new record."""
    names = dict.fromkeys((*FIRST_IN_NEW_RECORD, *PASSES))
    return tuple(field.name for name in names for field in PASSES[name].fields)
