"""WebDataset shards: a tar, in which files of one name up to the first dot are a sample."""

from __future__ import annotations

from tarfile import BLOCKSIZE, RECORDSIZE

from pipeline.datasets.shards.samples import Sample
from pipeline.datasets.shards.shard_file import ShardFile

END_BYTES = 2 * BLOCKSIZE


class TarContent:
    """The content of a WebDataset shard. The same samples make the same bytes.

    Args:
        file: The file to write to.
    """

    def __init__(self, file: ShardFile) -> None:
        from webdataset import TarWriter  # takes seconds: it brings torch

        # The time is an integer: a float costs a kilobyte of extended header for each file.
        self._writer = TarWriter(
            file, user="pcc", group="pcc", mode=0o644, mtime=0, encoder=False, compress=False
        )
        self._bytes = 0

    def size_with(self, sample: Sample) -> int:
        """Return the bytes that the file would have if it ended behind a sample."""
        content = self._bytes + _bytes_of(sample) + END_BYTES
        return -(-content // RECORDSIZE) * RECORDSIZE

    def add(self, sample: Sample) -> None:
        """Put a sample behind the others."""
        members = {"__key__": sample.key, sample.suffix: sample.image, "json": sample.record}
        if sample.patches is not None:
            members["npy"] = sample.patches
        self._writer.write(members)
        self._writer.tarstream.members.clear()  # a list that nobody needs, and that grows
        self._bytes += _bytes_of(sample)

    def close(self) -> None:
        """Write the end of the tar."""
        self._writer.close()


def _bytes_of(sample: Sample) -> int:
    """Return what a sample takes in a tar: each file has a header, and fills its last block."""
    files = (sample.image, sample.record, *([] if sample.patches is None else [sample.patches]))
    return sum(BLOCKSIZE + -(-len(file) // BLOCKSIZE) * BLOCKSIZE for file in files)
