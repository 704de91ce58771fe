"""Captions written by hand: a layer over the captions of models, in a separate journal."""

from __future__ import annotations

from pathlib import Path

from backends.keys import scrub
from journal import EDITS, EditRecord, Follower, JournalWriter, patient_lock, record_key, utc_now


class Edits:
    """The captions that people wrote, by photo.

    `write` may be called on another thread than `refresh`.

    The edits are in `edits.jsonl` beside the captions journal, so that people may edit
    while a run writes. Where a caption is shown or exported, the edit takes precedence.

    Args:
        journal: The captions journal.

    Attributes:
        texts: Caption by key of the photo.
    """

    def __init__(self, journal: Path) -> None:
        self.path = journal.with_name("edits.jsonl")
        self.texts: dict[str, str] = {}
        self._follower = Follower(self.path, EditRecord)

    def refresh(self) -> bool:
        """Read the edits written since the last call; tell whether there were any."""
        changed = False

        def reset() -> None:
            nonlocal changed
            self.texts.clear()
            changed = True

        for _, edit in self._follower.poll(reset):
            self._take(edit)
            changed = True
        return changed

    @property
    def warnings(self) -> list[str]:
        """What there is to say of lines that hold no edit."""
        return self._follower.malformed.warnings(self.path)

    def write(self, rel_path: str, raw_path: str | None, caption: str | None) -> None:
        """Bring an edit to disk; None takes an earlier one back.

        Raises:
            JournalLocked: another process keeps the edits locked.
            JournalError: the edit cannot be written.
        """
        text = None if caption is None else scrub(caption)
        edit = EditRecord(rel_path=rel_path, raw_path=raw_path, caption=text, at=utc_now())
        writer: JournalWriter[EditRecord] = JournalWriter(patient_lock(self.path, "an edit", EDITS))
        try:
            writer.append(edit)
        finally:
            writer.close()
        self._take(edit)

    def _take(self, edit: EditRecord) -> None:
        key = record_key(edit.rel_path, edit.raw_path)
        if edit.caption is None:
            self.texts.pop(key, None)
        else:
            self.texts[key] = edit.caption


def read_edits(journal: Path) -> Edits:
    """Return the captions that were written by hand over a journal."""
    edits = Edits(journal)
    edits.refresh()
    return edits
