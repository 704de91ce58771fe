"""What a stage is: the one part of a job that differs from system to system."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

from backends.base import Loading, PictureSpec
from journal import Status
from pipeline.photos.photo import LoadedPhoto, Photo

R = TypeVar("R", bound=msgspec.Struct)


class Decoded(msgspec.Struct, frozen=True):
    """A photo with its decoded picture; without one for a stage that asks for none."""

    photo: Photo
    loaded: LoadedPhoto | None = None

    @property
    def seen(self) -> LoadedPhoto:
        """The decoded picture, for a stage that asks for it."""
        assert self.loaded is not None
        return self.loaded


class FailedAttempt(msgspec.Struct, frozen=True):
    """An attempt that ended without a result.

    Attributes:
        photo: The photo.
        loaded: The decoded photo, None where decoding failed.
        status: What the failure counts as.
        error: `Type: message`, without keys, at most 500 characters.
        seconds: Time the stage took, None where it was never asked.
    """

    photo: Photo
    loaded: LoadedPhoto | None
    status: Status
    error: str
    seconds: float | None


class Usage(msgspec.Struct, frozen=True):
    """What one record adds to the totals, and its text to show."""

    rel_path: str
    status: Status
    text: str
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float | None = None
    seconds: float | None = None
    raw_path: str | None = None


class Stage(ABC, Generic[R]):
    """A step that reads photos and writes records.

    The job does the rest: decoding, journal, copies, pause, limits, reports.

    Attributes:
        name: What it is called in logs and reports.
        record_type: What its journal holds.
        picture: The form in which it wants its pictures, None if it works without.
        workers: How many calls of `process` run at once.
        unexpected: What an error counts as that is none of the backends' own.
    """

    name: str
    record_type: type[R]
    picture: PictureSpec | None
    workers: int
    unexpected: Status

    @property
    @abstractmethod
    def batch_size(self) -> int:
        """Photos to a call. Known once the stage is open, and may fall while it works."""

    @property
    def model(self) -> str | None:
        """Id of the model, None where there is none or it is not known yet."""
        return None

    @property
    def loading(self) -> Loading | None:
        """How far it is with getting ready, None when it is."""
        return None

    @property
    def remarks(self) -> list[str]:
        """What came up meanwhile, a sentence each."""
        return []

    def picture_of(self, photo: Photo) -> PictureSpec | None:
        """Return the form in which one photo is wanted, None for that of all."""
        return None

    @abstractmethod
    async def open(self) -> None:
        """Load what the stage needs, before the first photo."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of it."""

    @abstractmethod
    async def process(self, photos: Sequence[Decoded]) -> list[R | Exception]:
        """Return a record or an error for each photo, in their order."""

    @abstractmethod
    def failed(self, failure: FailedAttempt) -> R:
        """Return the record of an attempt that ended without a result."""

    @abstractmethod
    def copied(self, record: R, photo: Photo) -> R:
        """Return the record of a photo identical to one whose record is known."""

    @abstractmethod
    def digest(self, record: R) -> str | None:
        """Return the content hash of the file a record is about, None where it is not known."""

    @abstractmethod
    def may_copy(self, record: R, digest: str) -> bool:
        """Tell whether a record may serve a file of this digest: same content, same maker."""

    @abstractmethod
    def usage(self, record: R) -> Usage:
        """Return what a record cost and what to show of it."""

    @abstractmethod
    def watch(self, error: Exception | None) -> None:
        """Look at how each photo ended; None is a success.

        Raises:
            RunStopped: the next photo would fail for the same reason.
        """


class SoloStage(Stage[R]):
    """A stage in which no photo serves for another, however alike; its `Copies` know nothing."""

    def copied(self, record: R, photo: Photo) -> R:
        """Nothing is copied."""
        raise AssertionError(f"{self.name} copies no records")

    def digest(self, record: R) -> str | None:
        """Content is of no matter."""
        return None

    def may_copy(self, record: R, digest: str) -> bool:
        """Nothing may be copied."""
        return False
