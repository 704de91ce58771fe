"""`pcc ingest import`: a cache of detections and texts becomes tables in SQLite."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional, TextIO

import typer

from pcc_tui.cli.exit_codes import ExitCode
from pcc_tui.cli.groups import takes_groups
from pcc_tui.cli.options import SiteOptions
from pcc_tui.cli.output import narration, print_json, say
from pcc_tui.words.figures import duration
from pipeline.ingest.importing.report import Adapter

if TYPE_CHECKING:
    from pipeline.ingest.importing.report import ImportReport

SHOWN = 10

COUNTED = ("images", "regions", "labels", "texts", "embeddings")


@takes_groups
def import_cache(
    site: SiteOptions,
    cache: Annotated[
        Path, typer.Argument(metavar="CACHE", help="Directory of the cache.", show_default=False)
    ],
    db: Annotated[
        Path,
        typer.Option(
            metavar="FILE", help="The database; made if it is not there.", show_default=False
        ),
    ],
    adapt: Annotated[
        Optional[Adapter],
        typer.Option(
            help="Read a cache of another form: phase-1, one JSON file for each photo; schema, "
            "of another version; digest, photos that its manifest does not tell of."
        ),
    ] = None,
) -> int:
    """Import a cache into a database, all of it or nothing. Safe to interrupt, safe to repeat."""
    from pcc_tui.cli.live import run_blocking
    from pipeline.ingest.importing.importer import Importer

    stream = narration(site.json)
    importer = Importer(cache, db, adapt)
    code = run_blocking(importer.run, "write", stream)
    report = importer.report
    if report.finished:
        _tell(report, db, stream)
    else:
        say(f"Stopped; {db} is as it was", to=stream)
    if site.json:
        print_json(report)
    return ExitCode.OK if code is None else code


def _tell(report: ImportReport, db: Path, stream: TextIO) -> None:
    counts = ", ".join(f"{getattr(report, name):,} {name}" for name in COUNTED)
    copies = f" ({report.copies:,} copies)" if report.copies else ""
    counts = counts.replace(" images", f" images{copies}", 1)
    say(f"{counts} in {db}, in {duration(report.seconds)}", to=stream)
    for table, count in report.removed.items():
        say(f"{count:,} {table} that the cache no longer has were taken out", to=stream)
    for count, what in (
        (report.superseded, "lines have a newer one further down"),
        (report.left_over, "lines count for nothing: of work that was cut off or done anew"),
        (report.unverified, "lines count although their checksum is missing or wrong"),
    ):
        if count:
            say(f"{count:,} {what}", to=stream)
    for file, count in report.missing.items():
        say(f"warning: {count:,} lines of {file} are not there", to=stream)
    for remark in report.remarks:
        say(f"warning: {remark}", to=stream)
    skipped = sum(report.skipped.values())
    if skipped:
        torn = f", {report.torn:,} of them torn by a kill" if report.torn else ""
        say(f"warning: {skipped:,} skipped{torn}:", to=stream)
    for one in report.named[:SHOWN]:
        say(f"  {one.file}, line {one.line:,}, byte {one.offset:,}: {one.why}", to=stream)
    if skipped > SHOWN:
        say(f"  and {skipped - SHOWN:,} more; --json names the first 1,000", to=stream)
