"""What is left to do, and why: compares the photos on disk with the journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from journal import (
    CaptionRecord,
    Follower,
    Index,
    Malformed,
    Status,
    believed,
    record_key,
    scan,
)
from pipeline.photos.photo import photo_key

if TYPE_CHECKING:
    from pipeline.captions.file_states import FileStates

LEAST = "basic"
"""A backend that looks at no picture: its sentences replace no other's unless forced to.

It is the default, so a flag forgotten would otherwise cost every caption that was paid for.
"""


class Maker(NamedTuple):
    """Who makes the records of a run; a success of another maker is stale.

    Attributes:
        backend: Name of the backend.
        model: Model id; None if the backend has no model, or the id is not known yet.
        prompt: Short hash of the prompt.
    """

    backend: str
    model: str | None
    prompt: str

    def spares(self, record: Made) -> bool:
        """Tell whether a record is another's caption that this maker would only make worse."""
        return self.backend == LEAST and record.status == "success" and record.backend != LEAST

    def made(self, record: Made) -> bool:
        """Tell whether this maker made a record."""
        return (
            record.backend == self.backend
            and record.prompt == self.prompt
            and self.model in (None, record.model)
        )


class Made(NamedTuple):
    """The group of a record in the index: status, maker, and month of capture.

    Attributes:
        status: How the attempt ended.
        backend: Name of the backend.
        model: Model id.
        prompt: Short hash of the prompt.
        month: The month of capture, such as `2024-08`; None if unknown or not asked for.
    """

    status: Status
    backend: str | None
    model: str | None
    prompt: str | None
    month: str | None = None


class Selection(msgspec.Struct, frozen=True):
    """Which photos that have a record are captioned again.

    Attributes:
        statuses: Statuses to retry.
        backend: Redo the captions of this backend.
        stale: Redo the captions of another model or prompt, and of photos that changed.
        force: Redo every photo.
        keys: Caption only these photos, whatever their record says; None for all photos.
        only: Leave photos that have no record, and of `keys` those that nothing else selects.
    """

    statuses: frozenset[str] = frozenset()
    backend: str | None = None
    stale: bool = False
    force: bool = False
    keys: frozenset[str] | None = None
    only: bool = False

    @property
    def repeats(self) -> bool:
        """Whether a photo that has a record may be captioned again."""
        listed = self.keys is not None
        return bool(self.statuses or self.backend or self.stale or self.force or listed)

    def wants(self, made: Made, *, stale: bool) -> bool:
        """Tell whether a photo with such a record is captioned again."""
        return (
            made.status in self.statuses
            or (self.backend is not None and made.backend == self.backend)
            or (self.stale and stale)
        )

    def takes_changed(self, status: Status) -> bool:
        """Tell whether a photo whose file changed is captioned again.

        A broken file that was replaced is taken by every run that takes what is missing.
        """
        return self.stale or (status == "error_corrupt" and not self.only)


class Plan(msgspec.Struct):
    """What a run with a given selection would do.

    Attributes:
        malformed: Lines of the journal that hold no record.
        photos: Photos found on disk.
        to_do: Relative paths to work on, in order, as the system spells them.
        skipped: Photos that are skipped, by the status of their record.
        retried: Photos to work on that have a record.
        spared: Captions that were asked for anew, and that the maker leaves as they are.
        missing: Photos without a record.
        errored: Photos whose record is an error, by status.
        stale: Successes of another model or prompt that the maker would redo; a record that
            names no backend tells nothing of its maker, and is none of them.
        changed: Photos whose file is another than the one that their record is about.
        edited: Photos whose caption was edited by hand.
        passed_over: Files that are no photos by their names, by extension.
    """

    malformed: Malformed
    photos: int = 0
    to_do: list[str] = []
    skipped: Counter[str] = msgspec.field(default_factory=Counter)
    retried: int = 0
    spared: int = 0
    missing: int = 0
    errored: Counter[str] = msgspec.field(default_factory=Counter)
    stale: int = 0
    changed: int = 0
    edited: int = 0
    passed_over: Mapping[str, int] = {}


_made_by = attrgetter("status", "backend", "model", "prompt")


def load_makers(journal: Path) -> Index[tuple[str | None, ...]]:
    """Return the index of a journal; its groups are the fields of `Made`."""
    index: Index[tuple[str | None, ...]] = Index(Follower(journal, CaptionRecord), _made_by)
    index.refresh()
    return index


class _Verdict(NamedTuple):
    """The decision for every photo whose record has the same status and maker."""

    status: Status
    stale: bool
    wanted: bool
    spared: bool

    @classmethod
    def of(cls, made: Made, selection: Selection, maker: Maker) -> _Verdict:
        """Decide about records; the photos behind them may still have changed."""
        spared = maker.spares(made) and not selection.force
        other = made.status == "success" and made.backend is not None and not maker.made(made)
        return cls(made.status, other and not spared, selection.wants(made, stale=other), spared)


def make_plan(
    paths: Iterable[str],
    index: Index[Made] | Index[tuple[str | None, ...]],
    selection: Selection,
    maker: Maker,
    edited: set[str],
    states: FileStates | None = None,
) -> Plan:
    """Divide photos into those to caption and those that are done.

    Args:
        paths: Photos on disk, as the walk found them.
        index: The journal.
        selection: Which photos are captioned again.
        maker: What would make the records.
        edited: Keys of photos edited by hand, which are redone only by `force`.
        states: Tells which photos are another file than the one captioned, None to trust names.
    """

    @cache
    def judge(group: tuple[str | None, ...]) -> _Verdict:
        return _Verdict.of(Made(*group), selection, maker)  # type: ignore[arg-type]

    plan = Plan(index.malformed)
    keys = selection.keys
    alone = keys is not None and not selection.only
    for path in paths:
        plan.photos += 1
        key = photo_key(path)
        group = index.group(key)
        listed = keys is None or key in keys
        if group is None:
            plan.missing += 1
            if states is not None:
                states.note(path, key)
            if listed and not selection.only:
                plan.to_do.append(path)
            continue
        verdict = judge(group)
        plan.stale += verdict.stale
        if verdict.status != "success":
            plan.errored[verdict.status] += 1
        is_edited = key in edited
        plan.edited += is_edited
        wanted = verdict.wanted
        if (
            states is not None
            and (states.captioned_too or verdict.status != "success")
            and states.is_changed(path, key, verdict.status, index.offset(key))
        ):
            plan.changed += 1
            wanted = wanted or selection.takes_changed(verdict.status)
        asked_for = alone or selection.force or (wanted and not is_edited)
        if not (listed and asked_for) or verdict.spared:
            plan.spared += listed and asked_for
            plan.skipped[verdict.status] += 1
        else:
            plan.retried += 1
            plan.to_do.append(path)
    return plan


class History(msgspec.Struct):
    """What earlier processes of a run did, and which content has been captioned.

    Attributes:
        attempted: Keys of photos attempted under the run's id.
        spent: Cost of the run so far in US dollars.
        unpriced: Answers under the run's id that stated no cost.
        digests: Maps the hash of a digest to the byte offset of a success by the same maker.
    """

    attempted: set[str]
    spent: float
    unpriced: int
    digests: dict[int, int]


def read_history(journal: Path, run: str, maker: Maker, to_do: list[str]) -> History:
    """Read a journal once, and return what a run needs in order to continue.

    Args:
        journal: The journal.
        run: Id of the run.
        maker: What makes the records of the run.
        to_do: Photos to caption; their old captions must not be copied to them.
    """
    history = History(set(), 0.0, 0, {})
    if not to_do:
        return history
    anew = {photo_key(path) for path in to_do}
    for offset, record in scan(journal, CaptionRecord):
        key = record_key(record.rel_path, record.raw_path)
        if record.run == run:
            history.attempted.add(key)
            cost = believed(record.cost_usd)
            history.spent += cost or 0.0
            was_asked = record.status == "success" and record.copied_from is None
            history.unpriced += was_asked and cost is None
        may_be_copied = (
            record.status == "success" and key not in anew and maker.made(Made(*_made_by(record)))
        )
        if record.digest is not None and may_be_copied:
            history.digests[hash(record.digest)] = offset
    return history
