"""Preparing an enrichment: what a dataset lacks, and what of it is to be made. Loads nothing."""

from __future__ import annotations

import msgspec

from journal import WriterLock, clear_leftovers
from pipeline.datasets.gaps import DatasetGaps
from pipeline.datasets.records import fingerprint
from pipeline.datasets.request import EnrichRequest
from pipeline.datasets.results import Results
from pipeline.datasets.survey import Surveyor
from pipeline.photos.walk import walk_photos


class PreparedEnrichment(msgspec.Struct):
    """An enrichment that is planned, with nothing loaded yet.

    Attributes:
        gaps: What the dataset lacks.
        results: What there is to fill the gaps with, and what is to be made.
        warnings: Sentences about the walk.
        lock: Lock of the dataset, held while there is anything to do.
    """

    gaps: DatasetGaps
    results: Results
    warnings: list[str]
    lock: WriterLock | None = None

    @property
    def request(self) -> EnrichRequest:
        """What was asked for."""
        return self.results.request

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to make, nothing to write, and nothing to clear away."""
        results = self.results
        return not (
            results.has_work()
            or any(map(results.would_change, self.gaps.all_entries()))
            or results.has_merged(self.gaps.all_keys())
        )

    def release(self) -> None:
        """Give the lock back."""
        if self.lock is not None:
            self.results.side.leave(self.lock)
            self.lock = None


def prepare_enrichment(request: EnrichRequest) -> PreparedEnrichment:
    """Find out what a dataset lacks; if it is anything, lock the dataset.

    Raises:
        SetupError: the model's configuration cannot be read.
        OtherPatches: the patch files are another model's.
        PhotosDirMissing: the input directory cannot be read.
        JournalLocked: another process enriches this dataset.
    """
    prepared = survey_dataset(request)
    if prepared.is_done:
        return prepared
    side = prepared.results.side
    lock = side.lock()
    try:
        if fingerprint(request.dataset) == prepared.gaps.fingerprint:
            prepared.results.refresh()
            prepared.results.plan(prepared.gaps.all_entries())
        else:  # somebody was at work until just now
            prepared = survey_dataset(request)
        clear_leftovers(request.dataset.parent, request.dataset.name)
    except BaseException:
        side.leave(lock)
        raise
    prepared.lock = lock
    return prepared


def survey_dataset(request: EnrichRequest) -> PreparedEnrichment:
    """Find out what a dataset lacks; nothing is written.

    Raises:
        SetupError: the model's configuration cannot be read.
        OtherPatches: the patch files are another model's.
        PhotosDirMissing: the input directory cannot be read.
    """
    walked = walk_photos(request.input_dir)
    results = Results(request)
    gaps = Surveyor(results, walked.paths).survey()
    results.plan(gaps.all_entries())
    return PreparedEnrichment(gaps, results, walked.warnings)
