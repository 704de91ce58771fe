"""`pcc dataset enrich`: the fields and patches that a JSONL of images lacks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from backends.encoders.dino_config import DEFAULT_MODEL
from backends.encoders.t5 import DEFAULT_TOKENIZER
from backends.registry import backend_class
from journal import protect, require_outside, require_own_place
from pcc_tui.cli.enrich_options import DatasetOptions, EncoderOptions
from pcc_tui.cli.exit_codes import ExitCode
from pcc_tui.cli.groups import takes_groups
from pcc_tui.cli.options import (
    CaptioningOptions,
    PaceOptions,
    SiteOptions,
    require_extra,
    require_text,
)
from pcc_tui.cli.output import fail, narration, print_json, say, warn
from pcc_tui.cli.question import agrees, require_terminal
from pcc_tui.cli.run_request import admits_server, backend_options
from pcc_tui.words.figures import data_size
from pipeline.datasets.errors import UnknownPass
from pipeline.datasets.passes import DEFAULT_PASSES, choose_passes, passes_named
from pipeline.datasets.records import DATASET

if TYPE_CHECKING:
    from pipeline.datasets.enrich_report import EnrichReport
    from pipeline.datasets.preparation import PreparedEnrichment
    from pipeline.datasets.request import EnrichRequest
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
    from pipeline.datasets.preparation import prepare_enrichment

    prepared = prepare_enrichment(request)
    try:
        _tell_what_is_odd(prepared, stream, verbose=records.verbose)
        _require_backend(prepared, records)
        if prepared.lock is None:
            report, code = base_report(prepared), int(ExitCode.OK)
        elif not (
            _may_begin(prepared, site, stream)
            and _admits_server(prepared, site, captioning, stream)
        ):
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
    protect(input_dir)
    _require_files(site.workspace, dataset, patches_dir, encoders.backup)
    if records.budget is not None and not math.isfinite(records.budget):
        fail(f"--budget is a sum of US dollars, not {records.budget}", ExitCode.USAGE)
    with _naming("--pass-filter"):
        passes = choose_passes(records.pass_filter)
    with _naming("--redo"):
        anew = frozenset() if records.redo is None else passes_named(records.redo)
        remade = () if records.redo is None else choose_passes(records.redo)
    if records.redo is not None and records.pass_filter is None:
        passes = remade
    if not set(remade) <= set(passes):
        fail("--redo names a pass that --pass-filter leaves out", ExitCode.USAGE)
    backend, options = backend_options(settings, captioning, pace)
    # Captions for training are written by no default, nor by what captioned for something else.
    is_named = captioning.backend is not None or settings.names_backend
    if captioning.backend is not None:
        backend_class(backend)  # a wrong name is a usage error, whatever there is to do
    return EnrichRequest(
        workspace=site.workspace,
        input_dir=input_dir,
        dataset=dataset,
        passes=passes,
        anew=anew,
        patches_dir=patches_dir,
        backup=encoders.backup,
        dino_model=_full_path(encoders.dino_model or settings.choices.dino_model or DEFAULT_MODEL),
        dino_revision=encoders.dino_revision,
        t5_model=encoders.t5_model or settings.choices.t5_model or DEFAULT_TOKENIZER,
        backend=backend if is_named else None,
        options=options,
        budget=records.budget,
        captions_journal=_captions_journal(site, settings.photos_dir, input_dir),
    )


def _require_files(workspace: Path, dataset: Path, patches_dir: Path, backup: Path | None) -> None:
    """End with a usage error where no dataset can be, or a path is inside the images."""
    require_own_place(dataset, DATASET)
    if not (dataset.parent.is_dir() or dataset.parent == workspace):
        fail(f"the directory {dataset.parent} does not exist", ExitCode.USAGE)
    for directory in filter(None, (patches_dir, backup)):
        require_outside(directory)


def _full_path(model: str) -> str:
    """Return the one name of a model: the full path of a directory, an id as it is."""
    return str(Path(model).resolve()) if Path(model).is_dir() else model


@contextmanager
def _naming(option: str) -> Iterator[None]:
    """End with a usage error that names an option with a pass that does not exist."""
    try:
        yield
    except UnknownPass as error:
        fail(f"{option}: {error}", ExitCode.USAGE)


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


def _require_backend(prepared: PreparedEnrichment, records: DatasetOptions) -> None:
    """End with a usage error if captions are asked for by name and nobody is named to write them.

    Where all passes run, named or not, the caption pass is left out instead, and named.
    """
    from pcc_tui.words.datasets import no_backend_words
    from pipeline.datasets.enrich_report import uncaptioned
    from pipeline.datasets.passes.caption import CaptionPass

    is_whole = {*DEFAULT_PASSES} <= {each.name for each in prepared.request.passes}
    asked = records.redo is not None or not is_whole
    if asked and CaptionPass in prepared.request.passes and (images := uncaptioned(prepared)):
        fail(no_backend_words(images), ExitCode.USAGE)


def _tell_plan(request: EnrichRequest, *, json: bool, verbose: bool) -> int:
    from pipeline.datasets.enrich_report import plan_of
    from pipeline.datasets.preparation import survey_dataset

    prepared = survey_dataset(request)
    plan = plan_of(prepared)
    _tell_what_is_odd(prepared, narration(json), verbose=verbose)
    if json:
        print_json(plan)
        return ExitCode.OK
    say(f"{plan.total:,} records, {plan.new:,} of them new")
    for name, count in plan.lacking.items():
        say(f"  {name:<12}{count:>12,} missing")
    if plan.uncaptioned:
        from pcc_tui.words.datasets import no_backend_words

        say(f"caption is left out: {no_backend_words(plan.uncaptioned)}")
    if plan.patch_bytes:
        say(f"The patch files to come take {data_size(plan.patch_bytes)}")
    return ExitCode.OK


def _may_begin(prepared: PreparedEnrichment, site: SiteOptions, stream: TextIO) -> bool:
    """Tell what is about to be made, and ask where it takes much room on the disk."""
    from pipeline.datasets.passes.patches import PatchesPass
    from pipeline.datasets.patch_files import free_beside

    results = prepared.results
    for each in results.passes:
        if each.extra_for is not None and each.has_work():
            require_extra("datasets", each.extra_for)
    told = [(len(prepared.gaps.new), "images without a record")]
    told += [(len(producer.to_do), producer.task) for producer in results.producers]
    for count, what in told:
        if count:
            say(f"{count:,} {what}", to=stream)
    if not _agrees_to_missing(prepared, site, stream):
        return False
    patches = results.chosen(PatchesPass)
    files, size = (0, 0) if patches is None else patches.files_to_come()
    if patches is None or not files:
        return True
    directory = patches.files.directory
    say(
        f"{files:,} patch files need {data_size(size)} in {directory}; "
        f"{data_size(free_beside(directory))} are free",
        to=stream,
    )
    patches.files.require_room(size)
    if site.yes:
        return True
    require_terminal(stream, "give --yes to begin at once")
    return agrees("Make them? (y/n)", stream)


def _admits_server(
    prepared: PreparedEnrichment, site: SiteOptions, captioning: CaptioningOptions, stream: TextIO
) -> bool:
    """Ask, where captions are to be made by a server that only a file names."""
    from pipeline.datasets.passes.caption import CaptionProducer

    request = prepared.request
    makers = [one for one in prepared.results.producers if isinstance(one, CaptionProducer)]
    if request.backend is None or not any(maker.to_do for maker in makers):
        return True
    options = request.options
    return admits_server(request.backend, options, captioning, yes=site.yes, stream=stream)


def _agrees_to_missing(prepared: PreparedEnrichment, site: SiteOptions, stream: TextIO) -> bool:
    """Ask, where most records miss their image, before records are made beside them."""
    gaps = prepared.gaps
    missing = len(gaps.missing)
    if 2 * missing <= gaps.records:
        return True
    say(
        f"{missing:,} of {gaps.records:,} records miss their image, such as {gaps.missing[0]}: it "
        f"was looked for from {prepared.request.input_dir}, from the directory of the dataset and "
        "from here; is --input-dir right?",
        to=stream,
    )
    if site.yes:
        return True
    require_terminal(stream, "name the right --input-dir, or give --yes to go on all the same")
    return agrees("Go on all the same? (y/n)", stream)


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

    if result.stop_code is not None:
        return result.stop_code
    return ExitCode.BUDGET if result.ending is Ending.BUDGET else ExitCode.OK


def _tell_what_is_odd(prepared: PreparedEnrichment, stream: TextIO, *, verbose: bool) -> None:
    gaps = prepared.gaps
    odd: list[tuple[str, list[str]]] = [
        ("lines hold no record and stay as they are", _numbers(gaps.malformed)),
        ("lines have another record of their image further down", _numbers(gaps.superseded)),
        ("records lead out of the input directory", _numbers(gaps.outside)),
        ("records whose image is not there", gaps.missing),
        ("records have an aspect_bucket that is none", _numbers(gaps.odd_buckets)),
        ("ids belong to several records", gaps.shared_ids),
        ("records have an id that cannot name a file", _numbers(gaps.unusable_ids)),
    ]
    for warning in prepared.warnings:
        say(f"warning: {warning}", to=stream)
    for what, names in odd:
        if names:
            shown = names if verbose else names[:SHOWN]
            more = f" and {len(names) - len(shown):,} more" if len(names) > len(shown) else ""
            say(f"warning: {len(names):,} {what}: {', '.join(shown)}{more}", to=stream)
    if prepared.results.broken:
        say(
            f"{prepared.results.broken:,} images could not be read before, and have not changed",
            to=stream,
        )


def _numbers(lines: list[int]) -> list[str]:
    return [f"line {line:,}" for line in sorted(lines)]
