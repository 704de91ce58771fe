"""Carrying out a planned enrichment. `pcc dataset enrich` is a thin shell around this.

Sizes, features and captions are made by jobs, each into its side journal; the
last step writes them into the dataset.
"""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TypeVar

import msgspec

from backends.base import Captioner
from backends.encoders.dino import DinoEncoder
from backends.prices import require_price
from backends.registry import make_backend
from journal import CaptionRecord, JournalWriter, WriterLock
from pipeline.captions.plan import read_history
from pipeline.captions.prompt_file import keep_prompt
from pipeline.captions.stage import CaptionStage
from pipeline.datasets.enrich_report import EnrichReport, base_report, not_attempted
from pipeline.datasets.feature_stage import FeatureStage, FeatureTask
from pipeline.datasets.merge import Merge, Merged
from pipeline.datasets.request import PreparedEnrichment, caption_maker, dino_config, wants_features
from pipeline.datasets.side_journals import SideJournal
from pipeline.datasets.side_records import FeatureRecord, SizeRecord
from pipeline.datasets.size_stage import SizeStage
from pipeline.datasets.survey import Lacking, has_patches
from pipeline.jobs.blocking_step import BlockingStep
from pipeline.jobs.budget import Budget
from pipeline.jobs.copies import Copies
from pipeline.jobs.cores import decoder_count
from pipeline.jobs.deferred_step import DeferredStep
from pipeline.jobs.job import Job
from pipeline.jobs.pause_point import PausePoint
from pipeline.jobs.progress import Progress
from pipeline.jobs.run_file import new_run_id
from pipeline.jobs.run_job import JobFrame, JobResult, Watcher, run_job
from pipeline.jobs.stage import Stage
from pipeline.jobs.step import Ending, Step
from pipeline.jobs.steps import Steps
from pipeline.photos.photo import Photo

Kind = TypeVar("Kind", bound=msgspec.Struct)


class Enrichment:
    """One enrichment under way.

    Args:
        prepared: What there is to do; its lock is held.
    """

    def __init__(self, prepared: PreparedEnrichment) -> None:
        self._prepared = prepared
        self._request = prepared.request
        self._results = prepared.results
        self._to_do = prepared.to_do
        self._run = new_run_id()
        self._merged = Merged()
        self._features: dict[str, FeatureTask] = {}
        self._captioner: Captioner | None = None
        self._bound = 0.0
        self._own_remarks: list[str] = []
        self._began = time.monotonic()
        self._progress = {
            "dimensions": self._new_progress("dimensions", len(self._to_do.sizes)),
            "features": self._new_progress("features", len(self._to_do.features)),
            "caption": self._new_progress("caption", len(self._to_do.captions)),
        }

    async def run(self, watch: Watcher) -> JobResult[EnrichReport]:
        """Make what is missing and write it into the dataset.

        Raises:
            SetupError: a model cannot be loaded, or has no price for a budget.
            RunStopped: every further photo would fail for the same reason.
            JournalError: results can no longer be kept, or the dataset not be written.
            DatasetChanged: somebody else wrote the dataset meanwhile.
            OtherPatches: the patch files are another model's.
        """
        request, files = self._request, self._prepared.patch_files
        if self._results.tokenizer is not None and self._makes_masks():
            await asyncio.to_thread(self._results.tokenizer.open)
        if files is not None and self._to_do.patches:
            files.require_room(self._to_do.patch_bytes)
        if self._to_do.captions:
            self._captioner, self._bound = self._make_captioner()
        frame = JobFrame(
            run=self._run,
            stage="enrich",
            workspace=request.workspace,
            journal=request.dataset,
            told={"dataset": str(request.dataset)},
        )
        steps = Steps(self._steps(), self._last_step())
        result = await run_job(steps, frame, watch, lambda _: self._report())
        if self._merged.done:
            if result.ending is Ending.DONE:
                self._finish_patches()
            self._prepared.let_go_of_results(whole=result.ending is Ending.DONE)
        result.remarks = self._remarks()
        return result

    def _make_captioner(self) -> tuple[Captioner, float]:
        """Return the backend and the most a caption can cost, before anything else is begun."""
        request = self._request
        captioner = make_backend(request.backend, request.options)
        bound = captioner.cost_bound()
        if request.budget is not None:
            bound = require_price(bound, request.backend, captioner.model)
        return captioner, bound or 0.0

    def _makes_masks(self) -> bool:
        waiting = any("t5_attention_mask" in entry.lacking for entry in self._captions_to_come())
        return waiting or self._to_do.masks > 0

    def _captions_to_come(self) -> list[Lacking]:
        made = self._results.captions.made
        return self._to_do.captions + [
            entry
            for entry in self._prepared.survey.all_entries()
            if "caption" in entry.lacking
            and (entry.key in self._results.known_captions or made(entry.key))
        ]

    def _steps(self) -> list[Step]:
        steps: list[Step] = []
        if self._to_do.sizes:
            steps.append(DeferredStep(self._size_job, self._progress["dimensions"]))
        if self._to_do.features:
            steps.append(DeferredStep(self._feature_job, self._progress["features"]))
        if self._to_do.captions:
            steps.append(DeferredStep(self._caption_job, self._progress["caption"]))
        return steps

    def _new_progress(self, stage: str, total: int) -> Progress:
        return Progress(run=self._run, stage=stage, backend=stage, total=total, skipped={})

    def _size_job(self) -> Job[SizeRecord]:
        stage = SizeStage(self._request.input_dir, decoder_count())
        return self._job(stage, self._to_do.sizes, self._results.sizes, "dimensions")

    def _feature_job(self) -> Job[FeatureRecord] | None:
        """Return the job that runs DINO, now that all sizes are known; None if nothing is left."""
        self._results.sizes.refresh()
        request, files = self._request, self._prepared.patch_files
        entries: list[Lacking] = []
        for entry in self._to_do.features:
            entry.bucket = self._results.bucket(entry)
            if entry.bucket is None:
                continue  # its header could not be read
            embedding, patches = wants_features(entry, self._results, request.anew)
            if patches and files is not None and "patches" not in request.anew:
                patches = not has_patches(files, entry)
            if embedding or patches:
                image_id = entry.image_id if patches else None
                self._features[entry.key] = FeatureTask(entry.bucket, embedding, image_id)
                entries.append(entry)
        if not entries:
            return None
        entries.sort(key=lambda entry: self._features[entry.key].bucket)  # they share batches
        encoder = DinoEncoder(
            dino_config(request), device=request.options.device, revision=request.dino_revision
        )
        stage = FeatureStage(
            encoder, self._features, files, maker=request.dino, anew="patches" in request.anew
        )
        return self._job(stage, entries, self._results.features, "features")

    def _caption_job(self) -> Job[CaptionRecord]:
        request, captioner = self._request, self._captioner
        assert captioner is not None
        prompt = keep_prompt(request.workspace, request.options.prompt)
        stage = CaptionStage(captioner, self._run, prompt)
        self._progress["caption"].backend = captioner.name
        journal = self._results.captions
        history = read_history(
            journal.path,
            self._run,
            caption_maker(request),
            [entry.path for entry in self._to_do.captions],
        )
        return self._job(
            stage,
            self._to_do.captions,
            journal,
            "caption",
            copies=Copies(journal.path, history.digests),
            budget=Budget(request.budget, 0.0, self._bound),
        )

    def _job(
        self,
        stage: Stage[Kind],
        entries: list[Lacking],
        journal: SideJournal[Kind],
        name: str,
        copies: Copies | None = None,
        budget: Budget | None = None,
    ) -> Job[Kind]:
        lock = WriterLock(journal.path, f"pcc dataset enrich, {self._request.dataset}")
        progress = self._progress[name]
        progress.total = len(entries)
        return Job(
            stage,
            [Photo(entry.path, entry.key) for entry in entries],
            photos_dir=self._request.input_dir,
            open_journal=partial(JournalWriter, lock),
            progress=progress,
            copies=copies,
            budget=budget,
        )

    def _last_step(self) -> BlockingStep:
        return BlockingStep(self._merge, self._new_progress("write", self._prepared.survey.total))

    def _merge(self, pause_point: PausePoint) -> None:
        self._results.refresh()
        merge = Merge(self._request.dataset, self._prepared.survey, self._results, pause_point)
        self._merged = merge.run()

    def _finish_patches(self) -> None:
        """Say whose the patch files are, now that all were to be made anew."""
        files, has_patches = self._prepared.patch_files, self._results.features.has_patches
        if files is not None and "patches" in self._request.anew:
            entries = self._prepared.survey.all_entries()
            left = files.finish({e.image_id for e in entries if has_patches(e.key)})
            if left:
                self._own_remarks.append(
                    f"{left:,} patch files of another model could not be made anew; "
                    f"they are in {files.replaced}"
                )

    def _report(self) -> EnrichReport:
        survey, results, tasks = self._prepared.survey, self._results, self._features
        report = base_report(self._prepared)
        report.run = self._run
        features = results.features
        with_patches = {
            key
            for key, task in tasks.items()
            if task.image_id is not None and features.has_patches(key)
        }
        enriched = self._merged.enriched | {
            entry.line for entry in survey.entries.values() if entry.key in with_patches
        }
        report.made = {
            "dimensions": self._progress["dimensions"].by_status["success"],
            "embedding": sum(
                task.embedding and features.has_embedding(key) for key, task in tasks.items()
            ),
            "patches": len(with_patches),
            "caption": self._progress["caption"].by_status["success"],
        }
        report.failed = {
            name: progress.attempted - progress.by_status["success"]
            for name, progress in self._progress.items()
        }
        left = not_attempted(self._prepared)
        report.new, report.enriched, report.left = self._merged.new, len(enriched), len(left)
        done = report.new + report.enriched
        report.skipped = max(0, report.total - done - len(left - self._keys_of(enriched)))
        report.stale_masks = len(self._merged.stale_masks)
        report.cost_usd = self._progress["caption"].cost_usd
        report.seconds = round(time.monotonic() - self._began, 3)
        return report

    def _keys_of(self, lines: set[int]) -> set[str]:
        """Return the keys of the records in some lines, and of all new ones."""
        survey = self._prepared.survey
        old = {survey.entries[line].key for line in lines}
        return old | {entry.key for entry in survey.new}

    def _remarks(self) -> list[str]:
        told = [remark for progress in self._progress.values() for remark in progress.remarks]
        return told + self._own_remarks
