"""What a stage is: the one part of a job that differs from system to system.

A stage says what its records are, how many photos it takes at once, and what `process`
makes of them. Decoding, the journal, copies, pauses, limits and reports are the job's.
"""

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
    """A photo with its decoded picture, or without one for a stage that asks for none."""

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
        seconds: Time the stage took, None where the stage was never asked.
        cost_usd: What the attempt cost, or may have cost, in US dollars, None where nothing
            is known to have been billed.
    """

    photo: Photo
    loaded: LoadedPhoto | None
    status: Status
    error: str
    seconds: float | None
    cost_usd: float | None = None


class Usage(msgspec.Struct, frozen=True):
    """What one record adds to the totals, and the text to show for the record.

    Attributes:
        rel_path: Path of the photo relative to the photos directory, readable.
        status: How the attempt ended.
        text: The result in words, or why there is none.
        tokens_in: Tokens of the picture and the prompt.
        tokens_out: Tokens of the answer.
        cost_usd: Price of the tokens in US dollars, None where the answer tells none.
        seconds: Time the stage took, None where the stage was never asked.
        raw_path: Base64 of the path's bytes, only where they are not UTF-8.
    """

    rel_path: str
    status: Status
    text: str
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float | None = None
    seconds: float | None = None
    raw_path: str | None = None


class Stage(ABC, Generic[R]):
    """Work that is done photo by photo and gives one record for each.

    Attributes:
        name: The name of the stage in logs and reports.
        record_type: The type of the records in the journal.
        picture: The form in which the stage wants its pictures, None if it needs none.
        workers: How many calls of `process` run at once.
        unexpected: The status of an error that no backend raises on purpose.
    """

    name: str
    record_type: type[R]
    picture: PictureSpec | None
    workers: int
    unexpected: Status

    @property
    @abstractmethod
    def batch_size(self) -> int:
        """Photos in one call. Known once the stage is open, and may fall while the stage works."""

    @property
    def model(self) -> str | None:
        """Id of the model, None where there is no model or its id is not known yet."""
        return None

    @property
    def loading(self) -> Loading | None:
        """How far the stage is with getting ready, None when the stage is ready."""
        return None

    @property
    def remarks(self) -> list[str]:
        """What the user should know about the work so far, a sentence each."""
        return []

    @property
    def trouble(self) -> str | None:
        """What the stage waits for, such as a server that is down; None while all goes well."""
        return None

    def picture_of(self, photo: Photo) -> PictureSpec | None:
        """Return the form in which one photo is wanted, None for the form of all photos."""
        return None

    @abstractmethod
    async def open(self) -> None:
        """Load what the stage needs, before the first photo."""

    @abstractmethod
    async def close(self) -> None:
        """Release what `open` loaded."""

    def stop_waiting(self) -> None:
        """End every wait for another attempt: the job ends, and nothing more may be sent."""

    @abstractmethod
    async def process(self, photos: Sequence[Decoded]) -> list[R | Exception]:
        """Return a record or an error for each photo, in the order of the photos."""

    @abstractmethod
    def failed(self, failure: FailedAttempt) -> R:
        """Return the record of an attempt that ended without a result."""

    @abstractmethod
    def copied(self, record: R, photo: Photo) -> R:
        """Return the record of a photo identical to one whose record is known."""

    @abstractmethod
    def digest(self, record: R) -> str | None:
        """Return the content hash of a record's file, None where the hash is not known."""

    @abstractmethod
    def may_copy(self, record: R, digest: str) -> bool:
        """Tell whether a record may serve a file of this digest: same content, same model."""

    @abstractmethod
    def usage(self, record: R) -> Usage:
        """Return what a record cost and what to show for the record."""

    @abstractmethod
    def watch(self, error: Exception | None) -> None:
        """Look at how each photo ended; None is a success.

        Raises:
            RunStopped: the next photo would fail for the same reason.
        """


class SoloStage(Stage[R]):
    """A stage in which no photo serves for another, even if the files are identical."""

    def copied(self, record: R, photo: Photo) -> R:
        """Nothing is copied."""
        raise AssertionError(f"{self.name} copies no records")

    def digest(self, record: R) -> str | None:
        """This stage ignores content hashes."""
        return None

    def may_copy(self, record: R, digest: str) -> bool:
        """Nothing may be copied."""
        return False
