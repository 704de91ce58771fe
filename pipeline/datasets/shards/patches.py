"""The patch files of a dataset as samples take them: whole, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pipeline.datasets.buckets import bucket_of
from pipeline.datasets.image_ids import is_file_name
from pipeline.datasets.passes.dimensions import recorded_size
from pipeline.datasets.passes.migrate import ID, recorded_bucket
from pipeline.datasets.patch_files import PatchFiles, read_manifest, state_of
from pipeline.datasets.records import Record
from pipeline.photos.geometry import Size

MOST_BYTES = 1 << 30
"""Of one file; a hundred times what the largest bucket takes."""

Fault = Literal["missing", "stale", "truncated"]


class PatchSource:
    """Reads patch files by the records they belong to.

    Args:
        directory: Where they are.

    Attributes:
        manifest: Whose features they are, None where the directory does not say.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.manifest = read_manifest(directory)
        self._files = self.manifest and PatchFiles(directory, self.manifest.config())

    def bytes_of(self, record: Record) -> int:
        """Return the size of a record's patch file, 0 without one."""
        path = self._path(record)
        try:
            return 0 if path is None else path.stat().st_size
        except OSError:
            return 0

    def read(self, record: Record) -> bytes | Fault:
        """Return the patch file of a record, or why it is none to go along."""
        path = self._path(record)
        if path is None:
            return "missing"
        state = state_of(path, lambda shape: self._fits(shape, _bucket_of(record)))
        if state != "whole":
            return state
        try:
            return "truncated" if path.stat().st_size > MOST_BYTES else path.read_bytes()
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
    """Return the bucket as the record tells it, else by its size, None where it tells neither."""
    bucket, size = recorded_bucket(record), recorded_size(record)
    return bucket_of(size) if bucket is None and size is not None else bucket
