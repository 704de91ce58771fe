"""The stage of ingestion: pictures to regions, labels and texts, several photos in one go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from backends.base import Loading, PictureSpec
from backends.detectors.running import VocabularyModel
from backends.errors import BackendLost, ModelError
from journal import Status
from pipeline.ingest.cache.manifest import ModelFacts
from pipeline.ingest.cache.records import Detection, StageName
from pipeline.ingest.cache.store import PhotoResult
from pipeline.ingest.vision.looking import Asked, Looker, Seen
from pipeline.ingest.vision.results import Scale, Signature, result_of, result_of_failure, stages_of
from pipeline.ingest.vision.text_reading import ReadLine, TextReader
from pipeline.jobs.errors import RunStopped
from pipeline.jobs.stage import Decoded, FailedAttempt, SoloStage, Usage

if TYPE_CHECKING:
    from PIL.Image import Image

    from backends.ocr.base import OcrEngine

T = TypeVar("T")

EDGE = 2048
"""Pixels of the longer side: enough to read a page, and more than detectors use."""

READ_AT_ONCE = 4
"""Photos in a batch where no detector sets the number."""


class IngestStage(SoloStage[PhotoResult]):
    """Detects, labels and reads, whatever each photo is to go through.

    Args:
        looker: Does the stages `detect` and `label`.
        reader: Does `ocr`, None where no photo asks for it.
        caption_of: Returns the caption of a photo by its key.
        regions_of: Returns the regions that a photo has in the cache, to be labelled.
        check: Raises if the models may not add to the cache.
        worker: Name of the worker, for the outcomes.

    Attributes:
        lost: The error of a device that has failed for good, None while it works.
    """

    name = "ingest"
    record_type = PhotoResult
    picture: PictureSpec | None = PictureSpec(max_edge=EDGE)
    workers = 2  # one batch is read while the next is looked at
    unexpected: Status = "error_model"

    def __init__(
        self,
        looker: Looker,
        reader: TextReader | None,
        *,
        caption_of: Callable[[str], str | None],
        regions_of: Callable[[str], list[Detection]],
        check: Callable[[dict[StageName, ModelFacts]], None],
        worker: str,
    ) -> None:
        self._looker = looker
        self._reader = reader
        self._caption_of = caption_of
        self._regions_of = regions_of
        self._check = check
        self._worker = worker
        self.lost: BackendLost | None = None
        self._loading: Loading | None = Loading("starting")
        self._facts: dict[StageName, ModelFacts] = {}
        self._looking = asyncio.Lock()
        self._reading = asyncio.Lock()

    @property
    def batch_size(self) -> int:
        """Photos in a call: as many as the detector takes at once."""
        detector = self._looker.detector
        return READ_AT_ONCE if detector is None else detector.batch_size

    @property
    def loading(self) -> Loading | None:
        """Which model is being loaded, None when all are there."""
        return self._loading

    @property
    def remarks(self) -> list[str]:
        """What came up in the models, a sentence each."""
        return [remark for model in self._models().values() for remark in model.remarks]

    @property
    def signature(self) -> Signature:
        """The makers of the records; the versions are known once the stage is open."""
        return Signature(self._facts, self._worker)

    def facts(self) -> dict[StageName, ModelFacts]:
        """Return what a manifest says of the model of each stage; known once the stage is open."""
        return self._facts

    def _models(self) -> dict[StageName, VocabularyModel | OcrEngine]:
        """Return the model of each stage."""
        models: dict[StageName, VocabularyModel | OcrEngine | None] = {
            "detect": self._looker.detector,
            "label": self._looker.labeller,
            "ocr": None if self._reader is None else self._reader.engine,
        }
        return {stage: model for stage, model in models.items() if model is not None}

    async def open(self) -> None:
        """Load the models, one after the other."""
        for stage, model in self._models().items():
            self._loading = Loading(f"loading the model of {stage}")
            await asyncio.to_thread(model.open)
            self._facts[stage] = await asyncio.to_thread(facts_of, model)
        await asyncio.to_thread(self._check, self._facts)
        self._loading = None

    async def close(self) -> None:
        """Close the models."""
        for model in self._models().values():
            await asyncio.to_thread(model.close)

    async def process(self, photos: Sequence[Decoded]) -> list[PhotoResult | Exception]:
        """Return a result or an error for each photo."""
        pictures = [decoded.seen.picture.image() for decoded in photos]
        try:
            seen, read = await asyncio.gather(
                self._look(photos, pictures), self._read(photos, pictures)
            )
        except BackendLost as error:
            self.lost = error
            raise
        outcomes = list(zip(photos, seen, read, strict=True))
        return await asyncio.to_thread(lambda: [self._result(*one) for one in outcomes])

    def _result(
        self, decoded: Decoded, seen: list[Seen] | Exception, read: list[ReadLine] | Exception
    ) -> PhotoResult | Exception:
        if isinstance(seen, Exception):
            return seen
        if isinstance(read, Exception):
            return read
        return result_of(decoded, seen, read, self._caption_of(decoded.photo.key), self.signature)

    async def _look(
        self, photos: Sequence[Decoded], pictures: Sequence[Image]
    ) -> list[list[Seen] | Exception]:
        """Return the things in each photo, none where the photo asks for none."""
        found: list[list[Seen] | Exception] = [[] for _ in photos]
        places = [
            place
            for place, decoded in enumerate(photos)
            if {"detect", "label"}.intersection(stages_of(decoded.photo))
        ]
        if places:
            async with self._looking:
                asked = [(photos[place], pictures[place]) for place in places]
                things = await asyncio.to_thread(
                    lambda: self._looker.look([self._asked(*one) for one in asked])
                )
            for place, thing in zip(places, things, strict=True):
                found[place] = thing
        return found

    def _asked(self, decoded: Decoded, picture: Image) -> Asked:
        """Return what a photo asks of the looker."""
        stages = stages_of(decoded.photo)
        if "detect" in stages:
            return Asked(picture, None, "label" in stages)
        scale = Scale.of(decoded)
        known = [
            Seen(scale.down_to(region.bbox), region.labels, region.detector_version)
            for region in self._regions_of(decoded.photo.key)
        ]
        return Asked(picture, known, named=True)

    async def _read(
        self, photos: Sequence[Decoded], pictures: Sequence[Image]
    ) -> list[list[ReadLine] | Exception]:
        """Return the texts in each photo, none where the photo asks for none."""
        async with self._reading:
            return await asyncio.to_thread(
                lambda: [
                    self._read_one(picture) if "ocr" in stages_of(decoded.photo) else []
                    for decoded, picture in zip(photos, pictures, strict=True)
                ]
            )

    def _read_one(self, picture: Image) -> list[ReadLine] | Exception:
        assert self._reader is not None
        try:
            return self._reader.read(picture)
        except ModelError as error:
            return error

    def failed(self, failure: FailedAttempt) -> PhotoResult:
        """Return the outcomes of a photo that could not be looked at."""
        return result_of_failure(failure, self.signature)

    def usage(self, record: PhotoResult) -> Usage:
        """Return what to show of a result."""
        first = record.outcomes[0]
        objects, texts = len(record.detections), sum(bool(text.text) for text in record.texts)
        return Usage(
            rel_path=first.rel_path,
            status=first.status,
            text=first.error or f"{objects} objects, {texts} lines of text",
            raw_path=first.raw_path,
        )

    def watch(self, error: Exception | None) -> None:
        """Stop where the next photo would fail for the same reason.

        Raises:
            RunStopped: the device is lost.
        """
        if isinstance(error, BackendLost):
            raise RunStopped(str(error))


def facts_of(model: VocabularyModel | OcrEngine) -> ModelFacts:
    """Return what a manifest says of an open model."""
    if isinstance(model, VocabularyModel):
        return ModelFacts(model.version, model.hashes())
    return ModelFacts(model.source, model.model_hashes())
