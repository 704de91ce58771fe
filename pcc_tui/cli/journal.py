"""`pcc journal`: look at the journal line by line, mend it, make it small."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import typer

from journal import CaptionRecord, RewriteReport
from journal import check as check_journal
from journal import compact as compact_journal
from journal import repair as repair_journal
from pcc_tui.cli import options as shared
from pcc_tui.cli.output import ExitCode, fail, print_json, say

SHOWN_DAMAGE = 20

app = typer.Typer(help="Check, repair and compact the captions journal.", no_args_is_help=True)


@app.command("check")
def check(
    workspace: shared.Workspace = shared.HERE,
    photos_dir: shared.PhotosDir = None,
    captions_jsonl: shared.Journal = None,
    json: shared.Json = False,
    yes: shared.Yes = False,
) -> int:
    """Read every line and compare it with its checksum; exit code 1 if any is damaged."""
    path = _existing(workspace, captions_jsonl)
    report = check_journal(path, CaptionRecord)
    if json:
        print_json(report)
    else:
        say(
            f"{path}: {report.lines:,} lines, {report.records:,} records, "
            f"{report.unverified:,} without a checksum, "
            f"{report.torn_tail:,} torn by a kill (nothing lost), {report.damaged:,} damaged"
        )
        for damage in report.damage[:SHOWN_DAMAGE]:
            say(f"  line {damage.line:,}, byte {damage.offset:,}: {damage.reason}")
        if report.damaged:
            say("`pcc journal repair` keeps every record it can read, and the old file")
    return ExitCode.FAILED if report.damaged else ExitCode.OK


@app.command("repair")
def repair(
    workspace: shared.Workspace = shared.HERE,
    photos_dir: shared.PhotosDir = None,
    captions_jsonl: shared.Journal = None,
    json: shared.Json = False,
    yes: shared.Yes = False,
) -> None:
    """Write the journal anew, every record with a checksum; the old file is kept."""
    path = _existing(workspace, captions_jsonl)
    backup = path.with_name(f"{path.name}.before-repair-{datetime.now():%Y%m%d-%H%M%S-%f}")
    _tell(repair_journal(path, CaptionRecord, backup), json=json)


@app.command("compact")
def compact(
    workspace: shared.Workspace = shared.HERE,
    photos_dir: shared.PhotosDir = None,
    captions_jsonl: shared.Journal = None,
    json: shared.Json = False,
    yes: shared.Yes = False,
) -> None:
    """Keep the last record of each photo; lines that cannot be read stay as they are."""
    path = _existing(workspace, captions_jsonl)
    _tell(compact_journal(path, CaptionRecord), json=json)


def _existing(workspace: Path, captions_jsonl: Path | None) -> Path:
    path = shared.journal_path(workspace, captions_jsonl)
    if not path.is_file():
        fail(f"there is no journal at {path}; give another with --captions-jsonl", ExitCode.USAGE)
    return path


def _tell(report: RewriteReport, *, json: bool) -> None:
    if json:
        print_json(report)
        return
    say(f"{report.kept:,} lines kept, {report.dropped:,} left out, {report.resealed:,} sealed anew")
    if report.backup:
        say(f"The old file: {report.backup}")
