"""From the lines of a cache to rows: lines that count go in, faulty lines are reported."""

from __future__ import annotations

import math
import os
import sys
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from journal import Seal, inspect_lines, open_regular
from pipeline.ingest.batched import batched
from pipeline.ingest.cache.counting import counts
from pipeline.ingest.cache.records import Detection, Embedding, Outcome, Text
from pipeline.ingest.cache.region_vectors import RegionVectors, VectorFacts
from pipeline.ingest.importing.adapters import LooseDetection, LooseText
from pipeline.ingest.importing.faults import outcome_fault, path_fault, region_fault, text_fault
from pipeline.ingest.importing.report import Adapter, ImportReport
from pipeline.ingest.importing.rows import EmbeddingRow, OutcomeRow, PhotoRow, RegionRow, TextRow
from pipeline.ingest.importing.tables import Tables
from pipeline.jobs.pause_point import PausePoint

ROWS_AT_ONCE = 5000
"""Rows that one statement takes."""

LINES_BETWEEN_LOOKS = 512

MOST_ROWS = 1 << 40
MOST_DIMENSIONS = 1 << 16

OUTCOMES, DETECTIONS, TEXTS = "outcomes.jsonl", "detections.jsonl", "ocr.jsonl"
VECTORS = "embeddings/regions.jsonl"

L = TypeVar("L", Outcome, Detection, Text, Embedding)


class ReplayPosition(NamedTuple):
    """The place of a line: file, number from 1, and byte offset."""

    file: str
    number: int
    offset: int


class Replay:
    """Reads the files of a cache, each from its first line to its last.

    Args:
        cache: Directory of the cache.
        tables: Takes the rows.
        report: Takes what was passed over.
        pause_point: Told the bytes read so far.
        adapter: Reads the cache, None where it is read as it is.
    """

    def __init__(
        self,
        cache: Path,
        tables: Tables,
        report: ImportReport,
        pause_point: PausePoint,
        adapter: Adapter | None,
    ) -> None:
        self._cache = cache
        self._tables = tables
        self._report = report
        self._pause_point = pause_point
        self._loose = adapter == "schema"
        self._all_count = self._loose

    def outcomes(self) -> None:
        """Take in the outcomes, and with them all photos.

        A cache of another version may have no outcomes; then all of its lines count.
        """
        for some in batched(self._outcomes(), ROWS_AT_ONCE):
            self._tables.put_outcomes(some)
            self._all_count = False
        for number, offset, why in list(self._tables.settle_photos()):
            self._report.skip(OUTCOMES, number, offset, why)

    def _outcomes(self) -> Iterator[OutcomeRow]:
        for place, one in self._lines(OUTCOMES, Outcome):
            if not self._is_amiss(
                place, path_fault(one.rel_path, one.raw_path), outcome_fault(one)
            ):
                image = self._tables.image(_image_id(one), one.raw_path)
                yield OutcomeRow(image, place.number, place.offset, one)

    def regions(self) -> None:
        """Take in regions and their labels."""
        for some in batched(
            self._regions(LooseDetection if self._loose else Detection), ROWS_AT_ONCE
        ):
            self._tables.put_regions(some)

    def _regions(self, kind: type[Detection]) -> Iterator[RegionRow]:
        for place, one in self._lines(DETECTIONS, kind):
            photo = self._photo_of(place, one, one.region_id)
            if photo is not None and not self._is_amiss(
                place, region_fault(one, photo.width, photo.height)
            ):
                yield RegionRow(
                    photo.image,
                    one.region_id,
                    one.bbox,
                    one.labels,
                    one.caption,
                    one.detector_version,
                )

    def texts(self) -> None:
        """Take in texts, and why photos were not read; regions must be in before."""
        for some in batched(self._texts(LooseText if self._loose else Text), ROWS_AT_ONCE):
            self._tables.put_texts(some)

    def _texts(self, kind: type[Text]) -> Iterator[TextRow]:
        for place, one in self._lines(TEXTS, kind):
            name = one.text_id or f"line {place.number}"
            photo = self._photo_of(place, one, name)
            if photo is None or self._is_amiss(place, text_fault(one, photo.width, photo.height)):
                continue
            region = None
            detected = photo.outcomes.detect
            found_by = None if detected is None else detected.item_hash
            if one.region_id is not None and one.item_hash == found_by:
                region = self._tables.region(photo.image, one.region_id)
                if region is None:
                    self._is_amiss(place, f"its region {one.region_id[:80]!r} is not there")
            yield TextRow(
                photo.image,
                name,
                region,
                one.text,
                one.confidence,
                one.language,
                one.source,
                None if one.quad is None else msgspec.json.encode(one.quad).decode(),
                one.skipped,
            )

    def embeddings(self) -> None:
        """Take in vectors of regions; regions must be in before."""
        vectors = RegionVectors(self._cache / "embeddings")
        facts = vectors.facts()
        if facts is not None and 0 < facts.dimensions <= MOST_DIMENSIONS and vectors.rows.is_file():
            with open_regular(vectors.rows) as rows:
                for some in batched(self._embeddings(facts, rows.fileno()), ROWS_AT_ONCE):
                    self._tables.put_embeddings(some)
        elif vectors.keys.exists():
            self._report.remarks.append(
                "no embedding is taken in: regions.json or regions.f32 is missing or damaged"
            )

    def _embeddings(self, facts: VectorFacts, rows: int) -> Iterator[EmbeddingRow]:
        size = 4 * facts.dimensions
        for place, one in self._lines(VECTORS, Embedding):
            photo = self._photo_of(place, one, one.region_id)
            if photo is None:
                continue
            region = self._tables.region(photo.image, one.region_id)
            if region is None:
                self._is_amiss(place, f"its region {one.region_id[:80]!r} is not there")
                continue
            inside = 0 <= one.row < MOST_ROWS
            vector = os.pread(rows, size, one.row * size) if inside else b""
            if len(vector) != size:
                self._is_amiss(place, f"there is no row {one.row}")
            elif not _is_finite(vector):
                self._is_amiss(place, f"row {one.row} has a number that is none")
            else:
                yield EmbeddingRow(region, facts.model, facts.dimensions, vector)

    def _photo_of(
        self, place: ReplayPosition, one: Detection | Text | Embedding, name: str
    ) -> PhotoRow | None:
        """Return the photo of a line, None where the line does not count."""
        if self._is_amiss(place, path_fault(one.rel_path, one.raw_path)):
            return None
        if self._all_count:
            return PhotoRow(self._tables.image(_image_id(one), one.raw_path))
        if one.number is None:
            letter = "t" if isinstance(one, Text) else "r"
            self._is_amiss(place, f"{name[:80]!r} is none of {letter}0, {letter}1 and so on")
            return None
        photo = self._tables.photo(_image_id(one), one.raw_path)
        if photo is not None:
            last = photo.outcomes.texts if isinstance(one, Text) else photo.outcomes.regions
            if counts(last, one.item_hash, one.number):
                return photo
        self._report.left_over += 1
        return None

    def _lines(self, file: str, kind: type[L]) -> Iterator[tuple[ReplayPosition, L]]:
        """Yield the records of a file that can be read; a missing file has none."""
        path = self._cache / file
        if not path.is_file():
            return
        self._pause_point.begin(f"importing {file}", path.stat().st_size)
        for line in inspect_lines(path, kind):
            if line.number % LINES_BETWEEN_LOOKS == 0:
                self._pause_point.go_through(line.offset)
            place = ReplayPosition(file, line.number, line.offset)
            if line.record is None:
                self._report.torn += line.torn
                half = "half a line, left by a killed writer"
                self._is_amiss(place, half if line.torn else line.fault)
                continue
            self._report.unverified += line.seal is not Seal.INTACT
            yield place, line.record

    def _is_amiss(self, place: ReplayPosition, *faults: str | None) -> bool:
        """Report the first fault of a line, if it has one, and tell whether it has."""
        why = next(filter(None, faults), None)
        if why is not None:
            self._report.skip(*place, why)
        return why is not None


def _image_id(one: Outcome | Detection | Text | Embedding) -> str:
    return one.rel_path if one.raw_path is not None else one.key


def _is_finite(vector: bytes) -> bool:
    """Tell whether little-endian float32 are all finite: doubles cannot overflow in their sum."""
    numbers = array("f", vector)
    if sys.byteorder == "big":
        numbers.byteswap()
    return math.isfinite(sum(numbers))
