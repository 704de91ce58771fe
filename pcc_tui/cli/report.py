"""`pcc chunk`, `pcc report` and `pcc search`: chunks, reports and search over the clusters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Optional

import msgspec
import typer

from backends.errors import SetupError
from journal import JournalLocked, require_own_place, what_failed
from pcc_tui.cli.exit_codes import ExitCode
from pcc_tui.cli.groups import takes_groups
from pcc_tui.cli.labels import make_output_directory, opened, warn_of_damage
from pcc_tui.cli.options import SiteOptions, require_extra, require_text
from pcc_tui.cli.output import fail, narration, print_json, say, warn
from pipeline.clusters.chunks import CHUNK_SIZE
from pipeline.jobs.errors import WorkspaceBusy

if TYPE_CHECKING:
    from pipeline.clusters.view import ClusterView
    from pipeline.reports.photo_texts import PhotoTexts

TOLD_EVERY = 200


class FoundPhoto(msgspec.Struct):
    """A photo as `pcc search --json` prints it."""

    rel_path: str
    caption: str | None
    cluster_id: str
    cluster: list[str]
    score: float
    words: bool
    cosine: float | None


@takes_groups
def chunk(
    site: SiteOptions,
    chunk_size: Annotated[
        Optional[int],
        typer.Option(
            min=1,
            max=100_000,
            help="Photos to a chunk at most.",
            show_default=f"as last time, {CHUNK_SIZE} at first",
        ),
    ] = None,
) -> None:
    """Cut each cluster into chunks: events, each small enough for one look."""
    from pipeline.clusters.chunk_file import chosen_chunk_size, chunks_path, write_chunks

    size = chunk_size or chosen_chunk_size(site.workspace)
    view = opened(site, chunk_size=size)
    count = write_chunks(site.workspace, view, size)
    if site.json:
        path = str(chunks_path(site.workspace))
        print_json({"kind": "chunk", "chunks": count, "chunk_size": size, "file": path})
    else:
        say(f"{count:,} chunks of at most {size:,} photos: {chunks_path(site.workspace)}")


@takes_groups
def report(
    site: SiteOptions,
    out: Annotated[
        Optional[Path],
        typer.Option(help="Directory to write into.", show_default="the workspace"),
    ] = None,
    formats: Annotated[
        str, typer.Option("--format", help="Which of csv, md and html, with commas.")
    ] = "csv,md,html",
    thumbnails: Annotated[bool, typer.Option(help="Put small pictures into the HTML page.")] = True,
    describe: Annotated[
        bool, typer.Option(help="Let `basic` describe photos that have no caption.")
    ] = True,
    vocabulary: Annotated[
        Optional[Path],
        typer.Option(help="Words for photos without a caption, one a line.", show_default="ours"),
    ] = None,
) -> int:
    """Write the clusters as CSV, as Markdown, and as one HTML page."""
    require_extra("clusters", "pcc report")
    from pipeline.reports.run import KINDS, NAMES, write_reports

    wanted = [name.strip() for name in formats.split(",")]
    for name in wanted:
        if name not in NAMES:
            fail(f"--format knows {', '.join(NAMES)}, not {name!r}", ExitCode.USAGE)
    directory = out or site.workspace
    from pipeline.clusters.opening import open_view

    photos_dir = site.library()
    for name in wanted:
        require_own_place(directory / NAMES[name], KINDS[name])
    make_output_directory(directory)
    warn_of_damage(site)
    view = open_view(site.workspace, site.journal, photos_dir)
    if not view.has_clusters:
        warn("warning: there are no clusters yet; `pcc cluster` makes them")
    labels, code = _label(site, view, photos_dir, vocabulary, describing=describe)
    if code is not None:
        return code
    pictures: dict[int, bytes] = {}
    if thumbnails and "html" in wanted and photos_dir is not None:
        pictures = _thumbnails(site, view, photos_dir)
    written = write_reports(view, labels, directory, wanted, pictures)
    if labels.warning:
        warn(f"warning: {labels.warning}")
    if site.json:
        print_json(written)
    else:
        for path in written.files:
            say(f"Written: {path}")
        say(labels.summary)
    return ExitCode.OK


def _label(
    site: SiteOptions,
    view: ClusterView,
    photos_dir: Path | None,
    vocabulary: Path | None,
    *,
    describing: bool,
) -> tuple[PhotoTexts, int | None]:
    """Return a text for each photo, and the exit code if a signal came meanwhile."""
    from pipeline.embeddings.store import pictures_store
    from pipeline.reports.descriptions import describe, read_descriptions, undescribed
    from pipeline.reports.photo_texts import make_photo_texts
    from pipeline.reports.vocabulary import OWN_WORDS, nearest_words, read_vocabulary

    try:
        words = read_vocabulary(vocabulary or OWN_WORDS)
    except OSError as error:
        fail(f"--vocabulary {what_failed(error)}", ExitCode.USAGE)
    except UnicodeDecodeError as error:
        fail(f"--vocabulary {vocabulary} cannot be read: {error}", ExitCode.USAGE)
    fallbacks = nearest_words(view.photos, pictures_store(site.workspace), words)
    if fallbacks.warning:
        warn(f"warning: {fallbacks.warning}")
    to_describe = undescribed(view.photos, site.workspace, fallbacks.words)
    code = None
    if to_describe and photos_dir is not None and describing:
        import asyncio

        from pcc_tui.cli.live import show

        stream = narration(site.json)
        say(f"Describing {len(to_describe):,} photos that have no caption yet", to=stream)
        work = describe(site.workspace, photos_dir, to_describe, lambda shot: show(shot, stream))
        try:
            code = asyncio.run(work)
        except (JournalLocked, WorkspaceBusy) as error:
            warn(f"warning: photos without a caption keep the descriptions they have: {error}")
    return make_photo_texts(view.photos, fallbacks.words, read_descriptions(site.workspace)), code


def _thumbnails(site: SiteOptions, view: ClusterView, photos_dir: Path) -> dict[int, bytes]:
    import asyncio

    from pipeline.reports.run import make_thumbnails

    stream = narration(site.json)

    def tell(done: int, total: int) -> None:
        if done % TOLD_EVERY == 0 or done == total:
            say(f"Thumbnails: {done:,} of {total:,}", to=stream)

    return asyncio.run(make_thumbnails(view, photos_dir, tell))


@takes_groups
def search(
    site: SiteOptions,
    query: Annotated[str, typer.Argument(help="What to look for.")],
    by: Annotated[
        Literal["both", "words", "meaning"],
        typer.Option(help="Words that stand in the caption, what it means, or both."),
    ] = "both",
    most: Annotated[int, typer.Option("--limit", min=1, help="Photos to show.")] = 20,
) -> int:
    """Find photos by words and by meaning."""
    require_extra("clusters", "pcc search")
    from pipeline.clusters.opening import open_view, search_embedder
    from pipeline.clusters.search import Searcher

    warn_of_damage(site)
    view = open_view(site.workspace, site.journal, site.photos_if_here(site.settings()))
    embedder = search_embedder(site.workspace)
    require_text("QUERY", query)
    searcher = Searcher(view.photos, site.workspace, embedder)
    if by == "meaning" and not searcher.has_vectors:
        fail("there are no vectors yet; `pcc embed` makes them", ExitCode.USAGE)
    try:
        hits = searcher.search(query, by, most)
    except SetupError as error:
        if by == "meaning":
            raise
        warn(f"warning: by words alone: {error}")
        hits = searcher.search(query, "words", most)
    found = []
    for hit in hits:
        photo, leaf = view.photos[hit.place], view.leaf_of[hit.place]
        found.append(
            FoundPhoto(
                photo.rel_path,
                photo.caption,
                leaf,
                view.path(leaf),
                hit.score,
                hit.words,
                hit.cosine,
            )
        )
    if site.json:
        print_json(found)
    else:
        _tell_found(found, semantic=searcher.has_vectors)
    return ExitCode.OK


def _tell_found(found: list[FoundPhoto], *, semantic: bool) -> None:
    if not found:
        say("Nothing found")
    for hit in found:
        near = "" if hit.cosine is None else f"{hit.cosine:.2f}  "
        say(f"{near}{hit.rel_path}  [{' / '.join(hit.cluster)}]  {hit.caption or ''}")
    if not semantic:
        say("By words alone; `pcc embed` lets you search by meaning too")
