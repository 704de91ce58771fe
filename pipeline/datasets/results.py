"""What there is to put into records: the passes and producers of one enrichment.

The engine asks here; each pass and producer answers for its own part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from pipeline.datasets.draft import Draft
from pipeline.datasets.gaps import Lacking
from pipeline.datasets.passes import PASSES, in_writing_order
from pipeline.datasets.passes.base import Pass
from pipeline.datasets.passes.dimensions import SizeProducer
from pipeline.datasets.producer import Producer
from pipeline.datasets.request import EnrichRequest
from pipeline.datasets.side_journals import SideJournals

AnyPass = TypeVar("AnyPass", bound=Pass)
AnyProducer = TypeVar("AnyProducer", bound=Producer[Any])

PRODUCER_TYPES: tuple[type[Producer[Any]], ...] = tuple(
    dict.fromkeys(
        (SizeProducer, *(each.made_by for each in PASSES.values() if each.made_by is not None))
    )
)
"""Every producer there is, in the order in which they work: sizes first, since others need them."""


class Results:
    """The passes that were chosen, and the producers they need. Nothing is loaded for it.

    Args:
        request: What was asked for.

    Raises:
        SetupError: the model's configuration cannot be read.
        OtherPatches: the patch files are another model's.

    Attributes:
        request: What was asked for.
        side: The side journals.
        sizes: Knows the sizes of images, which several passes need.
        producers: The producers, in the order in which they work.
        passes: The passes, in the order in which their fields are written.
        entries: The records that lack something, once they are planned.
        broken: Number of images that could not be read before, and have not changed.
    """

    def __init__(self, request: EnrichRequest) -> None:
        self.request = request
        self.side = SideJournals(request.dataset)
        wanted = {SizeProducer, *(each.made_by for each in request.passes)}
        self.producers = [kind(self) for kind in PRODUCER_TYPES if kind in wanted]
        self.sizes = self.producer(SizeProducer)
        self.passes = [each(self) for each in in_writing_order(request.passes)]
        self.entries: Sequence[Lacking] = []
        self.broken = 0

    def producer(self, kind: type[AnyProducer]) -> AnyProducer:
        """Return a producer of this enrichment, which must be one that some pass needs."""
        return next(each for each in self.producers if isinstance(each, kind))

    def chosen(self, kind: type[AnyPass]) -> AnyPass | None:
        """Return a pass of this enrichment, None where it was not chosen."""
        return next((each for each in self.passes if isinstance(each, kind)), None)

    # Planning

    def plan(self, entries: Sequence[Lacking]) -> None:
        """Find out what is to be made for the records that lack something."""
        self.entries = entries
        for producer in self.producers:
            producer.to_do = []
        self.broken = sum(self._plan(entry) for entry in entries if entry.on_disk)

    def _plan(self, entry: Lacking) -> bool:
        """Plan one image; tell whether the image was found broken before."""
        is_broken = has_no_size = False
        for producer in self.producers:
            if not producer.wants(entry) or (producer.needs_bucket and has_no_size):
                continue
            if producer.gave_up(entry):
                is_broken = True
                has_no_size |= producer is self.sizes
            else:
                producer.to_do.append(entry)
        return is_broken

    def refresh(self) -> None:
        """Take in what was made since."""
        for producer in self.producers:
            producer.journal.refresh()

    def has_work(self) -> bool:
        """Tell whether any image is to be worked on."""
        return any(producer.to_do for producer in self.producers)

    # What comes into records

    def would_change(self, entry: Lacking) -> bool:
        """Tell whether there is anything to put into a record, without reading the record."""
        return entry.line == 0 or any(each.can_fill(entry) for each in self.passes)

    def has_text(self, field: str, entry: Lacking) -> bool:
        """Tell whether a record has a text in some field, or is about to get one."""
        if field not in entry.lacking:
            return field in entry.texts
        return any(field in each.field_names and each.has_result(entry) for each in self.passes)

    def fill(self, drafts: Sequence[Draft]) -> None:
        """Put the values of all passes into records that are about to be written."""
        for each in self.passes:
            each.fill(drafts)

    def images_with_new_file(self) -> set[str]:
        """Return the keys of the images that got a file in this enrichment."""
        return set[str]().union(*(each.images_with_new_file() for each in self.producers))

    def not_attempted(self) -> set[str]:
        """Return the keys of images whose turn did not come."""
        has_no_size = self.sizes.journal.failed
        return {
            entry.key
            for producer in self.producers
            for entry in producer.to_do
            if not producer.journal.attempted(entry.key)
            and not (producer.needs_bucket and has_no_size(entry.key))
        }

    # The side journals afterwards

    def has_merged(self, keys: set[str]) -> bool:
        """Tell whether a killed process left results in the side journals that it had merged."""
        if self.request.anew or not self.side.directory.exists():
            return False
        return any(producer.journal.has_merged(keys) for producer in self.producers)

    def settle(self, keys: set[str], *, whole: bool) -> None:
        """Remove from the side journals what is merged.

        Args:
            keys: Keys of all images of the dataset.
            whole: Whether everything that was to be made has been tried.
        """
        for producer in self.producers:
            producer.settle(keys, whole=whole)
