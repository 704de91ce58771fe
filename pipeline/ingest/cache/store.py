"""A cache on disk: its files, and how several processes add to it without a lost or double line.

Whoever writes holds the lock of `outcomes.jsonl` meanwhile. The outcome of a photo is
written last, and readers ignore lines that no outcome counts. So what a killed worker left
in the other files does no harm.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from journal import JournalTail, Status, WriterLock, clear_leftovers, make_directory, patient_lock
from pipeline.ingest.cache.manifest import (
    CacheManifest,
    ModelFacts,
    dataset_digest,
    manifest_path,
    read_manifest,
    require_ours,
    schema_hash,
    write_manifest,
)
from pipeline.ingest.cache.outcomes import Outcomes
from pipeline.ingest.cache.records import FOUND, Detection, Outcome, StageName, Text, sealed_lines
from pipeline.ingest.cache.region_vectors import RegionVectors
from pipeline.ingest.queue.base import Leased

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PATIENCE_SECONDS = 60.0
"""The lock is held for a few syncs; one that is held for a minute belongs to a hung process."""


class PhotoResult(msgspec.Struct):
    """What came of one photo; all of it is written, or nothing of it counts.

    Attributes:
        outcomes: One outcome for each stage that the photo went through.
        detections: The regions of the photo.
        texts: The texts in the photo.
        vectors: An embedding for each region, or none at all. Shape (dimensions,), float32.
        labeller: The model that made the embeddings.
        leased: The lease that this answers, None where there is none.
    """

    outcomes: list[Outcome]
    detections: list[Detection] = []
    texts: list[Text] = []
    vectors: list[NDArray[np.float32]] = []
    labeller: ModelFacts | None = None
    leased: Leased | None = None

    @property
    def status(self) -> Status:
        """How the photo fared; all stages of one result fare alike."""
        return self.outcomes[0].status

    @property
    def reason(self) -> str:
        """Why the photo failed; empty where it did not."""
        return self.outcomes[0].error or ""


class Cache:
    """A cache of detections and texts.

    Args:
        directory: The directory of the cache; made by `begin`.

    Attributes:
        outcomes: The outcomes that were there at the last refresh.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.detections = directory / "detections.jsonl"
        self.texts = directory / "ocr.jsonl"
        self.outcomes_path = directory / "outcomes.jsonl"
        self.vectors = RegionVectors(directory / "embeddings")
        self.digests = directory / "digests.sqlite"
        self.log = directory / "ingest.log"
        self.outcomes = Outcomes(self.outcomes_path)
        self._ends: dict[Path, int] = {}

    def begin(self) -> CacheManifest:
        """Make the cache, or make sure that this version can go on with it.

        Returns:
            The manifest.

        Raises:
            CacheRefused: the directory holds a cache of another form, or something else.
        """
        make_directory(self.directory)
        clear_leftovers(self.directory)
        with self.locked():
            if not manifest_path(self.directory).exists() and not self.outcomes_path.stat().st_size:
                made = CacheManifest(schema_hash=schema_hash(), cache_id=secrets.token_hex(8))
                made.dataset_digest = dataset_digest(())
                write_manifest(self.directory, made)
            manifest = read_manifest(self.directory)
            require_ours(self.directory, manifest)
        self.outcomes.refresh()
        return manifest

    @contextmanager
    def locked(self) -> Iterator[WriterLock]:
        """Hold the lock of the cache, waiting for others to finish their lines.

        Raises:
            JournalLocked: another process holds it for a minute.
        """
        lock = patient_lock(self.outcomes_path, "pcc ingest", FOUND, PATIENCE_SECONDS)
        try:
            yield lock
        finally:
            lock.release()

    def add(self, results: Sequence[PhotoResult]) -> list[PhotoResult]:
        """Bring results to disk; a result whose item was answered before is left out.

        Returns:
            The results that were written.

        Raises:
            CacheRefused: the vectors here are of another labeller.
            JournalError: the results cannot be written.
        """
        with self.locked() as lock:
            self.outcomes.refresh()
            new = [result for result in results if not self._is_answered(result)]
            if not new:
                return []
            embedded = [result for result in new if result.vectors]
            labeller = embedded[0].labeller if embedded else None
            if labeller is not None:
                self.vectors.require(labeller)
            self._write(self.detections, [line for result in new for line in result.detections])
            self._write(self.texts, [line for result in new for line in result.texts])
            if labeller is not None:
                self.vectors.add(
                    [region for result in embedded for region in result.detections],
                    [vector for result in embedded for vector in result.vectors],
                    labeller,
                )
            outcomes = [outcome for result in new for outcome in result.outcomes]
            self._append(lock, outcomes)
        return new

    def _write(self, path: Path, records: Sequence[Detection] | Sequence[Text]) -> None:
        if records:
            lock = patient_lock(path, "pcc ingest", FOUND, PATIENCE_SECONDS)
            try:
                self._append(lock, records)
            finally:
                lock.release()

    def _append(
        self,
        lock: WriterLock,
        records: Sequence[Detection] | Sequence[Text] | Sequence[Outcome],
    ) -> None:
        """Add lines to a file that only ever grows, whichever worker writes."""
        tail = JournalTail(lock, self._ends.get(lock.path, 0))
        tail.write(sealed_lines(records))
        self._ends[lock.path] = tail.end

    def _is_answered(self, result: PhotoResult) -> bool:
        """Tell whether another worker, before it was killed, answered the same item as well."""
        return all(
            (ended := self.outcomes.of(outcome.key, outcome.stage)) is not None
            and ended.item_hash == outcome.item_hash is not None
            and (ended.status == "success" or outcome.status != "success")
            for outcome in result.outcomes
        )

    def say(self, models: dict[StageName, ModelFacts]) -> CacheManifest:
        """Bring the manifest up to date.

        Args:
            models: The model of each stage; stages that are not named stay as they were.

        Returns:
            The manifest.
        """
        with self.locked():
            self.outcomes.refresh()
            manifest = read_manifest(self.directory)
            manifest.models.update({str(stage): facts for stage, facts in models.items()})
            manifest.dataset_digest = dataset_digest(sorted(self.outcomes.digests.items()))
            write_manifest(self.directory, manifest)
        return manifest
