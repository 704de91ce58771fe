"""Edits follow photos that were renamed, as captions do: by the content of the file."""

from __future__ import annotations

from pathlib import Path

from journal import CaptionRecord, record_key, scan
from pipeline.captions.edits import Edits
from pipeline.photos.photo import find_file


def follow_renames(journal: Path, photos_dir: Path, run: str) -> int:
    """Give the edit of a photo that is gone to a photo of a run with the same content.

    Args:
        journal: The captions journal, with the edits beside it.
        photos_dir: The photos directory.
        run: Id of the run that captioned the photos under their new names.

    Returns:
        How many edits were given on.

    Raises:
        JournalLocked: another process keeps the edits locked.
        JournalError: an edit cannot be written.
    """
    edits = Edits(journal)
    edits.refresh()
    if not edits.texts:
        return 0
    last: dict[str, CaptionRecord] = {}
    for _, record in scan(journal, CaptionRecord):
        key = record_key(record.rel_path, record.raw_path)
        if key in edits.texts or record.run == run:
            last[key] = record
    words = {
        record.digest: edits.texts[key]
        for key, record in last.items()
        if key in edits.texts and record.digest is not None and _is_gone(record, photos_dir)
    }
    followed = 0
    for key, record in last.items():
        is_new = record.run == run and key not in edits.texts
        if is_new and record.digest in words:
            edits.write(record.rel_path, record.raw_path, words[record.digest])
            followed += 1
    return followed


def _is_gone(record: CaptionRecord, photos_dir: Path) -> bool:
    try:
        return not find_file(photos_dir, record.rel_path, record.raw_path).exists()
    except (ValueError, OSError):
        return False
