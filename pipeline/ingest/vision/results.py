"""From what was seen in a picture to the records of a photo, in pixels of the upright photo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from backends.detectors.base import Box
from journal import split_path, utc_now
from pipeline.ingest.cache.manifest import ModelFacts
from pipeline.ingest.cache.records import STAGES, Detection, Outcome, StageName, Text
from pipeline.ingest.cache.store import PhotoResult
from pipeline.ingest.queue.base import Leased
from pipeline.ingest.vision.looking import Seen
from pipeline.ingest.vision.text_reading import ReadLine
from pipeline.jobs.stage import Decoded, FailedAttempt
from pipeline.photos.photo import Photo, find_file

if TYPE_CHECKING:
    from backends.ocr.base import Quad


NOT_READ = ("FileNotFoundError", "PermissionError")
"""Types of errors that tell nothing of the content: the file may be there again next time."""


class LeasedPhoto(Photo, frozen=True):
    """A photo that a worker leased from the queue."""

    leased: Leased

    @classmethod
    def of(cls, leased: Leased, photos_dir: Path) -> LeasedPhoto:
        """Return the photo of a leased item, as this machine's disk spells its name.

        Raises:
            ValueError: the item names a place outside the photos directory, or none at all.
        """
        item = leased.item
        file = find_file(photos_dir, item.rel_path, item.raw_path)
        return cls(str(file.relative_to(photos_dir)), item.photo_key, leased)


class Scale(NamedTuple):
    """Pixels of the upright photo to a pixel of the picture that was looked at."""

    across: float
    down: float

    @classmethod
    def of(cls, decoded: Decoded) -> Scale:
        """Return the scale of a decoded photo."""
        facts, picture = decoded.seen.facts, decoded.seen.picture
        return cls(facts.width / picture.width, facts.height / picture.height)

    def up(self, box: Box) -> Box:
        """Return a box of the picture in pixels of the photo, to a tenth."""
        x0, y0, x1, y1 = box
        return (
            round(x0 * self.across, 1),
            round(y0 * self.down, 1),
            round(x1 * self.across, 1),
            round(y1 * self.down, 1),
        )

    def down_to(self, box: Box) -> Box:
        """Return a box of the photo in pixels of the picture."""
        x0, y0, x1, y1 = box
        return x0 / self.across, y0 / self.down, x1 / self.across, y1 / self.down

    def corners(self, quad: Quad) -> list[tuple[float, float]]:
        """Return the corners of a text in pixels of the photo, to a tenth."""
        return [(round(x * self.across, 1), round(y * self.down, 1)) for x, y in quad]


class Signature(NamedTuple):
    """The makers that records name.

    Attributes:
        models: The model of each stage.
        worker: Name of the worker.
    """

    models: Mapping[StageName, ModelFacts]
    worker: str


def stages_of(photo: Photo) -> tuple[StageName, ...]:
    """Return the stages that a photo is to go through."""
    return tuple(stage for stage in STAGES if stage in _leased(photo).item.stages)


def _leased(photo: Photo) -> Leased:
    assert isinstance(photo, LeasedPhoto)
    return photo.leased


def result_of(
    decoded: Decoded,
    seen: Sequence[Seen],
    read: Sequence[ReadLine],
    caption: str | None,
    signature: Signature,
) -> PhotoResult:
    """Return the records of a photo.

    Args:
        decoded: The photo, as it was looked at.
        seen: The things in the photo, in pixels of the picture.
        read: The texts in the photo, in pixels of the picture.
        caption: The caption of the photo.
        signature: The makers.
    """
    scale = Scale.of(decoded)
    detections = _detections(decoded.photo, seen, scale, caption)
    texts = _texts(decoded.photo, read, seen, scale)
    outcomes = _outcomes(decoded, signature)
    for outcome in outcomes:
        outcome.lines = outcome.found = len(detections)
        if outcome.stage == "ocr":
            outcome.lines = len(texts)
            outcome.found = sum(text.skipped is None for text in texts)
    return PhotoResult(
        outcomes,
        detections,
        texts,
        [thing.vector for thing in seen if thing.vector is not None],
        signature.models.get("label"),
        _leased(decoded.photo),
    )


def _detections(
    photo: Photo, seen: Sequence[Seen], scale: Scale, caption: str | None
) -> list[Detection]:
    rel_path, raw_path = split_path(photo.path)
    return [
        Detection(
            rel_path=rel_path,
            raw_path=raw_path,
            item_hash=_leased(photo).item.item_hash,
            region_id=f"r{number}",
            bbox=scale.up(thing.box),
            labels=thing.labels,
            caption=caption,
            detector_version=thing.found_by,
        )
        for number, thing in enumerate(seen)
    ]


def _texts(
    photo: Photo, read: Sequence[ReadLine], seen: Sequence[Seen], scale: Scale
) -> list[Text]:
    rel_path, raw_path = split_path(photo.path)
    return [
        Text(
            rel_path=rel_path,
            raw_path=raw_path,
            item_hash=_leased(photo).item.item_hash,
            text_id=f"t{number}",
            text=line.text,
            confidence=round(line.confidence, 4),
            language=line.language,
            source=line.source,
            region_id=_region_around(line, seen),
            quad=None if line.quad is None else scale.corners(line.quad),
            skipped=line.skipped,
        )
        for number, line in enumerate(read)
    ]


def result_of_failure(failure: FailedAttempt, signature: Signature) -> PhotoResult:
    """Return the outcomes of a photo that could not be looked at."""
    outcomes = _outcomes(Decoded(failure.photo, failure.loaded), signature)
    was_read = not failure.error.startswith(NOT_READ)
    for outcome in outcomes:
        outcome.status, outcome.error = failure.status, failure.error
        outcome.digest = outcome.digest if was_read else None
    return PhotoResult(outcomes, leased=_leased(failure.photo))


def _outcomes(decoded: Decoded, signature: Signature) -> list[Outcome]:
    photo, loaded = decoded.photo, decoded.loaded
    item = _leased(photo).item
    rel_path, raw_path = split_path(photo.path)
    return [
        Outcome(
            rel_path=rel_path,
            raw_path=raw_path,
            stage=stage,
            status="success",
            at=utc_now(),
            digest=(item.digest or None) if loaded is None else loaded.digest,
            version=signature.models[stage].version if stage in signature.models else "",
            width=None if loaded is None else loaded.facts.width,
            height=None if loaded is None else loaded.facts.height,
            item_hash=item.item_hash,
            worker=signature.worker,
        )
        for stage in stages_of(photo)
    ]


def _region_around(line: ReadLine, seen: Sequence[Seen]) -> str | None:
    """Return the smallest thing that the middle of a text lies in."""
    if line.quad is None:
        return None
    x = sum(corner[0] for corner in line.quad) / 4
    y = sum(corner[1] for corner in line.quad) / 4
    around = [
        ((box[2] - box[0]) * (box[3] - box[1]), number)
        for number, (box, *_) in enumerate(seen)
        if box[0] <= x <= box[2] and box[1] <= y <= box[3]
    ]
    return f"r{min(around)[1]}" if around else None
