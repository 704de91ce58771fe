"""How the job that is over ended, told by what came of it."""

from __future__ import annotations

from pcc_tui.desks.job_link import JobEnd
from pcc_tui.words.outcomes import (
    BUDGET_CODE,
    STOPPED_CODES,
    JobOutcome,
    how_it_ended,
    photo_outcome,
)
from pipeline.captions.request import RunReport
from pipeline.ingest.report import IngestReport


def outcome_of(ended: JobEnd) -> JobOutcome:
    """Return what came of a job; of one that failed, its exit code and what it said last."""
    code, report = ended.code, ended.report
    if code not in (None, 0, BUDGET_CODE, *STOPPED_CODES):
        return JobOutcome("bad", f"The job ended with exit code {code}: {ended.words}")
    if report is None and ended.was_captioning and ended.last is not None:
        last = ended.last  # of somebody else's job nobody here can read the report
        report = RunReport(
            run=last.run,
            attempted=last.attempted,
            by_status=dict(last.by_status),
            remaining=last.remaining,
        )
    if isinstance(report, RunReport | IngestReport):
        verdict, words = photo_outcome(report, how_it_ended(report, code))
        return JobOutcome(verdict, f"The job is over: {words}.")
    if code in STOPPED_CODES:
        return JobOutcome("partly", "The job is over: stopped.")
    return JobOutcome("good", "The job is over.")
