"""The messages between a job and its decoding processes, in MessagePack."""

from __future__ import annotations

import msgspec

from backends.base import PictureSpec
from pipeline.photos.photo import LoadedPhoto


class DecodeRequest(msgspec.Struct):
    """Asks for the picture in one file, or without a `spec` for the size of the picture."""

    path: bytes
    spec: PictureSpec | None
    seconds: float


class DecodeReply(msgspec.Struct):
    """The photo, or its width and height, or the reason why there is neither."""

    loaded: LoadedPhoto | None = None
    size: tuple[int, int] | None = None
    cause: str | None = None


READY = DecodeReply()
"""The first message of a worker that could be started."""
