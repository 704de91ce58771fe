"""The pass `caption`: captions that exist already, and the rest by any backend."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from backends.keys import scrub
from journal import CaptionRecord
from pipeline.captions.plan import Made, Maker
from pipeline.captions.prompt_file import prompt_hash
from pipeline.datasets.draft import Draft
from pipeline.datasets.passes.base import Field, Pass
from pipeline.datasets.producer import Producer
from pipeline.datasets.side_journals import Attempted, SideJournal

if TYPE_CHECKING:
    from pathlib import Path

    from backends.base import Captioner
    from pipeline.captions.stage import CaptionStage
    from pipeline.datasets.gaps import Lacking
    from pipeline.datasets.request import EnrichRequest
    from pipeline.datasets.results import Results

CAPTION = "caption"


class CaptionProducer(Producer[CaptionRecord]):
    """Captions images with the stage of `pcc run`."""

    name = "caption"
    journal_name = "captions"
    record_type = CaptionRecord

    def __init__(self, results: Results) -> None:
        super().__init__(results)
        self._captioner: Captioner | None = None
        self._bound = 0.0

    @property
    def task(self) -> str:
        """What there is to do, told behind the number of images."""
        return f"images to caption with {self.results.request.backend}"

    @property
    def unserved(self) -> int:
        """Number of images on disk without a caption, where no backend is named to write any."""
        if self.results.request.backend is not None:
            return 0
        return sum(
            entry.on_disk and CAPTION in entry.lacking and not self.has_caption(entry.key)
            for entry in self.results.entries
        )

    def wants(self, entry: Lacking) -> bool:
        """Tell whether an image is to be captioned, which takes a backend that somebody named."""
        return self.results.request.backend is not None and super().wants(entry)

    def open_journal(self, path: Path) -> SideJournal[CaptionRecord]:
        """Return the side journal; of captions made anew, only those by the same maker count."""
        if not self.anew or self.results.request.backend is None:
            return SideJournal(path, CaptionRecord)
        maker = caption_maker(self.results.request)
        return SideJournal(path, CaptionRecord, lambda attempted: _is_by(attempted, maker))

    @cached_property
    def known(self) -> dict[str, str]:
        """Captions of the captions journal, by key, for the records that lack one."""
        journal = self.results.request.captions_journal
        lacking = [entry for entry in self.results.entries if CAPTION in entry.lacking]
        wanted = {entry.key for entry in lacking}
        if journal is None or self.anew or not wanted:
            return {}
        from pipeline.captions.library import read_library

        paths = [entry.path for entry in lacking]
        return {
            photo.key: photo.caption
            for photo in read_library(journal, paths, self.results.request.input_dir)
            if photo.caption is not None and photo.key in wanted
        }

    def has_caption(self, key: str) -> bool:
        """Tell whether there is a caption for an image that lacks one."""
        return key in self.known or self.journal.made(key)

    def make_captioner(self) -> None:
        """Make the backend, and find out the most that a caption can cost.

        Raises:
            SetupError: the backend cannot be made, or has no price for a budget.
        """
        from backends.prices import require_price
        from backends.registry import make_backend

        request = self.results.request
        assert request.backend is not None
        self._captioner = make_backend(request.backend, request.options)
        bound = self._captioner.cost_bound()
        if request.budget is not None:
            bound = require_price(bound, request.backend, self._captioner.model)
        self._bound = bound or 0.0

    def make_stage(self) -> CaptionStage:
        """Return the stage that captions."""
        from pipeline.captions.prompt_file import keep_prompt
        from pipeline.captions.stage import CaptionStage

        assert self._captioner is not None
        request = self.results.request
        self.progress.backend = self._captioner.name
        prompt = keep_prompt(request.workspace, request.options.prompt)
        return CaptionStage(self._captioner, self.progress.run, prompt)

    def job_options(self) -> dict[str, Any]:
        """Return what is known of identical files, for which one caption serves, and the budget."""
        from pipeline.captions.plan import read_history
        from pipeline.jobs.budget import Budget
        from pipeline.jobs.copies import Copies

        request, path, run = self.results.request, self.journal.path, self.progress.run
        paths = [entry.path for entry in self.to_do]
        digests = read_history(path, run, caption_maker(request), paths).digests
        budget = Budget(request.budget, 0.0, self._bound)
        if self._captioner is not None:
            self._captioner.may_repeat = budget.admit_repeat
        return {"copies": Copies(path, digests), "budget": budget}

    def waiting_bytes(self) -> int:
        """Return about how many bytes of captions wait to be written into the dataset."""
        return super().waiting_bytes() + 4 * sum(map(len, self.known.values()))


class CaptionPass(Pass):
    """Takes the caption that the captions journal knows, else the one that was made."""

    name = "caption"
    about = "a caption, by any backend"
    fields = (Field(CAPTION, str | None),)
    missing_if = "empty"
    made_by = CaptionProducer
    producer: CaptionProducer

    def has_result(self, entry: Lacking) -> bool:
        """Tell whether there is a caption for an image."""
        return self.producer.has_caption(entry.key)

    def prepare(self) -> None:
        """Make the backend.

        Raises:
            SetupError: the backend cannot be made, or has no price for a budget.
        """
        if self.has_work():
            self.producer.make_captioner()

    def values(self, draft: Draft) -> dict[str, Any]:
        """Return the caption, without any key that a backend may have repeated."""
        key = draft.entry.key
        known = self.producer.known.get(key)
        if known is not None:
            return {CAPTION: known}
        made = self.producer.journal.read(key)
        return {CAPTION: None if made is None or made.caption is None else scrub(made.caption)}


def caption_maker(request: EnrichRequest) -> Maker:
    """Return who would make the captions."""
    from backends.registry import backend_class

    assert request.backend is not None
    kind, options = backend_class(request.backend), request.options
    return Maker(kind.name, kind.model_for(options), prompt_hash(options.prompt))


def _is_by(attempted: Attempted, maker: Maker) -> bool:
    made = Made(attempted.status, attempted.backend, attempted.model, attempted.prompt)
    return maker.made(made)
