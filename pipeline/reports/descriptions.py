"""Basic descriptions of photos that were never captioned, in a separate journal."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from backends.base import Options
from journal import CaptionRecord, record_key, scan
from pipeline.captions.library import LibraryPhoto
from pipeline.captions.plan import Selection
from pipeline.captions.request import RunRequest, prepare_run
from pipeline.captions.run import run_captions
from pipeline.jobs.run_job import Watcher


def descriptions_path(workspace: Path) -> Path:
    """Return the path of the descriptions, which do not keep a run from captioning the photos."""
    return workspace / "descriptions.jsonl"


def read_descriptions(workspace: Path) -> dict[str, str]:
    """Return the descriptions made so far, by key."""
    records = scan(descriptions_path(workspace), CaptionRecord)
    return {
        record_key(record.rel_path, record.raw_path): record.caption
        for _, record in records
        if record.caption
    }


def undescribed(
    photos: Sequence[LibraryPhoto], workspace: Path, words: Collection[str]
) -> list[LibraryPhoto]:
    """Return the photos without an attempt at a caption, without a word and a description."""
    records = scan(descriptions_path(workspace), CaptionRecord)
    told = {*words, *(record_key(record.rel_path, record.raw_path) for _, record in records)}
    return [
        photo
        for photo in photos
        if photo.status is None and photo.caption is None and photo.key not in told
    ]


async def describe(
    workspace: Path, photos_dir: Path, photos: Sequence[LibraryPhoto], watch: Watcher
) -> int | None:
    """Describe photos with `basic`; return 128 plus the signal that stopped the job, or None.

    Raises:
        JournalError: descriptions cannot be written.
        PhotosDirMissing: the photos directory cannot be read.
    """
    request = RunRequest(
        photos_dir=photos_dir,
        workspace=workspace,
        journal=descriptions_path(workspace),
        backend="basic",
        options=Options(),
        selection=Selection(keys=frozenset(photo.key for photo in photos)),
    )
    prepared = prepare_run(request)
    try:
        return (await run_captions(prepared, watch)).stop_code
    finally:
        prepared.lock.release()
