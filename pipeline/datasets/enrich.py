"""Carrying out a planned enrichment. `pcc dataset enrich` is a thin shell around this.

Each producer makes results in a job of its own, into its side journal; the last step writes
the results into the dataset.
"""

from __future__ import annotations

import asyncio
import time

from pipeline.datasets.enrich_report import EnrichReport, base_report, by_pass, by_producer
from pipeline.datasets.merge import Merge, Merged
from pipeline.datasets.passes.caption import CaptionPass
from pipeline.datasets.passes.t5 import T5Pass
from pipeline.datasets.preparation import PreparedEnrichment
from pipeline.jobs.blocking_step import BlockingStep
from pipeline.jobs.deferred_step import DeferredStep
from pipeline.jobs.pause_point import PausePoint
from pipeline.jobs.progress import Progress
from pipeline.jobs.run_file import new_run_id
from pipeline.jobs.run_job import JobFrame, JobResult, Watcher, run_job
from pipeline.jobs.step import Ending
from pipeline.jobs.step_sequence import StepSequence


class Enrichment:
    """One enrichment under way.

    Args:
        prepared: What there is to do; the lock of the dataset is held.
    """

    def __init__(self, prepared: PreparedEnrichment) -> None:
        self._prepared = prepared
        self._request = prepared.request
        self._gaps = prepared.gaps
        self._results = prepared.results
        self._run = new_run_id()
        self._merged = Merged()
        self._began = time.monotonic()

    async def run(self, watch: Watcher) -> JobResult[EnrichReport]:
        """Make what is missing and write it into the dataset.

        Raises:
            SetupError: a model cannot be loaded, or has no price for a budget.
            RunStopped: every further photo would fail for the same reason.
            JournalError: results can no longer be kept, or the dataset not be written.
            DatasetChanged: somebody else wrote the dataset meanwhile.
            OtherPatches: the patch files are another model's.
        """
        request, results = self._request, self._results
        for each in results.passes:
            await asyncio.to_thread(each.prepare)
        for producer in results.producers:
            producer.progress = self._new_progress(producer.name, len(producer.to_do))
        frame = JobFrame(
            run=self._run,
            stage="enrich",
            workspace=request.workspace,
            journal=request.dataset,
            told={"dataset": str(request.dataset)},
        )
        result = await run_job(self._steps(), frame, watch, lambda _: self._report())
        result.remarks = [
            remark for producer in results.producers for remark in producer.progress.remarks
        ]
        result.remarks += [
            f"{len(lines):,} records keep what {name} made from an older text; "
            f"`pcc dataset enrich --redo {name}` makes it anew"
            for name, lines in self._merged.outdated.items()
            if name != T5Pass.name  # the report counts masks
        ]
        if self._merged.done:
            whole = result.ending is Ending.DONE
            for each in results.passes if whole else ():
                result.remarks += each.finish()
            results.settle(self._gaps.all_keys(), whole=whole)
        return result

    def _steps(self) -> StepSequence:
        """Return the steps: each is made when the steps before it are done, and the merge last."""
        steps = [
            DeferredStep(producer.job, producer.progress)
            for producer in self._results.producers
            if producer.to_do
        ]
        return StepSequence(
            steps, BlockingStep(self._merge, self._new_progress("write", self._gaps.total))
        )

    def _new_progress(self, stage: str, total: int) -> Progress:
        return Progress(run=self._run, stage=stage, backend=stage, total=total, skipped={})

    def _merge(self, pause_point: PausePoint) -> None:
        self._results.refresh()
        merge = Merge(self._request.dataset, self._gaps, self._results, pause_point)
        self._merged = merge.run()

    def _report(self) -> EnrichReport:
        gaps, results, merged = self._gaps, self._results, self._merged
        report = base_report(self._prepared)
        report.run = self._run
        with_file = results.images_with_new_file()
        enriched = merged.enriched | {
            entry.line for entry in gaps.entries.values() if entry.key in with_file
        }
        made: dict[str, int] = {}
        failed: dict[str, int] = {}
        for producer in results.producers:
            progress = producer.progress
            made |= producer.made()
            failed[producer.name] = progress.attempted - progress.by_status["success"]
            report.cost_usd += progress.cost_usd
        captions = results.chosen(CaptionPass)
        if captions is not None:
            report.captions_taken = len(captions.producer.known)
            report.captioned_by = self._request.backend
        report.made, report.failed = by_pass(made), by_producer(failed)
        left = results.not_attempted()
        report.new, report.enriched, report.left = merged.new, len(enriched), len(left)
        done = {gaps.entries[line].key for line in enriched} | {entry.key for entry in gaps.new}
        report.skipped = max(0, report.total - report.new - report.enriched - len(left - done))
        report.stale_masks = len(merged.outdated.get(T5Pass.name, ()))
        report.seconds = round(time.monotonic() - self._began, 3)
        return report
