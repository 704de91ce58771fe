"""What an enrichment did, or found to do, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from pipeline.datasets.request import PreparedEnrichment
from pipeline.datasets.side_journals import SideJournal
from pipeline.datasets.survey import Lacking


class EnrichReport(msgspec.Struct, kw_only=True, tag_field="kind", tag="dataset-enrich"):
    """What an enrichment did, as `--json` prints it.

    Attributes:
        run: Its id, None where there was nothing to do.
        total: Records there are.
        new: Records added.
        enriched: Records that gained something.
        skipped: Records for which nothing could be or need be done.
        left: Images whose turn did not come.
        made: Results of this run by pass.
        failed: Images that gave no result in this run, by pass.
        broken: Images that could not be read in an earlier run, and have not changed since.
        missing: Paths of records whose image is not there.
        malformed: Lines that hold no record.
        superseded: Lines whose image has another record further down, which counts.
        outside: Lines whose path leads out of the input directory.
        odd_buckets: Lines whose bucket has no width and height.
        shared_ids: Ids that several records have.
        unusable_ids: Lines whose id cannot name a file.
        stale_masks: Records whose caption was made anew, and their mask was not.
        cost_usd: Of the captions.
        seconds: It took.
    """

    run: str | None = None
    total: int = 0
    new: int = 0
    enriched: int = 0
    skipped: int = 0
    left: int = 0
    made: dict[str, int] = {}
    failed: dict[str, int] = {}
    broken: int = 0
    missing: list[str] = []
    malformed: list[int] = []
    superseded: list[int] = []
    outside: list[int] = []
    odd_buckets: list[int] = []
    shared_ids: list[str] = []
    unusable_ids: list[int] = []
    stale_masks: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0


class EnrichPlan(msgspec.Struct, kw_only=True, tag_field="kind", tag="dataset-enrich-dry-run"):
    """What an enrichment would do, as `--dry-run --json` prints it.

    Attributes:
        total: Records there would be.
        new: Images without a record.
        lacking: Records that lack a field or a patch file, by pass.
        to_do: Images to read, to run through DINO and to caption, by pass.
        patch_bytes: What the patch files to come take.
        broken: Images that could not be read before.
        missing: Paths of records whose image is not there.
        malformed: Lines that hold no record.
        superseded: Lines whose image has another record further down.
    """

    total: int
    new: int
    lacking: dict[str, int]
    to_do: dict[str, int]
    patch_bytes: int
    broken: int
    missing: list[str]
    malformed: list[int]
    superseded: list[int]


def base_report(prepared: PreparedEnrichment) -> EnrichReport:
    """Return what is known of a dataset before anything is done."""
    survey = prepared.survey
    return EnrichReport(
        total=survey.total,
        skipped=survey.records,
        broken=prepared.to_do.broken,
        missing=survey.missing,
        malformed=survey.malformed,
        superseded=survey.superseded,
        outside=survey.outside,
        odd_buckets=survey.odd_buckets,
        shared_ids=survey.shared_ids,
        unusable_ids=survey.unusable_ids,
    )


def plan_of(prepared: PreparedEnrichment) -> EnrichPlan:
    """Return what an enrichment would do."""
    survey, to_do = prepared.survey, prepared.to_do
    entries = survey.all_entries()
    lacking = {
        each.name: sum(
            not entry.lacking.isdisjoint(each.fields) or (each.makes_patches and entry.patches)
            for entry in entries
        )
        for each in prepared.request.passes
    }
    return EnrichPlan(
        total=survey.total,
        new=len(survey.new),
        lacking=lacking,
        to_do={
            "dimensions": len(to_do.sizes),
            "features": len(to_do.features),
            "caption": len(to_do.captions),
        },
        patch_bytes=to_do.patch_bytes,
        broken=to_do.broken,
        missing=survey.missing,
        malformed=survey.malformed,
        superseded=survey.superseded,
    )


def not_attempted(prepared: PreparedEnrichment) -> set[str]:
    """Return the keys of images whose turn did not come."""
    results, to_do = prepared.results, prepared.to_do
    left = _without(to_do.sizes, results.sizes) | _without(to_do.captions, results.captions)
    for key in _without(to_do.features, results.features):
        if not results.sizes.failed(key):  # without a size there is no crop
            left.add(key)
    return left


def _without(entries: Sequence[Lacking], journal: SideJournal[Any]) -> set[str]:
    return {
        entry.key
        for entry in entries
        if not journal.made(entry.key) and not journal.failed(entry.key)
    }
