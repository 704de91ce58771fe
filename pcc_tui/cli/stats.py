"""`pcc stats`: what the journal holds."""

from __future__ import annotations

from pcc_tui.cli.groups import takes_groups
from pcc_tui.cli.options import SiteOptions
from pcc_tui.cli.output import print_json, say, warn
from pcc_tui.words.figures import counts
from pipeline.captions.stats import Stats, read_stats


@takes_groups
def stats(site: SiteOptions) -> None:
    """Add up the journal: captions by status, backend and model, tokens and cost."""
    if not site.journal.exists():
        warn(f"warning: there is no journal at {site.journal}; --captions-jsonl names another")
    found = read_stats(site.journal)
    if site.json:
        print_json(found)
    else:
        _tell(found)


def _tell(found: Stats) -> None:
    say(f"records      {found.records:,}: {counts(found.by_status)}")
    say(f"backends     {counts(found.by_backend)}")
    if found.by_model:
        say(f"models       {counts(found.by_model)}")
    if found.first_at:
        say(f"written      {found.first_at} to {found.last_at}")
    if found.seconds_mean is not None:
        say(f"a photo      {found.seconds_mean:.3f} s on average")
    if found.tokens_in:
        say(f"tokens       {found.tokens_in:,} in, {found.tokens_out:,} out, ${found.cost_usd:.4f}")
    passed_over = found.malformed
    if passed_over.total or found.unverified:
        say(f"passed over  {passed_over.damaged:,} damaged, {passed_over.torn_tail:,} torn lines")
        say(f"unverified   {found.unverified:,} records; `pcc journal check` tells more")
