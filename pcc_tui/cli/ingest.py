"""`pcc ingest`: finds the objects and the text in photos, with several workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from backends.registry import DEFAULT_OCR
from pcc_tui.cli.exit_codes import ExitCode
from pcc_tui.cli.groups import takes_groups
from pcc_tui.cli.ingest_options import CacheOptions, LookingOptions, ModelOptions
from pcc_tui.cli.options import GlobOptions, SiteOptions, require_extra, require_text
from pcc_tui.cli.origin import origin
from pcc_tui.cli.output import fail, narration, print_json, say
from pcc_tui.words.figures import counted

if TYPE_CHECKING:
    from pipeline.ingest.cache.records import StageName
    from pipeline.ingest.report import IngestReport
    from pipeline.ingest.request import IngestRequest
    from pipeline.ingest.workers.messages import DetectorChoice, LabellerChoice
    from pipeline.jobs.run_job import JobResult


@takes_groups
def run(
    looking: LookingOptions,
    models: ModelOptions,
    globs: GlobOptions,
    cache: CacheOptions,
    site: SiteOptions,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Decode, look for text and report; nothing is kept."),
    ] = False,
) -> int:
    """Find objects, name them, and read text. Run it again to go on, and beside others to help."""
    stages = looking.chosen()
    _require_extras(stages, models, cache, dry_run=dry_run)
    request = _request(looking, models, globs, cache, site)
    stream = narration(site.json)
    if dry_run:
        return _rehearse(request, site, stream)
    result = _run(request, stream)
    if site.json:
        print_json(result.report)
    else:
        _tell(result)
    return result.stop_code or ExitCode.OK


def _require_extras(
    stages: tuple[StageName, ...], models: ModelOptions, cache: CacheOptions, *, dry_run: bool
) -> None:
    """End with a usage error if a stage or the queue needs packages that are not installed."""
    if not dry_run and ("detect" in stages or "label" in stages):
        require_extra("detect", "detecting and labelling (--stages ocr goes without)")
    if (dry_run or "ocr" in stages) and models.ocr_engine == DEFAULT_OCR:
        require_extra("ocr", "looking for text (--stages detect,label goes without)")
    if cache.queue != "sqlite":
        require_extra("redis", "a queue on Redis")


def _request(
    looking: LookingOptions,
    models: ModelOptions,
    globs: GlobOptions,
    cache: CacheOptions,
    site: SiteOptions,
) -> IngestRequest:
    from pipeline.ingest.request import IngestRequest
    from pipeline.ingest.workers.messages import OcrChoice

    require_text("--workspace", str(site.workspace))
    stages = looking.chosen()
    photos_dir = site.photos(site.settings())
    detector, labeller = _choices(looking, models)
    reads = OcrChoice(
        engine=models.ocr_engine,
        model=None if models.ocr_model is None else str(models.ocr_model.resolve()),
    )
    return IngestRequest(
        workspace=site.workspace,
        photos_dir=photos_dir,
        cache=cache.directory(site),
        captions=site.journal,
        queue=cache.queue,
        stages=stages,
        workers=models.workers,
        detector=detector if "detect" in stages else None,
        labeller=labeller if "label" in stages else None,
        ocr=reads if "ocr" in stages else None,
        device=models.device or None,
        batch_size=models.batch_size,
        include=tuple(globs.include or ()),
        exclude=tuple(globs.exclude or ()),
        retry_errors=looking.retry_errors,
        redo=looking.redo,
        asked=origin().asked(site.workspace, photos_dir),
    )


def _choices(
    looking: LookingOptions, models: ModelOptions
) -> tuple[DetectorChoice, LabellerChoice]:
    from backends.detectors.checkpoint import OWLV2, SIGLIP
    from backends.detectors.vocabulary import clean_vocabulary
    from pipeline.ingest.workers.messages import DetectorChoice, LabellerChoice

    try:
        words = clean_vocabulary(looking.words())
    except ValueError as error:
        fail(str(error), ExitCode.USAGE)
    for option, value in (("--detector", models.detector), ("--labeller", models.labeller)):
        require_text(option, value or "")
    detector = DetectorChoice(
        model=models.detector or OWLV2,
        vocabulary=words,
        revision=models.detector_revision,
        threshold=looking.threshold,
        proposals=looking.proposals,
    )
    labeller = LabellerChoice(
        model=models.labeller or SIGLIP, vocabulary=words, revision=models.labeller_revision
    )
    return detector, labeller


def _rehearse(request: IngestRequest, site: SiteOptions, stream: TextIO) -> int:
    import asyncio

    from pcc_tui.cli.live import show
    from pipeline.ingest.dry_run import rehearse

    rehearsal, code = asyncio.run(rehearse(request, lambda shot: show(shot, stream)))
    if site.json:
        print_json(rehearsal)
        return code or ExitCode.OK
    for warning in rehearsal.warnings:
        say(f"warning: {warning}")
    say(
        f"{counted(rehearsal.photos, 'photo', 'photos')}: {rehearsal.decoded:,} decoded, "
        f"{rehearsal.unreadable:,} that cannot be, "
        f"{counted(rehearsal.copies, 'copy', 'copies')} of another"
    )
    if rehearsal.failed:
        say(f"warning: in {rehearsal.failed:,} the search for text failed")
    unread = f"; {rehearsal.without_text:,} would not be read:" if rehearsal.skipped else ""
    say(f"{rehearsal.with_text:,} may hold text{unread}")
    for reason, count in sorted(rehearsal.skipped.items(), key=lambda item: -item[1]):
        say(f"  {count:,}: {reason}")
    for stage, count in rehearsal.to_do.items():
        say(f"to {stage}: {count:,}")
    return code or ExitCode.OK


def _run(request: IngestRequest, stream: TextIO) -> JobResult[IngestReport]:
    import asyncio

    from pcc_tui.cli.live import show
    from pipeline.ingest.run import ingest

    result = asyncio.run(ingest(request, lambda shot: show(shot, stream)))
    for remark in result.remarks:
        say(f"note: {remark}", to=stream)
    return result


def _tell(result: JobResult[IngestReport]) -> None:
    from pcc_tui.words.ingestion import ingest_words

    why = "`pcc ingest status` tells why, `pcc ingest run --retry-errors` tries again"
    for line in ingest_words(result.report, go_on="the same command goes on", why=why):
        say(line)
