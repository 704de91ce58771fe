"""`--dry-run`: every photo is decoded, no model is called, and no photo counts as captioned."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from backends.base import Caption, Captioner, Options, PhotoInput
from journal import CaptionRecord, Committed, JournalError, JournalWriter, WriterLock
from pipeline.captions.stage import CaptionStage

NOT_CAPTIONED = "(dry run: decoded, not captioned)"


class NoCaptioner(Captioner):
    """Says of every photo that it was decoded."""

    name = "dry-run"
    local = True

    async def caption(self, photo: PhotoInput) -> Caption:
        """Return the same words for every photo."""
        return Caption(text=NOT_CAPTIONED)


class DryRunJournal:
    """Keeps the records of broken photos in the journal, and all others in a separate file.

    So the real run need not open a broken photo again, and no made-up caption
    keeps the real run from captioning a photo.
    """

    def __init__(
        self,
        journal: WriterLock,
        beside: WriterLock,
        on_commit: Callable[[Committed[CaptionRecord]], None],
        on_failure: Callable[[JournalError], None],
    ) -> None:
        self._journal: JournalWriter[CaptionRecord] = JournalWriter(journal, on_commit, on_failure)
        self._beside: JournalWriter[CaptionRecord] = JournalWriter(beside, on_commit, on_failure)

    def append(self, record: CaptionRecord) -> None:
        """Hand over a record to the journal to which the record belongs."""
        target = self._journal if record.status == "error_corrupt" else self._beside
        target.append(record)

    def flush(self) -> None:
        """Bring the records of both files to disk."""
        self._journal.flush()
        self._beside.flush()

    def close(self) -> None:
        """Bring the records of both files to disk, and release both files."""
        try:
            self._journal.close()
        finally:
            self._beside.close()


def dry_run_path(journal: Path) -> Path:
    """Return the path of the file of dry runs."""
    return journal.with_name(f"{journal.stem}.dry-run{journal.suffix}")


def dry_run_stage(run: str, prompt: str) -> CaptionStage:
    """Return the stage of a dry run."""
    return CaptionStage(NoCaptioner(Options()), run, prompt)
