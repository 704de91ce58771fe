"""What makes the results of passes: a stage, and the side journal that keeps its records.

Several passes may share a producer: one run of DINO over a picture gives its embedding and
its patches.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import msgspec

from journal import JournalWriter, WriterLock
from pipeline.datasets.side_journals import RESULTS, SideJournal
from pipeline.photos.photo import Photo

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.datasets.gaps import Lacking
    from pipeline.datasets.passes.base import Pass
    from pipeline.datasets.results import Results
    from pipeline.jobs.job import Job
    from pipeline.jobs.progress import Progress
    from pipeline.jobs.stage import Stage

Kind = TypeVar("Kind", bound=msgspec.Struct)


class Producer(ABC, Generic[Kind]):
    """Makes the results of one or more passes in one enrichment.

    Args:
        results: The passes and producers of the enrichment.

    Attributes:
        name: Name of its step in snapshots, reports and the log.
        journal_name: Name of the side journal, without its ending; the producer's by default.
        record_type: Type of the records in the side journal.
        needs_bucket: Whether no image can be worked on before its bucket is known.
        keeps_redo_apart: Whether results that `--redo` asked for stand in a journal of their own.
        journal: The side journal.
        to_do: Records whose image is to be worked on.
        progress: Counts the images of this enrichment, once that has begun.
    """

    name: ClassVar[str]
    journal_name: ClassVar[str] = ""
    record_type: type[Kind]
    needs_bucket: ClassVar[bool] = False
    keeps_redo_apart: ClassVar[bool] = True

    def __init__(self, results: Results) -> None:
        self.results = results
        self.anew = self.keeps_redo_apart and any(
            each.name in results.request.anew for each in self.pass_types()
        )
        name = self.journal_name or self.name
        self.journal = self.open_journal(results.side.path(name, anew=self.anew))
        self.to_do: list[Lacking] = []
        self.progress: Progress

    @classmethod
    def pass_types(cls) -> list[type[Pass]]:
        """Return the passes whose results the producer makes, chosen or not."""
        from pipeline.datasets.passes import PASSES

        return [each for each in PASSES.values() if each.made_by is cls]

    @property
    def passes(self) -> list[Pass]:
        """The passes of this enrichment whose results the producer makes."""
        return [each for each in self.results.passes if each.producer is self]

    @property
    def task(self) -> str:
        """What there is to do, told behind the number of images."""
        return f"images for {self.name}"

    def open_journal(self, path: Path) -> SideJournal[Kind]:
        """Return the side journal at a path."""
        return SideJournal(path, self.record_type)

    # The work

    def wants(self, entry: Lacking) -> bool:
        """Tell whether something is to be made for a record that lacks something."""
        return any(each.wants(entry) for each in self.passes)

    def gave_up(self, entry: Lacking) -> bool:
        """Tell whether an image could not be read before, and has not changed since."""
        return self.journal.gave_up(entry.key, self.results.request.input_dir / entry.path)

    @abstractmethod
    def make_stage(self) -> Stage[Kind]:
        """Return the stage that works on the images.

        Raises:
            SetupError: a model cannot be found.
        """

    def ready_entries(self) -> list[Lacking]:
        """Return the records to work on, now that all earlier steps are done, in order."""
        return self.to_do

    def job_options(self) -> dict[str, Any]:
        """Return further arguments of the job: copies and budget."""
        return {}

    def job(self) -> Job[Kind] | None:
        """Return the job that does the work, None if nothing is left to do."""
        from pipeline.jobs.job import Job

        entries = self.ready_entries()
        if not entries:
            return None
        self.progress.total = len(entries)
        request, path = self.results.request, self.journal.path
        lock = WriterLock(path, f"pcc dataset enrich, {request.dataset}", RESULTS)
        return Job(
            self.make_stage(),
            [Photo(entry.path, entry.key) for entry in entries],
            photos_dir=request.input_dir,
            open_journal=partial(JournalWriter, lock),
            progress=self.progress,
            **self.job_options(),
        )

    # What came of it

    def made(self) -> dict[str, int]:
        """Return the number of results of this run, by pass."""
        return {each.name: self.progress.by_status["success"] for each in self.pass_types()}

    def images_with_new_file(self) -> set[str]:
        """Return the keys of the images that got a file of their own in this run."""
        return set()

    def waiting_bytes(self) -> int:
        """Return about how many bytes of results wait to be written into the dataset."""
        return self.journal.path.stat().st_size if self.journal.path.exists() else 0

    def settle(self, keys: set[str], *, whole: bool) -> None:
        """Remove what is merged from the side journal.

        Results made anew stay until all of them are made: only the journal tells which of the
        values in the dataset are new.

        Args:
            keys: Keys of all images of the dataset.
            whole: Whether everything that was to be made has been tried.
        """
        if whole or not self.anew:
            self.journal.settle(keys)
