"""What a run and its workers say to each other, in MessagePack."""

from __future__ import annotations

import msgspec

from backends.base import Loading
from backends.detectors.base import PROPOSALS
from pipeline.ingest.cache.manifest import ModelFacts
from pipeline.ingest.cache.records import StageName


class DetectorChoice(msgspec.Struct, frozen=True, kw_only=True):
    """Which detector, and what it is asked; see `make_detector`."""

    model: str
    vocabulary: tuple[str, ...]
    revision: str | None = None
    threshold: float | None = None
    proposals: int = PROPOSALS


class LabellerChoice(msgspec.Struct, frozen=True, kw_only=True):
    """Which labeller, and among which words it chooses; see `RegionLabeller`."""

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
        worker: Its name.
        cache: Directory of the cache.
        cache_id: Names its queue.
        queue: `sqlite`, or the URL of a Redis server.
        photos_dir: Where the photos are, as bytes.
        captions: The captions journal, as bytes.
        detector: For `detect`, None where nothing is to be detected.
        labeller: For `label`.
        ocr: For `ocr`.
        device: Where models run, None for the best there is.
        batch_size: Photos to a batch, None for what suits the device.
        cores: How many are for this worker.
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
    """A later message to a worker: take nothing more, and end.

    Attributes:
        at_once: Whether what is in flight is given up.
    """

    at_once: bool


class Told(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What a worker says of itself, again and again.

    Attributes:
        loading: What it is getting ready, None when it is.
        remarks: What came up, a sentence each.
        models: Who does each stage; empty until all are loaded.
        current: Photos in its hands.
    """

    loading: Loading | None
    remarks: list[str]
    models: dict[StageName, ModelFacts]
    current: list[str]


class WorkerFailed(msgspec.Struct, frozen=True, tag=True):
    """A worker's last message, if it cannot go on, nor could another.

    Attributes:
        reason: Why.
        setup: Whether something is wrong with the setup.
    """

    reason: str
    setup: bool


WorkerRequest = WorkerSetup | Order
WorkerReply = Told | WorkerFailed
