"""The messages between a job and its decoding processes, in MessagePack."""

from __future__ import annotations

import msgspec

from backends.base import PictureSpec
from pipeline.photos.errors import CorruptImageError, StorageError
from pipeline.photos.photo import LoadedPhoto


class DecodeRequest(msgspec.Struct, tag=True):
    """Asks for the picture in one file, or without a `spec` for the size of the picture.

    Attributes:
        root: The photos directory.
        path: The file.
        spec: The form of picture wanted.
        seconds: Most seconds that the answer may take.
    """

    root: bytes
    path: bytes
    spec: PictureSpec | None
    seconds: float


class StorageQuestion(msgspec.Struct, tag=True):
    """Asks whether the disk or share that holds a directory answers; any reply says yes."""

    directory: bytes


class DecodeReply(msgspec.Struct):
    """The photo, or its width and height, or the reason why there is neither.

    Attributes:
        loaded: The photo.
        size: Width and height in pixels.
        cause: `Type: message` of the error.
        blames_storage: True when the error says nothing of the file.
        photos_gone: True when the whole photos directory is empty or gone.
    """

    loaded: LoadedPhoto | None = None
    size: tuple[int, int] | None = None
    cause: str | None = None
    blames_storage: bool = False
    photos_gone: bool = False

    def error(self, path: str) -> CorruptImageError:
        """Return the error of a reply without a result."""
        kind = StorageError if self.blames_storage else CorruptImageError
        return kind(path, self.cause or "no reason given", photos_gone=self.photos_gone)


READY = DecodeReply()
"""The first message of a worker that could be started."""
