"""Changes by hand: `labels.jsonl`, a journal that survives every clustering."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import msgspec

from backends.keys import scrub
from journal import Follower, JournalWriter, journal_kind, patient_lock, utc_now
from pipeline.clusters.recognition import Sketch

Action = Literal["rename", "move", "merge", "split", "lock", "unlock", "undo"]


class LabelChange(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One change by hand.

    Attributes:
        id: Id of the change, for `undo`.
        at: Time of the change, UTC, RFC 3339.
        action: What was done.
        cluster: Id of the cluster that was changed; for `split`, id of the new cluster;
            for `undo`, id of the change that is taken back.
        title: The new title, for `rename` and `split`; else the title at that time.
        photos: Keys of the photos that were moved or split off, or of all photos of the
            clusters that were locked or merged.
        others: Ids of the clusters that were merged into this one.
        parent: Id of the cluster that a new one was split off from.
        sketches: Sketches of the named clusters, by id, to recognise them by their photos.
    """

    id: str
    at: str
    action: Action
    cluster: str
    title: str | None = None
    photos: list[str] = []
    others: list[str] = []
    parent: str | None = None
    sketches: dict[str, Sketch] = {}


LABELS = journal_kind("a journal of changes to clusters", LabelChange)


def new_label_change(action: Action, cluster: str, **fields: object) -> LabelChange:
    """Return a change made now."""
    made = f"{time.time_ns():x}{os.urandom(2).hex()}"
    change = LabelChange(id=made, at=utc_now(), action=action, cluster=cluster)
    return msgspec.structs.replace(change, **fields)


class LabelJournal:
    """The changes of a workspace, in order.

    Args:
        path: `labels.jsonl`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._all: list[LabelChange] = []
        self._follower = Follower(path, LabelChange)

    def refresh(self) -> bool:
        """Read the changes written since the last call; tell whether there were any."""
        before = len(self._all)
        news = list(self._follower.poll(self._all.clear))
        self._all += [change for _, change in news]
        return bool(news) or len(self._all) != before

    @property
    def warnings(self) -> list[str]:
        """What there is to say of lines that hold no change."""
        return self._follower.malformed.warnings(self.path)

    @property
    def standing(self) -> list[LabelChange]:
        """The changes that are valid: all changes except those taken back."""
        undone = {change.cluster for change in self._all if change.action == "undo"}
        return [
            change for change in self._all if change.action != "undo" and change.id not in undone
        ]

    @property
    def sketches(self) -> dict[str, Sketch]:
        """The last sketches of the clusters that the changes name, by id.

        Clusters made by hand are left out, because no clustering may claim them.
        """
        found: dict[str, Sketch] = {}
        for change in self._all:
            found.update(change.sketches)
        by_hand = {change.cluster for change in self._all if change.action == "split"}
        return {id_: sketch for id_, sketch in found.items() if id_ not in by_hand}

    def write(self, changes: Iterable[LabelChange]) -> None:
        """Bring changes to disk, with one sync for all changes.

        Raises:
            JournalLocked: another process keeps the journal locked.
            JournalError: the journal cannot be written.
        """
        writer: JournalWriter[LabelChange] = JournalWriter(
            patient_lock(self.path, "a label", LABELS)
        )
        try:
            for change in changes:
                if change.title is not None:
                    change.title = scrub(change.title)
                writer.append(change)
        finally:
            writer.close()


def label_journal_path(workspace: Path) -> Path:
    """Return the path of the changes of a workspace."""
    return workspace / "labels.jsonl"
