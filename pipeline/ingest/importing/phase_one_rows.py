"""From the documents of phase 1 to rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from journal import record_key
from pipeline.ingest.cache.records import RegionLabel
from pipeline.ingest.errors import CacheRefused
from pipeline.ingest.importing.faults import box_fault, path_fault, score_fault, size_fault
from pipeline.ingest.importing.phase_one import Document, documents
from pipeline.ingest.importing.report import ImportReport
from pipeline.ingest.importing.rows import RegionRow, TextRow
from pipeline.ingest.importing.tables import Tables
from pipeline.jobs.pause_point import PausePoint

MAKER = "phase-1"
"""Stands in a region for `detector_version`, and in a text for `source`."""


def import_documents(
    cache: Path, tables: Tables, report: ImportReport, pause_point: PausePoint
) -> None:
    """Put in all photos of a phase-1 cache.

    Raises:
        GivenUp: the import was cancelled.
        CacheRefused: nothing of the cache can be used.
    """
    pause_point.begin("importing documents", 0)
    usable = 0
    for number, document in enumerate(documents(cache)):
        pause_point.go_through(number)
        for why in document.faults:
            report.skip(document.file, 1, 0, why)
        if document.image_id and (image := _image(tables, document, report)) is not None:
            usable += 1
            tables.put_regions(list(_regions(image, document, report)))
            tables.put_texts(list(_texts(image, document, report)))
    if not usable:
        first = "".join(f"; {one.file}: {one.why}" for one in report.named[:1])
        raise CacheRefused(
            f"{cache} holds no JSON file that tells of a photo{first}; "
            "give the directory that phase 1 wrote"
        )


def _image(tables: Tables, document: Document, report: ImportReport) -> int | None:
    """Return the row of the photo of a document, None where it has none or it came before."""
    fault = path_fault(document.image_id, document.raw_path)
    name = document.image_id
    if document.raw_path is None:
        name = record_key(name)
    if fault is None and not tables.is_new(name, document.raw_path):
        fault = "another file tells of the same photo"
    if fault is not None:
        report.skip(document.file, 1, 0, fault)
        return None
    image = tables.image(name, document.raw_path)
    width, height = _size(document)
    if (width, height) != (document.width, document.height):
        report.skip(document.file, 1, 0, "its width and height are none")
    tables.set_size(image, width, height)
    return image


def _size(document: Document) -> tuple[int | None, int | None]:
    size = document.width, document.height
    return size if size_fault(*size) is None else (None, None)


def _regions(image: int, document: Document, report: ImportReport) -> Iterator[RegionRow]:
    size = _size(document)
    for found in document.regions:
        faults = [box_fault(found.box, *size), *(score_fault(score) for _, score in found.labels)]
        if why := next(filter(None, faults), None):
            report.skip(document.file, 1, 0, f"region {found.place}: {why}")
            continue
        labels = [RegionLabel(label, score) for label, score in found.labels]
        name = f"r{found.place}"
        yield RegionRow(image, name, found.box, labels, document.caption, MAKER)


def _texts(image: int, document: Document, report: ImportReport) -> Iterator[TextRow]:
    size = _size(document)
    for read in document.texts:
        fault = None if read.box is None else box_fault(read.box, *size)
        if why := fault or score_fault(read.confidence):
            report.skip(document.file, 1, 0, f"text {read.place}: {why}")
            continue
        quad = None
        if read.box is not None:
            x0, y0, x1, y1 = read.box
            quad = msgspec.json.encode([(x0, y0), (x1, y0), (x1, y1), (x0, y1)]).decode()
        name = f"t{read.place}"
        yield TextRow(image, name, None, read.text, read.confidence, None, MAKER, quad, None)
