"""Clustering a library, from its journal to `clusters.jsonl`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec

from pipeline.captions.library import LibraryPhoto, read_library
from pipeline.clusters.clustering_job import ClusteringJob
from pipeline.clusters.comparison import ClusterReport, compare, count_clusters
from pipeline.clusters.fit_process import FitProcess
from pipeline.clusters.label_journal import LabelJournal, label_journal_path
from pipeline.clusters.opening import damage_by_hand
from pipeline.clusters.settings import ClusterSettings
from pipeline.clusters.step import ClusterStep
from pipeline.clusters.view import ClusterView
from pipeline.embeddings.report import EmbedReport
from pipeline.embeddings.run import PreparedEmbedding, prepare_captions, prepare_pictures
from pipeline.embeddings.store import VectorKind
from pipeline.jobs.progress import Progress
from pipeline.jobs.run_file import new_run_id
from pipeline.jobs.run_job import JobFrame, JobResult, Watcher, run_job
from pipeline.jobs.step import Ending, Step
from pipeline.jobs.step_sequence import StepSequence
from pipeline.photos.walk import walk_photos


class ClusterRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a user asked for.

    Attributes:
        workspace: The directory of vectors and clusters.
        journal: The captions journal.
        photos_dir: The photos directory, None on a machine that has only the journal.
        embedder: Name of the embedder.
        labels: Labels of photos, by key; if given, photos are clustered by caption and labels.
        settings: How to cluster; None to make only vectors.
        force: Cluster even if nothing changed.
    """

    workspace: Path
    journal: Path
    photos_dir: Path | None
    embedder: str
    labels: Mapping[str, str] | None = None
    settings: ClusterSettings | None = None
    force: bool = False


class PreparedClustering(msgspec.Struct):
    """A planned clustering or embedding whose stores are locked; nothing is loaded yet.

    Attributes:
        request: What was asked for.
        photos: The library.
        embeddings: Vectors to be made. Vectors of pictures come first and take precedence.
        warnings: Sentences about the walk.
    """

    request: ClusterRequest
    photos: list[LibraryPhoto]
    embeddings: list[PreparedEmbedding]
    warnings: list[str]

    def release(self) -> None:
        """Release the locks of the stores."""
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
    photos = read_library(request.journal, walked.paths if walked else (), request.photos_dir)
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
    warnings = damage_by_hand(request.workspace, request.journal)
    warnings += [each.damage for each in embeddings if each.damage is not None]
    if walked is not None:
        warnings += walked.warnings
    return PreparedClustering(request, photos, embeddings, warnings)


def _labelled(photo: LibraryPhoto, labels: str | None) -> LibraryPhoto:
    """Return a photo whose caption is extended by the labels of the photo."""
    told = "; ".join(filter(None, (photo.caption, labels)))
    return msgspec.structs.replace(photo, caption=told or None)


async def run_clustering(
    prepared: PreparedClustering, watch: Watcher
) -> JobResult[EmbedReport | ClusterReport]:
    """Make the missing vectors, then the clusters if the request asks for clusters.

    Returns:
        The report of the clustering, or of the embedding if the clustering was stopped.

    Raises:
        SetupError: the embedder cannot be loaded.
        FitFailed: no clusters could be found.
        JournalError: vectors can no longer be kept.
    """
    request, began, run = prepared.request, time.monotonic(), new_run_id()
    jobs = [embedding.job(run) for embedding in prepared.embeddings if embedding.to_do]
    steps: list[Step] = list(jobs)
    clustering = _clustering_job(prepared)
    process = FitProcess()
    if clustering is not None and (jobs or request.force or clustering.has_changed()):
        progress = Progress(
            run=run,
            stage="cluster",
            backend=request.embedder,
            total=len(prepared.photos),
            skipped={},
        )
        gather = partial(clustering.gather, force=request.force)
        steps.append(ClusterStep(process, gather, clustering.finish, progress))

    def report(ending: Ending) -> EmbedReport | ClusterReport:
        done = [job.progress for job in jobs]
        if clustering is None or ending is not Ending.DONE:
            made: EmbedReport | ClusterReport = _embed_report(prepared, done)
        else:
            made = _cluster_report(prepared, clustering, done)
        made.seconds = round(time.monotonic() - began, 3)
        return made

    try:
        if not steps:
            return JobResult(Ending.DONE, None, report(Ending.DONE))
        if jobs and clustering is not None and _takes_compiling(prepared.photos):
            await process.warm_up()  # compiles while the vectors are made
        return await run_job(StepSequence(steps), _frame(request, run), watch, report)
    finally:
        await process.stop(patience=0)


def _frame(request: ClusterRequest, run: str) -> JobFrame:
    return JobFrame(
        run=run,
        stage="embed" if request.settings is None else "cluster",
        workspace=request.workspace,
        journal=request.journal,
        told={"embedder": request.embedder},
    )


def _takes_compiling(photos: Sequence[LibraryPhoto]) -> bool:
    from pipeline.clusters.fitting import FEWEST_FOR_UMAP

    return len({photo.caption for photo in photos}) > FEWEST_FOR_UMAP


def _clustering_job(prepared: PreparedClustering) -> ClusteringJob | None:
    if prepared.request.settings is None:
        return None
    return ClusteringJob(
        prepared.photos,
        prepared.embeddings[0].embedder,
        [embedding.store for embedding in prepared.embeddings],
        prepared.request.settings,
        prepared.request.workspace,
    )


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
    prepared: PreparedClustering, clustering_job: ClusteringJob, done: Sequence[Progress]
) -> ClusterReport:
    clustering = clustering_job.clustering or clustering_job.previous
    assert clustering is not None
    changes = LabelJournal(label_journal_path(prepared.request.workspace))
    changes.refresh()
    view = ClusterView(prepared.photos, clustering, changes.standing)
    report = count_clusters(view)
    report.embedder = clustering.head.embedder
    report.embedded = sum(progress.by_status["success"] for progress in done)
    report.changed = clustering_job.clustering is not None
    previous = clustering_job.previous
    if previous is None:
        report.new = report.clusters
    else:
        before = ClusterView(prepared.photos, previous, changes.standing)
        compare(report, before, view, {placed.key for placed in previous.placed})
    return report
