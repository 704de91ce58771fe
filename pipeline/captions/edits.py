"""Captions written by hand: a layer over the machine's, in a journal of its own."""

from __future__ import annotations

from pathlib import Path

from backends.keys import scrub
from journal import (
    EditRecord,
    Follower,
    JournalWriter,
    patient_lock,
    record_key,
    utc_now,
)


class Edits:
    """The captions that people wrote, by photo.

    `write` may be called on another thread than `refresh`.

    They stand in `edits.jsonl` beside the captions journal, so one may edit while
    a run writes. Where a caption is shown or exported, the edit wins.

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
        """Take in what was written since; tell whether there was anything."""
        changed = False

        def reset() -> None:
            nonlocal changed
            self.texts.clear()
            changed = True

        for _, edit in self._follower.poll(reset):
            self._take(edit)
            changed = True
        return changed

    def write(self, rel_path: str, raw_path: str | None, caption: str | None) -> None:
        """Bring an edit to disk; None takes an earlier one back.

        Raises:
            JournalLocked: another process keeps the edits locked.
            JournalError: it cannot be written.
        """
        text = None if caption is None else scrub(caption)
        edit = EditRecord(rel_path=rel_path, raw_path=raw_path, caption=text, at=utc_now())
        writer: JournalWriter[EditRecord] = JournalWriter(patient_lock(self.path, "an edit"))
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
