"""What a library holds: the photos on disk against the catalogue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec

from pipeline.captions.catalogue import Catalogue
from pipeline.captions.request import RunRequest, maker_of
from pipeline.jobs.plan import Plan, make_plan
from pipeline.photos.walk import Walked, walk_photos


class Survey(msgspec.Struct, frozen=True):
    """What a library holds.

    Attributes:
        plan: What the requested run would do, and what it would not.
        recorded: Photos of the journal, by status; some may no longer be on disk.
        months: Those, by month of capture, `2024-08`; None where it is unknown.
        warnings: Sentences about folders that could not be read.
    """

    plan: Plan
    recorded: Counter[str]
    months: Counter[str | None]
    warnings: list[str]


class Surveyor:
    """Surveys one library again and again, walking its folders only when asked to.

    Args:
        catalogue: The journal; to be asked on its thread, so this is too.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._walked: Walked | None = None
        self._of: Path | None = None

    def survey(
        self,
        request: RunRequest,
        *,
        walk: bool = False,
        go_on: Callable[[], bool] = lambda: True,
    ) -> Survey:
        """Return what a library holds, and what a run would do there.

        Args:
            request: The run.
            walk: Whether to look for new photos.
            go_on: Asked now and then; False ends the walk early.

        Raises:
            PhotosDirMissing: the photos directory cannot be read.
            SetupError: there is no such backend.
        """
        if walk or self._walked is None or self._of != request.photos_dir:
            self._walked = walk_photos(request.photos_dir, request.include, request.exclude, go_on)
            self._of = request.photos_dir
        catalogue = self._catalogue
        recorded: Counter[str] = Counter()
        months: Counter[str | None] = Counter()
        for made, count in catalogue.index.totals().items():
            recorded[made.status] += count
            months[made.month] += count
        plan = make_plan(
            self._walked.paths,
            catalogue.index,
            request.selection,
            maker_of(request),
            set(catalogue.edits.texts),
        )
        return Survey(plan, recorded, months, self._walked.warnings)
