"""How a job ended, told by what came of it: for the summary of a command and for the Run screen.

That a process ended well says nothing of its captions: a run whose every call failed is over, and
is not a success.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from pcc_tui.words.figures import counted, counts

if TYPE_CHECKING:
    from pipeline.captions.request import RunReport
    from pipeline.clusters.comparison import ClusterReport
    from pipeline.ingest.report import IngestReport

Verdict = Literal["good", "partly", "bad"]

BUDGET_CODE = 3
STOPPED_CODES = (129, 130, 143)
"""Exit codes of a job that ended at its budget, and of one that was stopped on purpose."""


class JobOutcome(NamedTuple):
    """What came of a job.

    Attributes:
        verdict: Whether all of it, some of it or nothing of it went well.
        words: The same in a few words.
    """

    verdict: Verdict
    words: str


def photo_outcome(report: RunReport | IngestReport, how: str = "", done: str = "") -> JobOutcome:
    """Return what came of a job that goes from photo to photo.

    Args:
        report: What the job did.
        how: How it ended before its time, such as `stopped`; empty for an end of its own.
        done: What was done to a photo; by the kind of the report if it is empty.
    """
    from pipeline.captions.request import RunReport  # `pcc --help` needs no reports

    done = done or ("captioned" if isinstance(report, RunReport) else "looked at")
    well = report.by_status.get("success", 0)
    failed = report.attempted - well
    verdict: Verdict = "good"
    if not report.attempted:
        parts = [f"nothing was {done}" if report.remaining else "nothing was to do"]
        verdict = "partly" if report.remaining else "good"
    elif not well:
        reasons = {status: count for status, count in report.by_status.items() if count}
        parts = [f"nothing was {done}, all {failed:,} failed ({counts(reasons)})"]
        verdict = "bad"
    else:
        parts = [f"{counted(well, 'photo', 'photos')} {done}"]
        if failed:
            parts.append(f"{failed:,} failed")
            verdict = "partly"
    if report.remaining:
        parts.append(f"{counted(report.remaining, 'photo remains', 'photos remain')}")
    if (how or report.remaining) and verdict == "good":
        verdict = "partly"
    return JobOutcome(verdict, ", ".join([*([how] if how else []), *parts]))


def how_it_ended(report: RunReport | IngestReport, code: int | None) -> str:
    """Return how a job that the app started ended before its time; empty for its own end.

    The app sets no limit, so what is left after a good end was left by somebody who stopped it.
    """
    if code == BUDGET_CODE:
        return "stopped at the budget"
    stopped = code in STOPPED_CODES or (code == 0 and report.remaining > 0)
    return "stopped" if stopped else ""


def cluster_words(report: ClusterReport) -> tuple[str, str]:
    """Return how many clusters there are, and how the photos spread over them."""
    return (
        f"{report.clusters:,} clusters in {report.groups:,} groups",
        f"{report.clustered:,} photos clustered, {report.unclustered:,} unclustered, "
        f"{report.no_caption:,} without a caption",
    )
