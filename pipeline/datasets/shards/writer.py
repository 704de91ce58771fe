"""Samples into shards: which shard a sample goes to, and what the index says of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from journal import NO_SPACE, DiskFull, free_bytes
from pipeline.datasets.errors import OtherShards
from pipeline.datasets.records import fingerprint
from pipeline.datasets.shards.index import Shard, ShardIndex
from pipeline.datasets.shards.patches import PatchSource
from pipeline.datasets.shards.samples import TAR_OVERHEAD, Candidate, LiveRecords, Sample
from pipeline.datasets.shards.shard_file import ShardContent, ShardFile

KEY_DIGITS = 9
"""A key is a number: WebDataset ends a key at the first dot, and an id may have several."""


class _Open(msgspec.Struct):
    """The shard under way, and the samples in it."""

    file: ShardFile
    content: ShardContent
    samples: int = 0
    line: int = 0


class ShardWriter:
    """Writes samples behind the shards that are there.

    Not for several threads at once. After an error, only `abandon` may be called.

    Args:
        directory: Directory of the shards; it is locked.
        index: Index of the directory; changed as shards are finished.
        live: The records, whose candidates `skip` and `add` get in order.
        patches: The patch files that go along, None for none.
    """

    def __init__(
        self, directory: Path, index: ShardIndex, live: LiveRecords, patches: PatchSource | None
    ) -> None:
        self.index = index
        self._directory = directory
        self._live = live
        self._patches = patches
        self._left = live.bytes
        self._samples = index.samples
        self._skipped = Counter(index.skipped)
        self._skipped |= {"malformed": len(live.malformed), "superseded": len(live.superseded)}
        self._without_patches = Counter(index.without_patches)
        self._at_sample = self._counts()
        self._open: _Open | None = None

    def skip(self, candidate: Candidate, reason: str) -> None:
        """Count a record that is no sample."""
        self._skipped[reason] += 1
        self._left -= candidate.image_bytes + len(candidate.data)

    def add(self, candidate: Candidate, image: bytes, suffix: str) -> str | None:
        """Write a sample, in a new shard if this one would become too large.

        Returns:
            Why the sample has no patches, None where it has patches or none were wanted.

        Raises:
            DiskFull: there is no room; whole shards stay.
            OtherShards: somebody changed the dataset meanwhile.
        """
        patches, fault = self._read_patches(candidate)
        sample = Sample(
            key=f"{self._samples:0{KEY_DIGITS}}",
            record=candidate.data,
            image=image,
            suffix=suffix,
            patches=patches,
        )
        with self._naming_a_full_disk():
            shard = self._shard_for(sample)
            shard.content.add(sample)
        shard.samples += 1
        shard.line = candidate.line
        self._samples += 1
        self._left -= candidate.image_bytes + len(candidate.data) + len(patches or b"")
        if fault is not None:
            self._without_patches[fault] += 1
        self._at_sample = self._counts()
        return fault

    def _read_patches(self, candidate: Candidate) -> tuple[bytes | None, str | None]:
        if self._patches is None:
            return None, None
        if candidate.line in self._live.borrowed_ids:
            return None, "shared"
        found = self._patches.read(candidate.record)
        return (found, None) if isinstance(found, bytes) else (None, found)

    def _shard_for(self, sample: Sample) -> _Open:
        if self._open is not None:
            if self._open.content.size_with(sample) <= self.index.options.shard_size:
                return self._open
            self._finish_shard(self._open)
        self._open = self._begin_shard(sample)
        return self._open

    def _begin_shard(self, sample: Sample) -> _Open:
        name = self.index.shard_name(len(self.index.shards))
        least = len(sample.image) + len(sample.record) + len(sample.patches or b"") + TAR_OVERHEAD
        needed = max(least, min(self._left, self.index.options.shard_size))
        if needed > free_bytes(self._directory):
            raise DiskFull(self._directory / name, needed, free_bytes(self._directory))
        file = ShardFile(self._directory, name)
        try:
            return _Open(file, self._content(file))
        except BaseException:
            file.abandon()
            raise

    def _content(self, file: ShardFile) -> ShardContent:
        if self.index.format == "parquet":
            from pipeline.datasets.shards.parquet_shards import ParquetContent

            return ParquetContent(file, with_patches=self._patches is not None)
        from pipeline.datasets.shards.tar_shards import TarContent

        return TarContent(file)

    def _finish_shard(self, shard: _Open) -> None:
        """Bring a shard to disk, then name it in the index."""
        self._require_the_same_dataset()
        shard.content.close()
        digest = shard.file.publish()
        self._open = None
        first = self._samples - shard.samples
        entry = Shard(
            name=shard.file.path.name,
            samples=shard.samples,
            first=f"{first:0{KEY_DIGITS}}",
            last=f"{self._samples - 1:0{KEY_DIGITS}}",
            line=shard.line,
            bytes=shard.file.tell(),
            digest=digest,
        )
        index = self.index
        index.shards.append(entry)
        index.samples = self._samples
        index.bytes += entry.bytes
        index.skipped, index.without_patches = self._at_sample
        index.write(self._directory)

    def _require_the_same_dataset(self) -> None:
        if fingerprint(self._live.dataset) != self._live.fingerprint:
            name = self.index.source.name
            raise OtherShards(self._directory, f"shards of {name} before somebody changed it")

    def finish(self) -> None:
        """Finish the last shard, and say that all are there.

        Raises:
            DiskFull: there is no room; whole shards stay.
            OtherShards: somebody changed the dataset meanwhile.
        """
        with self._naming_a_full_disk():
            if self._open is not None:
                self._finish_shard(self._open)
        self._require_the_same_dataset()
        self.index.skipped, self.index.without_patches = self._counts()
        self.index.complete = True
        self.index.write(self._directory)

    def abandon(self) -> None:
        """Remove the shard under way, if there is one."""
        if self._open is not None:
            self._open.file.abandon()
            self._open = None

    def _counts(self) -> tuple[dict[str, int], dict[str, int]]:
        return (
            {name: count for name, count in sorted(self._skipped.items()) if count},
            {name: count for name, count in sorted(self._without_patches.items()) if count},
        )

    @contextmanager
    def _naming_a_full_disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in NO_SPACE:
                raise DiskFull(self._directory, 0, free_bytes(self._directory)) from error
            raise
