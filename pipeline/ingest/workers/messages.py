"""What a run and its workers tell each other, in MessagePack."""

from __future__ import annotations

import msgspec

from backends.base import Loading
from backends.detectors.base import PROPOSALS
from pipeline.ingest.cache.manifest import ModelFacts
from pipeline.ingest.cache.records import StageName


class DetectorChoice(msgspec.Struct, frozen=True, kw_only=True):
    """Which detector, and what to look for; see `make_detector`."""

    model: str
    vocabulary: tuple[str, ...]
    revision: str | None = None
    threshold: float | None = None
    proposals: int = PROPOSALS


class LabellerChoice(msgspec.Struct, frozen=True, kw_only=True):
    """Which labeller, and the words that it chooses from; see `RegionLabeller`."""

    model: str
    vocabulary: tuple[str, ...]
    revision: str | None = None


class OcrChoice(msgspec.Struct, frozen=True, kw_only=True):
    """Which OCR engine; see `make_ocr`."""

    engine: str
    model: str | None = None


class WorkerSetup(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The first message to a worker.

    Attributes:
        worker: Name of the worker.
        cache: Directory of the cache, as bytes.
        cache_id: Name of the cache, and so of its queue.
        queue: `sqlite`, or the URL of a Redis server.
        photos_dir: The photos directory, as bytes.
        captions: Path of the captions journal, as bytes.
        detector: Which detector, None where nothing is to be detected.
        labeller: Which labeller, None where nothing is to be labelled.
        ocr: Which OCR engine, None where nothing is to be read.
        device: The device that models run on, None for the best there is.
        batch_size: Photos in a batch, None for what suits the device.
        cores: Number of cores that this worker may use.
    """

    worker: str
    cache: bytes
    cache_id: str
    queue: str
    photos_dir: bytes
    captions: bytes
    detector: DetectorChoice | None
    labeller: LabellerChoice | None
    ocr: OcrChoice | None
    device: str | None
    batch_size: int | None
    cores: int


class Order(msgspec.Struct, frozen=True, tag=True):
    """A later message to a worker: take no further photo, and end.

    Attributes:
        at_once: Whether to give up what is in flight instead of finishing it.
    """

    at_once: bool


class Told(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What a worker tells of itself, whenever that changes.

    Attributes:
        loading: What the worker is loading, None once it is ready.
        remarks: What came up, a sentence each.
        models: The models of each stage; empty until all are loaded.
        current: Photos that the worker is busy with.
    """

    loading: Loading | None
    remarks: list[str]
    models: dict[StageName, ModelFacts]
    current: list[str]


class WorkerFailed(msgspec.Struct, frozen=True, tag=True):
    """The last message of a worker that cannot go on, if no other worker could either.

    Attributes:
        reason: Why, in a sentence.
        setup: Whether the reason is the setup: a model, an extra or a cache.
    """

    reason: str
    setup: bool


WorkerRequest = WorkerSetup | Order
WorkerReply = Told | WorkerFailed
