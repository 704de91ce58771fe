"""`pcc dataset enrich`: the fields and patches that a JSONL of images lacks."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from backends.encoders.dino_config import DEFAULT_MODEL
from backends.encoders.t5 import DEFAULT_TOKENIZER
from backends.registry import backend_class
from pcc_tui.cli.enrich_options import DatasetOptions, EncoderOptions
from pcc_tui.cli.groups import takes_groups
from pcc_tui.cli.options import (
    CaptioningOptions,
    PaceOptions,
    SiteOptions,
    require_extra,
    require_text,
)
from pcc_tui.cli.output import ExitCode, fail, narration, print_json, say, warn
from pcc_tui.cli.question import agrees, require_terminal
from pcc_tui.cli.run_request import backend_options
from pcc_tui.words.figures import data_size
from pipeline.datasets.errors import UnknownPass
from pipeline.datasets.passes import TOGETHER, Pass, choose_passes

if TYPE_CHECKING:
    from pipeline.datasets.enrich_report import EnrichReport
    from pipeline.datasets.request import EnrichRequest, PreparedEnrichment
    from pipeline.jobs.run_job import JobResult

SHOWN = 10


@takes_groups
def enrich(
    site: SiteOptions,
    records: DatasetOptions,
    encoders: EncoderOptions,
    captioning: CaptioningOptions,
    pace: PaceOptions,
) -> int:
    """Add to each record what it lacks. Safe to interrupt, safe to repeat."""
    request = _request(site, records, encoders, captioning, pace)
    stream = narration(site.json)
    if records.dry_run:
        return _tell_plan(request, json=site.json, verbose=records.verbose)
    from pipeline.datasets.enrich_report import base_report
    from pipeline.datasets.request import prepare_enrichment

    prepared = prepare_enrichment(request)
    try:
        _tell_what_is_odd(prepared, stream, verbose=records.verbose)
        if prepared.lock is None:
            report, code = base_report(prepared), int(ExitCode.OK)
        elif not _may_begin(prepared, site, stream):
            say("Nothing was made", to=stream)
            report, code = base_report(prepared), int(ExitCode.OK)
            if not site.json:
                return code
        else:
            result = _run(prepared, stream)
            report, code = result.report, _exit_code(result)
    finally:
        prepared.release()
    if site.json:
        print_json(report)
    else:
        from pcc_tui.words.datasets import enrich_words

        for line in enrich_words(report):
            say(line)
    return code


def _request(
    site: SiteOptions,
    records: DatasetOptions,
    encoders: EncoderOptions,
    captioning: CaptioningOptions,
    pace: PaceOptions,
) -> EnrichRequest:
    from pipeline.datasets.request import EnrichRequest

    settings = site.settings()
    input_dir = records.input_dir or site.photos(settings)
    dataset = records.output_jsonl or site.workspace / "dataset.jsonl"
    for option, path in (("--input-dir", input_dir), ("--output-jsonl", dataset)):
        require_text(option, str(path))
    if not input_dir.is_dir():
        fail(f"the input directory {input_dir} does not exist", ExitCode.USAGE)
    patches_dir = encoders.patches_dir or dataset.parent / "dinov3_patches"
    if dataset.is_symlink():
        dataset = dataset.resolve()  # the file is replaced, not the link that leads to it
    _require_files(input_dir, dataset, patches_dir, encoders.backup)
    if records.budget is not None and not math.isfinite(records.budget):
        fail(f"--budget is a sum of US dollars, not {records.budget}", ExitCode.USAGE)
    passes = _passes("--pass-filter", records.pass_filter)
    anew = _passes("--redo", records.redo) if records.redo is not None else ()
    if records.redo is not None and records.pass_filter is None:
        passes = anew
    if not {each.name for each in anew} <= {each.name for each in passes}:
        fail("--redo names a pass that --pass-filter leaves out", ExitCode.USAGE)
    backend, options = backend_options(settings, captioning, pace)
    if captioning.backend is not None:
        backend_class(backend)  # a wrong name is a usage error, whatever there is to do
    return EnrichRequest(
        workspace=site.workspace,
        input_dir=input_dir,
        dataset=dataset,
        passes=passes,
        anew=_redone(records.redo),
        patches_dir=patches_dir,
        backup=encoders.backup,
        dino_model=_full_path(encoders.dino_model or settings.choices.dino_model or DEFAULT_MODEL),
        dino_revision=encoders.dino_revision,
        t5_model=encoders.t5_model or settings.choices.t5_model or DEFAULT_TOKENIZER,
        backend=backend,
        options=options,
        budget=records.budget,
        captions_journal=_captions_journal(site, settings.photos_dir, input_dir),
    )


def _require_files(input_dir: Path, dataset: Path, patches_dir: Path, backup: Path | None) -> None:
    """End with a usage error where no dataset can be; warn of paths inside the images."""
    if dataset.exists() and not dataset.is_file():
        fail(f"{dataset} is no file; --output-jsonl names one", ExitCode.USAGE)
    if not dataset.parent.is_dir():
        fail(f"the directory {dataset.parent} does not exist", ExitCode.USAGE)
    for path in filter(None, (dataset, patches_dir, backup)):
        if path.resolve().is_relative_to(input_dir.resolve()):
            warn(f"warning: {path} is inside the images, which are else only ever read")


def _full_path(model: str) -> str:
    """Return the one name of a model: the full path of a directory, an id as it is."""
    return str(Path(model).resolve()) if Path(model).is_dir() else model


def _passes(option: str, names: str | None) -> tuple[Pass, ...]:
    try:
        return choose_passes(names)
    except UnknownPass as error:
        fail(f"{option}: {error}", ExitCode.USAGE)


def _redone(names: str | None) -> frozenset[str]:
    """Return the passes to make anew; passes that they need are not made anew."""
    if names is None:
        return frozenset()
    listed = [name.strip() for name in names.split(",")]
    return frozenset(member for name in listed for member in TOGETHER.get(name, (name,)))


def _captions_journal(site: SiteOptions, photos_dir: Path | None, input_dir: Path) -> Path | None:
    """Return the journal with captions of these images, None where there is no such journal."""
    if site.captions_jsonl is not None:
        if site.captions_jsonl.is_file():
            return site.captions_jsonl
        warn(f"warning: there is no journal at {site.captions_jsonl}; no captions come from it")
        return None
    photos = site.photos_dir or photos_dir
    same = photos is not None and photos.resolve() == input_dir.resolve()
    return site.journal if same and site.journal.is_file() else None


def _tell_plan(request: EnrichRequest, *, json: bool, verbose: bool) -> int:
    from pipeline.datasets.enrich_report import plan_of
    from pipeline.datasets.request import survey_dataset

    prepared = survey_dataset(request)
    plan = plan_of(prepared)
    _tell_what_is_odd(prepared, narration(json), verbose=verbose)
    if json:
        print_json(plan)
        return ExitCode.OK
    say(f"{plan.total:,} records, {plan.new:,} of them new")
    for name, count in plan.lacking.items():
        say(f"  {name:<12}{count:>12,} missing")
    if plan.patch_bytes:
        say(f"The patch files to come take {data_size(plan.patch_bytes)}")
    return ExitCode.OK


def _may_begin(prepared: PreparedEnrichment, site: SiteOptions, stream: TextIO) -> bool:
    """Tell what is about to be made, and ask where it takes much room on the disk."""
    to_do, request = prepared.to_do, prepared.request
    if to_do.features or to_do.patches:
        require_extra("datasets", "running DINO")
    if to_do.masks:
        require_extra("datasets", "the T5 tokenizer")
    for count, what in (
        (len(prepared.survey.new), "images without a record"),
        (len(to_do.sizes), "headers to read"),
        (len(to_do.features), f"images for {request.dino_model}"),
        (len(to_do.captions), f"images to caption with {request.backend}"),
    ):
        if count:
            say(f"{count:,} {what}", to=stream)
    if not to_do.patches or prepared.patch_files is None:
        return True
    from pipeline.datasets.patch_files import free_beside

    directory = prepared.patch_files.directory
    say(
        f"{to_do.patches:,} patch files need {data_size(to_do.patch_bytes)} in {directory}; "
        f"{data_size(free_beside(directory))} are free",
        to=stream,
    )
    prepared.patch_files.require_room(to_do.patch_bytes)
    if site.yes:
        return True
    require_terminal(stream, "give --yes to begin at once")
    return agrees("Make them? (y/n)", stream)


def _run(prepared: PreparedEnrichment, stream: TextIO) -> JobResult[EnrichReport]:
    import asyncio

    from pcc_tui.cli.live import show
    from pipeline.datasets.enrich import Enrichment

    result = asyncio.run(Enrichment(prepared).run(lambda shot: show(shot, stream)))
    for remark in result.remarks:
        say(f"note: {remark}", to=stream)
    return result


def _exit_code(result: JobResult[EnrichReport]) -> int:
    from pipeline.jobs.step import Ending

    if result.signal_code is not None:
        return result.signal_code
    return ExitCode.BUDGET if result.ending is Ending.BUDGET else ExitCode.OK


def _tell_what_is_odd(prepared: PreparedEnrichment, stream: TextIO, *, verbose: bool) -> None:
    survey = prepared.survey
    odd: list[tuple[str, list[str]]] = [
        ("lines hold no record and stay as they are", _numbers(survey.malformed)),
        ("lines have another record of their image further down", _numbers(survey.superseded)),
        ("records lead out of the input directory", _numbers(survey.outside)),
        ("records whose image is not there", survey.missing),
        ("records have an aspect_bucket that is none", _numbers(survey.odd_buckets)),
        ("ids belong to several records", survey.shared_ids),
        ("records have an id that cannot name a file", _numbers(survey.unusable_ids)),
    ]
    for warning in prepared.warnings:
        say(f"warning: {warning}", to=stream)
    for what, names in odd:
        if names:
            shown = names if verbose else names[:SHOWN]
            more = f" and {len(names) - len(shown):,} more" if len(names) > len(shown) else ""
            say(f"warning: {len(names):,} {what}: {', '.join(shown)}{more}", to=stream)
    if prepared.to_do.broken:
        say(
            f"{prepared.to_do.broken:,} images could not be read before, and have not changed",
            to=stream,
        )


def _numbers(lines: list[int]) -> list[str]:
    return [f"line {line:,}" for line in sorted(lines)]
