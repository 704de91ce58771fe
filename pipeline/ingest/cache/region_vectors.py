"""Embeddings of regions: the directory `embeddings/` of a cache."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from journal import (
    UNREADABLE,
    JournalTail,
    atomic_rewrite,
    make_directory,
    patient_lock,
    read_whole,
)
from pipeline.embeddings.row_file import RowFile
from pipeline.ingest.cache.manifest import ModelFacts
from pipeline.ingest.cache.records import FOUND, Detection, Embedding, sealed_lines
from pipeline.ingest.errors import CacheRefused

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class VectorFacts(msgspec.Struct):
    """What the rows of `regions.f32` are: `regions.json`."""

    dimensions: int
    model: str
    blake3: str = ""
    dtype: str = "float32"
    unit_length: bool = True


class RegionVectors:
    """Rows of float32 in `regions.f32`; `regions.jsonl` says which row belongs to which region.

    Whoever adds rows holds the lock of the cache.

    Args:
        directory: `embeddings/` of a cache; made with the first rows.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.rows = directory / "regions.f32"
        self.keys = directory / "regions.jsonl"
        self._facts = directory / "regions.json"

    def facts(self) -> VectorFacts | None:
        """Return what the rows are, None where `regions.json` cannot be read."""
        try:
            return msgspec.json.decode(read_whole(self._facts), type=VectorFacts)
        except (OSError, *UNREADABLE):
            return None

    def require(self, labeller: ModelFacts) -> None:
        """Make sure that the vectors of a labeller may join those that are here.

        Raises:
            CacheRefused: the vectors here are of another model, or of an unknown one.
        """
        there = self.facts()
        if there is None and self._facts.exists():
            raise CacheRefused(f"{self._facts} is damaged; without it the embeddings mean nothing")
        if there is None:
            return
        digest = labeller.hashes.get("blake3", "")
        alike = there.blake3 == digest if digest else there.model == labeller.version
        if not alike:
            raise CacheRefused(
                f"the embeddings in {self.directory} are of {there.model}, not of "
                f"{labeller.version}; name that labeller, or another --cache"
            )

    def add(
        self,
        regions: Sequence[Detection],
        vectors: Sequence[NDArray[np.float32]],
        labeller: ModelFacts,
    ) -> None:
        """Bring the vectors of some regions to disk.

        Args:
            regions: Regions of any photos.
            vectors: One vector for each region. Shape (dimensions,), float32.
            labeller: The model that made the vectors; see `require`.

        Raises:
            JournalError: the vectors cannot be written.
            OSError: the vectors cannot be written.
        """
        import numpy as np

        rows = np.stack(vectors)
        digest = labeller.hashes.get("blake3", "")
        self._begin(VectorFacts(rows.shape[1], labeller.version, digest))
        first = RowFile(self.rows).append(rows)
        records = [
            Embedding(
                rel_path=region.rel_path,
                raw_path=region.raw_path,
                item_hash=region.item_hash,
                region_id=region.region_id,
                row=first + place,
            )
            for place, region in enumerate(regions)
        ]
        lock = patient_lock(self.keys, "pcc ingest", FOUND)
        try:
            JournalTail(lock).write(sealed_lines(records))
        finally:
            lock.release()

    def _begin(self, facts: VectorFacts) -> None:
        """Write down what the rows are, unless that is there already."""
        if not self._facts.exists():
            make_directory(self.directory)
            data = msgspec.json.encode(facts) + b"\n"
            with atomic_rewrite(self._facts, needed=len(data)) as file:
                file.write(data)
