"""`pcc journal`: check the journal line by line, repair it, compact it."""

from __future__ import annotations

from datetime import datetime

from journal import CAPTIONS, CaptionRecord, RewriteReport
from journal import check as check_journal
from journal import compact as compact_journal
from journal import repair as repair_journal
from pcc_tui.cli.exit_codes import ExitCode
from pcc_tui.cli.groups import takes_groups
from pcc_tui.cli.options import SiteOptions, require_journal
from pcc_tui.cli.output import print_json, say

SHOWN_DAMAGE = 20


@takes_groups
def check(site: SiteOptions) -> int:
    """Read every line and compare it with its checksum; exit code 1 if any is damaged."""
    path = require_journal(site)
    report = check_journal(path, CaptionRecord)
    if site.json:
        print_json(report)
    else:
        say(
            f"{path}: {report.lines:,} lines, {report.records:,} records, "
            f"{report.unverified:,} unverified, "
            f"{report.torn_tail:,} torn by a kill (nothing lost), {report.damaged:,} damaged"
        )
        for damage in report.damage[:SHOWN_DAMAGE]:
            say(f"  line {damage.line:,}, byte {damage.offset:,}: {damage.reason}")
        if report.damaged:
            say("`pcc journal repair` keeps every record it can read, and the old file")
    return ExitCode.FAILED if report.damaged else ExitCode.OK


@takes_groups
def repair(site: SiteOptions) -> None:
    """Write the journal anew, every record with a checksum; the old file is kept."""
    path = require_journal(site)
    backup = path.with_name(f"{path.name}.before-repair-{datetime.now():%Y%m%d-%H%M%S-%f}")
    _tell(repair_journal(path, CaptionRecord, CAPTIONS, backup), json=site.json)


@takes_groups
def compact(site: SiteOptions) -> None:
    """Keep the last record of each photo; lines that cannot be read stay as they are."""
    path = require_journal(site)
    _tell(compact_journal(path, CaptionRecord, CAPTIONS), json=site.json)


def _tell(report: RewriteReport, *, json: bool) -> None:
    if json:
        print_json(report)
        return
    say(f"{report.kept:,} lines kept, {report.dropped:,} left out, {report.resealed:,} sealed anew")
    if report.backup:
        say(f"The old file: {report.backup}")
