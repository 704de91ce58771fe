"""`pcc embed` and `pcc cluster`: vectors of captions, and the tree of clusters over them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from backends.registry import EMBEDDERS
from pcc_tui.cli.exit_codes import ExitCode
from pcc_tui.cli.groups import takes_groups
from pcc_tui.cli.options import SiteOptions, require_extra, require_text
from pcc_tui.cli.output import fail, narration, print_json, say
from pcc_tui.words.figures import duration
from pcc_tui.words.outcomes import cluster_words
from pipeline.clusters.settings import SAMPLE, ClusterSettings

if TYPE_CHECKING:
    from pipeline.clusters.comparison import ClusterReport
    from pipeline.clusters.run import ClusterRequest
    from pipeline.embeddings.report import EmbedReport
    from pipeline.jobs.run_job import JobResult

SHOWN = 10


@dataclasses.dataclass(frozen=True)
class EmbedderOptions:
    """What makes the vectors."""

    embedder: Annotated[
        Optional[str],
        typer.Option(
            help=f"{', '.join(EMBEDDERS.built_in)}, or the id of a sentence-transformers model.",
            show_default="minilm where it can be loaded, else tfidf",
        ),
    ] = None


@dataclasses.dataclass(frozen=True)
class ClusterOptions:
    """How to cluster."""

    min_cluster_size: Annotated[
        Optional[int],
        typer.Option(min=2, help="Photos of the smallest cluster.", show_default="by the library"),
    ] = None
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="Same seed, same tree.")] = 0
    assign_noise: Annotated[
        bool,
        typer.Option("--assign-noise", help="Put what fits nowhere into the nearest cluster."),
    ] = False
    sample: Annotated[
        int,
        typer.Option(min=100, help="Distinct captions fitted at once; the rest is assigned."),
    ] = SAMPLE
    force: Annotated[bool, typer.Option("--force", help="Cluster even if nothing has changed.")] = (
        False
    )

    def settings(self) -> ClusterSettings:
        """Return the options as the clustering job takes them."""
        return ClusterSettings(
            seed=self.seed,
            min_cluster_size=self.min_cluster_size,
            assign_noise=self.assign_noise,
            sample=self.sample,
        )


@takes_groups
def embed(site: SiteOptions, embedder: EmbedderOptions) -> int:
    """Make the vectors of captions that have none yet; with `clip`, of pictures too."""
    return _carry_out(site, embedder, None, force=False)


@takes_groups
def cluster(site: SiteOptions, embedder: EmbedderOptions, clustering: ClusterOptions) -> int:
    """Sort the photos into a tree of clusters, by what their captions say."""
    return _carry_out(site, embedder, clustering.settings(), force=clustering.force)


def _carry_out(
    site: SiteOptions, embedder: EmbedderOptions, settings: ClusterSettings | None, *, force: bool
) -> int:
    require_extra("clusters", "this command")
    result = run_request(cluster_request(site, embedder, settings, force=force), json=site.json)
    if site.json:
        print_json(result.report)
    else:
        tell(result)
    return result.stop_code or ExitCode.OK


def cluster_request(
    site: SiteOptions,
    embedder: EmbedderOptions,
    settings: ClusterSettings | None,
    *,
    labels: Mapping[str, str] | None = None,
    force: bool,
) -> ClusterRequest:
    """Return the clustering that settings and flags add up to; flags win.

    Args:
        site: Where to work.
        embedder: What makes the vectors.
        settings: How to cluster; None to make vectors and nothing else.
        labels: What was seen in photos, by key; None to go by captions alone.
        force: Whether to cluster even if nothing changed.
    """
    from backends.registry import default_embedder
    from pipeline.clusters.run import ClusterRequest

    chosen = site.settings()
    if embedder.embedder is not None:
        require_text("--embedder", embedder.embedder)
    if embedder.embedder == "":
        fail("--embedder is empty; leave it out for what suits this machine", ExitCode.USAGE)
    photos_dir = site.library()
    return ClusterRequest(
        workspace=site.workspace,
        journal=site.journal,
        photos_dir=photos_dir,
        embedder=embedder.embedder or chosen.choices.embedder or default_embedder(),
        labels=labels,
        settings=settings,
        force=force,
    )


def run_request(request: ClusterRequest, *, json: bool) -> JobResult[EmbedReport | ClusterReport]:
    """Make vectors, and clusters if they are asked for, and show the progress."""
    import asyncio

    from pcc_tui.cli.live import show
    from pipeline.clusters.run import prepare_clustering, run_clustering

    prepared = prepare_clustering(request)
    stream = narration(json)
    try:
        for warning in prepared.warnings:
            say(f"warning: {warning}", to=stream)
        for embedding in prepared.embeddings:
            what = "pictures" if embedding.store.of_pictures else "captions"
            say(
                f"To embed with {request.embedder}: {len(embedding.to_do):,} {what}, "
                f"{embedding.held:,} are done",
                to=stream,
            )
        return asyncio.run(run_clustering(prepared, lambda shot: show(shot, stream)))
    finally:
        prepared.release()


def tell(result: JobResult[EmbedReport | ClusterReport]) -> None:
    """Say what an embedding or a clustering did."""
    from pipeline.embeddings.report import EmbedReport

    if isinstance(result.report, EmbedReport):
        _tell_vectors(result.report)
        if result.stop_code is not None:
            say("Stopped; the vectors made so far are kept, and the same command goes on")
    else:
        _tell_clusters(result.report)


def _tell_vectors(report: EmbedReport) -> None:
    pictures = f" and {report.pictures:,} pictures" if report.pictures else ""
    say(f"{report.captions:,} captions{pictures} have vectors ({report.model})")
    if report.embedded:
        say(f"{report.embedded:,} made now, in {duration(report.seconds)}")
    if report.failed:
        say(f"{report.failed:,} have none; caption.log says why")


def _tell_clusters(report: ClusterReport) -> None:
    if not report.changed:
        say("Nothing has changed since the last clustering; --force clusters again")
    say(": ".join(cluster_words(report)))
    if report.changed:
        say(f"{report.kept:,} clusters as before, {report.new:,} new, {len(report.gone):,} gone")
    for line in report.gone[:SHOWN]:
        say(f"  gone: {line}")
    if report.moved:
        say(f"{report.moved:,} photos stand elsewhere than before:")
        for source, target, count in report.moves:
            say(f"  {count:,} from {source} to {target}")
    for line in report.lost:
        say(f"warning: {line}")
    if report.embedded:
        say(f"{report.embedded:,} vectors made by {report.embedder}, {duration(report.seconds)}")
