"""Writing the reports of a library: CSV, Markdown and one HTML page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from io import BytesIO
from pathlib import Path

import msgspec

from backends.base import PictureSpec
from journal import atomic_rewrite, text_kind
from pipeline.clusters.moments import dated
from pipeline.clusters.view import SPECIAL, ClusterView
from pipeline.jobs.cores import decoder_count
from pipeline.photos.decoder import DecoderPool
from pipeline.photos.errors import CorruptImageError
from pipeline.photos.photo import find_file
from pipeline.reports.csv_export import COLUMNS, csv_lines
from pipeline.reports.html_page import Page, PageCluster, PagePhoto, render
from pipeline.reports.markdown import markdown_lines, sample
from pipeline.reports.photo_texts import PhotoTexts
from pipeline.reports.plain import one_line

CSV, MARKDOWN, HTML = "cluster_export.csv", "cluster_report.md", "cluster_report.html"
NAMES = {"csv": CSV, "md": MARKDOWN, "html": HTML}

KINDS = {
    "csv": text_kind("a table of photos and clusters", ",".join(COLUMNS[:3])),
    "md": text_kind("a report about clusters", "# Clusters\n"),
    "html": text_kind("a page about clusters", "<!doctype html>"),
}
"""What a report may be written over."""

THUMBNAIL_EDGE = 256
THUMBNAIL_QUALITY = 70
SHEET = 12
MOST_THUMBNAILS = 3_000
"""Most thumbnails on a page: some 30 MB, about as much as a browser opens without trouble."""


class WrittenReports(msgspec.Struct, kw_only=True, tag_field="kind", tag="report"):
    """The result of writing reports, as `pcc report --json` prints it.

    Attributes:
        photos: Photos of the library.
        captioned: Photos with a caption.
        errors: Photos whose captioning failed.
        fallbacks: Photos whose label is a word of the vocabulary.
        described: Photos whose label is a basic description.
        clusters: Clusters that contain photos.
        files: Paths of the files that were written.
    """

    photos: int
    captioned: int
    errors: int
    fallbacks: int
    described: int
    clusters: int
    files: list[str] = []


def write_reports(
    view: ClusterView,
    labels: PhotoTexts,
    directory: Path,
    formats: Iterable[str],
    thumbnails: dict[int, bytes],
) -> WrittenReports:
    """Write reports in the given formats, each completely or not at all.

    Args:
        view: The clusters.
        labels: Labels of the photos.
        directory: Directory of the reports.
        formats: Any of `csv`, `md` and `html`.
        thumbnails: JPEGs by place, for the HTML page.

    Raises:
        DiskFull: there is no room; an existing file is untouched.
    """
    made = f"{datetime.now():%Y-%m-%d %H:%M}"
    writers: dict[str, Callable[[], Iterable[bytes]]] = {
        "csv": lambda: csv_lines(view, labels),
        "md": lambda: (f"{line}\n".encode() for line in markdown_lines(view, labels, made)),
        "html": lambda: render(_page(view, labels, made, thumbnails)),
    }
    report = WrittenReports(
        photos=len(view.photos),
        captioned=labels.captioned,
        errors=labels.errors,
        fallbacks=labels.fallbacks,
        described=labels.described,
        clusters=sum(leaf.id not in SPECIAL for leaf in view.leaves()),
    )
    for name in formats:
        path = directory / NAMES[name]
        with atomic_rewrite(path, kind=KINDS[name]) as file:
            file.writelines(writers[name]())
        report.files.append(str(path))
    return report


def _page(view: ClusterView, labels: PhotoTexts, made: str, thumbnails: dict[int, bytes]) -> Page:
    number = {id_: at for at, id_ in enumerate(view.clusters)}
    sheets = choose_sheets(view)
    clusters = []
    for cluster in view.clusters.values():
        sheet = [(place, thumbnails[place]) for place in sheets[cluster.id] if place in thumbnails]
        exemplar = "" if cluster.exemplar is None else labels.texts[cluster.exemplar]
        clusters.append(
            PageCluster(
                title=one_line(cluster.title),
                parent=number.get(cluster.parent or ""),
                size=cluster.size,
                keywords=[*map(one_line, cluster.keywords)],
                exemplar=one_line(exemplar),
                cohesion=None if cluster.id in SPECIAL else cluster.cohesion,
                span=cluster.span,
                sheet=sheet,
            )
        )
    photos = []
    for place, photo in enumerate(view.photos):
        x, y = view.position[place] or (None, None)
        photos.append(
            PagePhoto(
                path=one_line(photo.rel_path),
                label=one_line(labels.texts[place]),
                cluster=number[view.leaf_of[place]],
                status=photo.status or "not captioned",
                taken=dated(photo),
                x=x,
                y=y,
                chunk=view.chunk_of(place),
            )
        )
    return Page(
        title="Clusters", made=made, summary=labels.summary, clusters=clusters, photos=photos
    )


def sheet_of(view: ClusterView, id_: str, most: int = SHEET) -> list[int]:
    """Return the photos of a contact sheet; for a group, the exemplars of its parts."""
    cluster = view.clusters[id_]
    if not cluster.children:
        return sample(cluster, most)
    exemplars = [view.clusters[child].exemplar for child in cluster.children]
    return [place for place in exemplars if place is not None][:most]


async def make_thumbnails(
    view: ClusterView, photos_dir: Path, tell: Callable[[int, int], None]
) -> dict[int, bytes]:
    """Decode the photos of all contact sheets; photos that cannot be decoded are left out.

    Args:
        view: The clusters.
        photos_dir: The photos directory.
        tell: Called with the number of photos done and the number of all photos.

    Raises:
        DecoderUnavailable: no decoding process starts.
    """
    sheets = choose_sheets(view).values()
    wanted = dict.fromkeys(place for sheet in sheets for place in sheet)
    found: dict[int, bytes] = {}
    if not wanted:
        return found
    spec = PictureSpec(max_edge=THUMBNAIL_EDGE)
    done = 0
    async with DecoderPool(photos_dir, spec, min(decoder_count(), len(wanted))) as decoders:

        async def make(place: int) -> None:
            nonlocal done
            photo = view.photos[place]
            try:
                path = find_file(photos_dir, photo.rel_path, photo.raw_path)
                loaded = await decoders.decode(str(path.relative_to(photos_dir)))
            except (CorruptImageError, ValueError):  # or a path outside the photos
                return
            finally:
                done += 1
                tell(done, len(wanted))
            buffer = BytesIO()
            loaded.picture.image().save(buffer, "JPEG", quality=THUMBNAIL_QUALITY)
            found[place] = buffer.getvalue()

        await asyncio.gather(*map(make, wanted))
    return found


def choose_sheets(view: ClusterView) -> dict[str, list[int]]:
    """Return the photos of each contact sheet; sheets are smaller if there are many clusters."""
    most = max(1, min(SHEET, MOST_THUMBNAILS // max(1, len(view.clusters))))
    return {id_: sheet_of(view, id_, most) for id_ in view.clusters}
