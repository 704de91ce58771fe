"""Clustering a library, from its journal to `clusters.jsonl`."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec

from journal import utc_now
from pipeline.captions.library import LibraryPhoto, read_library
from pipeline.clusters.clustering_job import ClusteringJob
from pipeline.clusters.comparison import ClusterReport, compare, count_clusters
from pipeline.clusters.fit_process import FitProcess
from pipeline.clusters.label_journal import LabelJournal, label_journal_path
from pipeline.clusters.settings import ClusterSettings
from pipeline.clusters.step import ClusterStep
from pipeline.clusters.view import ClusterView
from pipeline.embeddings.run import PreparedEmbedding, prepare_captions, prepare_pictures
from pipeline.embeddings.store import VectorKind
from pipeline.jobs.hosting import Watcher, host
from pipeline.jobs.job import Ending
from pipeline.jobs.log import log_to
from pipeline.jobs.progress import Progress
from pipeline.jobs.run_file import RunFile, new_run_id
from pipeline.jobs.steps import Step, Steps
from pipeline.photos.walk import walk_photos

log = logging.getLogger("pcc.run")


class ClusterRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a user asked for.

    Attributes:
        workspace: Where vectors and clusters are kept.
        journal: The captions journal.
        photos_dir: The photos, None on a machine that has only the journal.
        embedder: Name of the embedder.
        labels: What was seen in photos, by key; they are clustered by captions and these.
        settings: How to cluster; None to make vectors and nothing else.
        force: Cluster even if nothing changed.
    """

    workspace: Path
    journal: Path
    photos_dir: Path | None
    embedder: str
    labels: Mapping[str, str] | None = None
    settings: ClusterSettings | None = None
    force: bool = False


class EmbedReport(msgspec.Struct, kw_only=True):
    """What `pcc embed` did, as `--json` prints it.

    Attributes:
        embedder: What made the vectors.
        model: Its model.
        captions: Captions that have a vector now.
        pictures: Pictures that have one.
        embedded: Vectors made by this command.
        failed: Inputs without one.
        seconds: It took.
    """

    embedder: str
    model: str
    captions: int = 0
    pictures: int = 0
    embedded: int = 0
    failed: int = 0
    seconds: float = 0.0


class Outcome(msgspec.Struct):
    """How an embedding or a clustering ended.

    Attributes:
        ending: Done or stopped.
        signal_code: 128 and the signal that stopped it, None without one.
        report: What it did; of a clustering that was stopped, what was embedded.
        warnings: A sentence each.
    """

    ending: Ending
    signal_code: int | None
    report: ClusterReport | EmbedReport
    warnings: list[str]


class PreparedClustering(msgspec.Struct):
    """A clustering, or an embedding alone, with nothing loaded yet and its stores locked.

    Attributes:
        request: What was asked for.
        photos: The library.
        embeddings: Vectors to be made; those of pictures first, which count before captions.
        warnings: Sentences about the walk.
    """

    request: ClusterRequest
    photos: list[LibraryPhoto]
    embeddings: list[PreparedEmbedding]
    warnings: list[str]

    def release(self) -> None:
        """Give the locks back."""
        for embedding in self.embeddings:
            embedding.lock.release()


def prepare_clustering(request: ClusterRequest) -> PreparedClustering:
    """Read the library and find out which vectors are missing.

    Raises:
        SetupError: the embedder cannot be made.
        JournalLocked: another process makes vectors here.
        PhotosDirMissing: the photos directory cannot be read.
    """
    walked = None if request.photos_dir is None else walk_photos(request.photos_dir)
    photos = read_library(request.journal, walked.paths if walked else ())
    if request.labels is not None:
        photos = [_labelled(photo, request.labels.get(photo.key)) for photo in photos]
    kind: VectorKind = "captions" if request.labels is None else "labels"
    captions = prepare_captions(request.workspace, request.embedder, photos, kind)
    embeddings = [captions]
    if captions.embedder.sees_pictures and request.photos_dir is not None and walked is not None:
        try:
            pictures = prepare_pictures(
                request.workspace, captions.embedder, request.photos_dir, walked.paths
            )
        except BaseException:
            captions.lock.release()
            raise
        embeddings.insert(0, pictures)
    return PreparedClustering(request, photos, embeddings, walked.warnings if walked else [])


def _labelled(photo: LibraryPhoto, labels: str | None) -> LibraryPhoto:
    """Return a photo whose caption also says what was seen in it."""
    told = "; ".join(filter(None, (photo.caption, labels)))
    return msgspec.structs.replace(photo, caption=told or None)


async def run_clustering(prepared: PreparedClustering, watch: Watcher) -> Outcome:
    """Make the vectors that are missing, then the clusters if they are asked for.

    Raises:
        SetupError: the embedder cannot be loaded.
        FitFailed: no clusters could be found.
        JournalError: vectors can no longer be kept.
    """
    request, began = prepared.request, time.monotonic()
    process = FitProcess()
    run = new_run_id()
    jobs = [embedding.job(run) for embedding in prepared.embeddings if embedding.to_do]
    steps: list[Step] = list(jobs)
    clusterer = _clusterer(prepared)
    if clusterer is not None and (jobs or request.force or clusterer.has_changed()):
        progress = Progress(
            run=run,
            stage="cluster",
            backend=request.embedder,
            total=len(prepared.photos),
            skipped={},
        )
        fit = partial(clusterer.request, force=request.force)
        steps.append(ClusterStep(process, fit, clusterer.finish, progress))
    ending, code = Ending.DONE, None
    try:
        if steps:
            with log_to(request.workspace / "caption.log"):
                if jobs and clusterer is not None and _takes_compiling(prepared.photos):
                    await process.warm_up()  # it compiles while the vectors are made
                ending, code = await _host(prepared, Steps(steps), run, watch)
    finally:
        await process.stop(patience=0)
    done = [job.progress for job in jobs]
    if clusterer is None or ending is not Ending.DONE:
        report: EmbedReport | ClusterReport = _embed_report(prepared, done)
    else:
        report = _cluster_report(prepared, clusterer, done)
    report.seconds = round(time.monotonic() - began, 3)
    return Outcome(ending, code, report, prepared.warnings)


def _takes_compiling(photos: Sequence[LibraryPhoto]) -> bool:
    from pipeline.clusters.fitting import FEWEST_FOR_UMAP

    return len({photo.caption for photo in photos}) > FEWEST_FOR_UMAP


def _clusterer(prepared: PreparedClustering) -> ClusteringJob | None:
    if prepared.request.settings is None:
        return None
    return ClusteringJob(
        prepared.photos,
        prepared.embeddings[0].embedder,
        [embedding.store for embedding in prepared.embeddings],
        prepared.request.settings,
        prepared.request.workspace,
    )


async def _host(
    prepared: PreparedClustering, steps: Steps, run: str, watch: Watcher
) -> tuple[Ending, int | None]:
    request = prepared.request
    run_file = RunFile(
        pid=os.getpid(),
        run=run,
        stage="embed" if request.settings is None else "cluster",
        socket="",
        journal=str(request.journal),
        started=utc_now(),
    )
    log.info("start", {"run": run, "stage": run_file.stage, "embedder": request.embedder})
    return await host(steps, steps.snapshot, watch, request.workspace, run_file)


def _embed_report(prepared: PreparedClustering, done: Sequence[Progress]) -> EmbedReport:
    for embedding in prepared.embeddings:
        embedding.store.refresh()
    *_, captions = prepared.embeddings
    report = EmbedReport(embedder=captions.embedder.name, model=captions.embedder.model)
    held = captions.store.held
    report.captions = sum(photo.key in held for photo in prepared.photos if photo.caption)
    if len(prepared.embeddings) > 1:
        report.pictures = len(prepared.embeddings[0].store.held)
    for progress in done:
        report.embedded += progress.by_status["success"]
        report.failed += progress.attempted - progress.by_status["success"]
    return report


def _cluster_report(
    prepared: PreparedClustering, clusterer: ClusteringJob, done: Sequence[Progress]
) -> ClusterReport:
    clustering = clusterer.clustering or clusterer.previous
    assert clustering is not None
    changes = LabelJournal(label_journal_path(prepared.request.workspace))
    changes.refresh()
    view = ClusterView(prepared.photos, clustering, changes.standing)
    report = count_clusters(view)
    report.embedder = clustering.head.embedder
    report.embedded = sum(progress.by_status["success"] for progress in done)
    report.changed = clusterer.clustering is not None
    previous = clusterer.previous
    if previous is None:
        report.new = report.clusters
    else:
        before = ClusterView(prepared.photos, previous, changes.standing)
        compare(report, before, view, {placed.key for placed in previous.placed})
    return report
