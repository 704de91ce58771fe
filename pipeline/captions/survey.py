"""What a library holds: compares the photos on disk with the catalogue."""

from __future__ import annotations

from collections import Counter

import msgspec

from pipeline.captions.catalogue import Catalogue
from pipeline.captions.file_states import FileStates
from pipeline.captions.plan import Plan, make_plan
from pipeline.captions.request import RunRequest, maker_of
from pipeline.photos.walk import Walked


class Survey(msgspec.Struct, frozen=True):
    """What a library holds.

    Attributes:
        plan: What the requested run would do, and what the run would skip.
        recorded: Photos of the journal, by status; some may no longer be on disk.
        months: Photos of the journal by month of capture, such as `2024-08`; None if unknown.
        warnings: Sentences about folders that could not be read.
    """

    plan: Plan
    recorded: Counter[str]
    months: Counter[str | None]
    warnings: list[str]


def survey(catalogue: Catalogue, walked: Walked, request: RunRequest) -> Survey:
    """Return what a library holds, and what a run would do there.

    Args:
        catalogue: The journal. Call this function on the thread of the catalogue.
        walked: The photos on disk.
        request: The run.

    Raises:
        SetupError: there is no such backend.
    """
    recorded: Counter[str] = Counter()
    months: Counter[str | None] = Counter()
    for made, count in catalogue.index.totals().items():
        recorded[made.status] += count
        months[made.month] += count
    plan = make_plan(
        walked.paths,
        catalogue.index,
        request.selection,
        maker_of(request),
        set(catalogue.edits.texts),
        FileStates(request.journal, request.photos_dir),
    )
    plan.passed_over = walked.passed_over
    return Survey(plan, recorded, months, walked.warnings)
