"""The patch files of a dataset as samples take them: whole, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from journal import TooLarge, read_whole
from pipeline.datasets.buckets import bucket_of
from pipeline.datasets.image_ids import is_file_name
from pipeline.datasets.passes.dimensions import recorded_size
from pipeline.datasets.passes.migrate import ID, recorded_bucket
from pipeline.datasets.patch_files import PatchFiles, read_manifest, state_of
from pipeline.datasets.records import Record
from pipeline.photos.geometry import Size

MOST_BYTES = 1 << 30
"""Bytes of one file at most; a hundred times what the largest bucket takes."""

Fault = Literal["missing", "stale", "truncated"]


class PatchSource:
    """Reads patch files by the records they belong to.

    Args:
        directory: Directory of the patch files.

    Attributes:
        manifest: Manifest of the patch files, None where the directory has none.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.manifest = read_manifest(directory)
        self._files = self.manifest and PatchFiles(directory, self.manifest.config())

    def bytes_of(self, record: Record) -> int:
        """Return the size of a record's patch file in bytes, 0 without a file."""
        path = self._path(record)
        try:
            return 0 if path is None else path.stat().st_size
        except OSError:
            return 0

    def read(self, record: Record) -> bytes | Fault:
        """Return the patch file of a record, or why the sample goes without."""
        path = self._path(record)
        if path is None:
            return "missing"
        state = state_of(path, lambda shape: self._fits(shape, _bucket_of(record)))
        if state != "whole":
            return state
        try:
            return read_whole(path, MOST_BYTES)
        except TooLarge:
            return "truncated"
        except OSError:
            return "missing"

    def _fits(self, shape: tuple[int, int], bucket: Size | None) -> bool:
        """Tell whether a shape is that of a bucket, as far as both are known."""
        return not (self._files and bucket) or shape == self._files.shape(bucket)

    def _path(self, record: Record) -> Path | None:
        image_id = record.text(ID)
        if image_id is None or not is_file_name(image_id):
            return None
        path = self.directory / f"{image_id}.npy"
        return path if path.is_file() else None


def _bucket_of(record: Record) -> Size | None:
    """Return the bucket of a record, else the one that its size calls for, None without either."""
    bucket, size = recorded_bucket(record), recorded_size(record)
    return bucket_of(size) if bucket is None and size is not None else bucket
