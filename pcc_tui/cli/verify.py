"""`pcc dataset verify`: the table of buckets, and what is missing, stale or damaged."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from backends.encoders.t5 import DEFAULT_TOKENIZER
from pcc_tui.cli.exit_codes import ExitCode
from pcc_tui.cli.groups import takes_groups
from pcc_tui.cli.options import SiteOptions, require_extra
from pcc_tui.cli.output import fail, narration, print_json, say

if TYPE_CHECKING:
    from pipeline.datasets.verify_report import VerifyReport


@dataclasses.dataclass(frozen=True)
class CheckOptions:
    """What to check."""

    input_dir: Annotated[
        Optional[Path],
        typer.Option(help="The images.", show_default="the photos directory, if there is one"),
    ] = None
    patches_dir: Annotated[
        Optional[Path],
        typer.Option(help="Patch files.", show_default="dinov3_patches beside the dataset"),
    ] = None
    masks: Annotated[
        bool, typer.Option("--masks", help="Tokenize every caption, to find masks of older ones.")
    ] = False
    discard: Annotated[
        Optional[Path],
        typer.Option(help="Move patch files that are amiss there; enrich makes them anew."),
    ] = None
    t5_model: Annotated[
        Optional[str],
        typer.Option(
            help="The T5 tokenizer: id on the hub, or a directory.",
            show_default=DEFAULT_TOKENIZER,
        ),
    ] = None


@takes_groups
def verify(
    site: SiteOptions,
    checks: CheckOptions,
    file: Annotated[Optional[Path], typer.Argument(show_default="WORKSPACE/dataset.jsonl")] = None,
) -> int:
    """Check every record and every number of the patch files; exit code 1 if any is amiss."""
    dataset = file or site.workspace / "dataset.jsonl"
    if not dataset.is_file():
        fail(f"there is no dataset at {dataset}", ExitCode.USAGE)
    if checks.masks:
        require_extra("datasets", "--masks")
    input_dir = checks.input_dir or site.photos_if_here(site.settings())
    if input_dir is not None and not input_dir.is_dir():
        fail(f"the input directory {input_dir} does not exist", ExitCode.USAGE)
    report, code = _run(site, checks, dataset, input_dir)
    if site.json:
        print_json(report)
    else:
        from pcc_tui.words.datasets import verify_words

        for line in verify_words(report, str(dataset)):
            say(line)
    if code is not None:
        return code
    return ExitCode.OK if report.ok else ExitCode.FAILED


def _run(
    site: SiteOptions, checks: CheckOptions, dataset: Path, input_dir: Path | None
) -> tuple[VerifyReport, int | None]:
    from backends.encoders.t5 import T5Tokenizer
    from pcc_tui.cli.live import run_blocking
    from pipeline.datasets.verify import Verifier

    tokenizer = None
    if checks.masks:
        chosen = site.settings().choices.t5_model
        tokenizer = T5Tokenizer(checks.t5_model or chosen or DEFAULT_TOKENIZER)
        tokenizer.open()
    patches_dir = checks.patches_dir or dataset.parent / "dinov3_patches"
    verifier = Verifier(dataset, input_dir, patches_dir, tokenizer, checks.discard)
    code = run_blocking(verifier.run, "verify", narration(site.json))
    return verifier.report, code
