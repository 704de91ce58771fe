"""What an enrichment did, or found to do, in numbers."""

from __future__ import annotations

import msgspec

from pipeline.datasets.passes import PASSES
from pipeline.datasets.passes.caption import CaptionPass
from pipeline.datasets.passes.patches import PatchesPass
from pipeline.datasets.preparation import PreparedEnrichment
from pipeline.datasets.results import PRODUCER_TYPES


class EnrichReport(msgspec.Struct, kw_only=True, tag_field="kind", tag="dataset-enrich"):
    """What an enrichment did, as `--json` prints it.

    Attributes:
        run: Id of the run, None where there was nothing to do.
        total: Number of records there are.
        new: Number of records added.
        enriched: Number of records that gained something.
        skipped: Number of records for which nothing could be or need be done.
        left: Number of images whose turn did not come.
        made: Number of results of this run, by pass.
        failed: Number of images that gave no result in this run, by producer.
        broken: Number of images that could not be read in an earlier run, and have not changed
            since.
        missing: Paths of records whose image is not there.
        malformed: Lines that hold no record.
        superseded: Lines whose image has another record further down, which counts.
        outside: Lines whose path leads out of the input directory.
        odd_buckets: Lines whose bucket has no width and height.
        shared_ids: Ids that several records have.
        unusable_ids: Lines whose id cannot name a file.
        stale_masks: Number of records whose caption was made anew, and whose mask was not.
        captions_taken: Number of captions that came from the captions journal.
        captioned_by: The backend that wrote the others, None where nobody named one.
        uncaptioned: Number of images left without a caption because nobody named a backend.
        cost_usd: Price of the captions in US dollars.
        seconds: Wall-clock time in seconds.
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
    captions_taken: int = 0
    captioned_by: str | None = None
    uncaptioned: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0


class EnrichPlan(msgspec.Struct, kw_only=True, tag_field="kind", tag="dataset-enrich-dry-run"):
    """What an enrichment would do, as `--dry-run --json` prints it.

    Attributes:
        total: Number of records there would be.
        new: Number of images without a record.
        lacking: Number of records that lack a field or a file, by pass.
        to_do: Number of images to work on, by producer.
        patch_bytes: Room in bytes that the patch files to come take.
        broken: Number of images that could not be read before.
        missing: Paths of records whose image is not there.
        malformed: Lines that hold no record.
        superseded: Lines whose image has another record further down.
        uncaptioned: Number of images to be left without a caption because nobody named a backend.
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
    uncaptioned: int = 0


def base_report(prepared: PreparedEnrichment) -> EnrichReport:
    """Return what is known of a dataset before anything is done."""
    gaps = prepared.gaps
    return EnrichReport(
        total=gaps.total,
        skipped=gaps.records,
        broken=prepared.results.broken,
        missing=gaps.missing,
        malformed=gaps.malformed,
        superseded=gaps.superseded,
        outside=gaps.outside,
        odd_buckets=gaps.odd_buckets,
        shared_ids=gaps.shared_ids,
        unusable_ids=gaps.unusable_ids,
        uncaptioned=uncaptioned(prepared),
    )


def plan_of(prepared: PreparedEnrichment) -> EnrichPlan:
    """Return what an enrichment would do."""
    gaps, results = prepared.gaps, prepared.results
    entries, patches = gaps.all_entries(), results.chosen(PatchesPass)
    lacking = {each.name: sum(map(each.lacks_anything, entries)) for each in results.passes}
    return EnrichPlan(
        total=gaps.total,
        new=len(gaps.new),
        lacking={name: lacking[name] for name in PASSES if name in lacking},
        to_do=by_producer({each.name: len(each.to_do) for each in results.producers}),
        patch_bytes=0 if patches is None else patches.files_to_come()[1],
        broken=results.broken,
        missing=gaps.missing,
        malformed=gaps.malformed,
        superseded=gaps.superseded,
        uncaptioned=uncaptioned(prepared),
    )


def uncaptioned(prepared: PreparedEnrichment) -> int:
    """Return the number of images that get no caption because nobody named a backend."""
    captions = prepared.results.chosen(CaptionPass)
    return 0 if captions is None else captions.producer.unserved


def by_producer(counts: dict[str, int]) -> dict[str, int]:
    """Return a count for every producer there is, 0 for those that have nothing to do."""
    return {kind.name: counts.get(kind.name, 0) for kind in PRODUCER_TYPES}


def by_pass(counts: dict[str, int]) -> dict[str, int]:
    """Return a count for every pass whose results some producer makes."""
    names = (each.name for kind in PRODUCER_TYPES for each in kind.pass_types())
    return {name: counts.get(name, 0) for name in names}
