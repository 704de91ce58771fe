"""What a job and its decoding processes say to each other, in MessagePack."""

from __future__ import annotations

import struct

import msgspec

from backends.base import PictureSpec
from pipeline.photos.photo import LoadedPhoto

LENGTH = struct.Struct(">I")
"""Stands in front of each message."""


class Request(msgspec.Struct):
    """Asks for one file, by the bytes of its path, in a form of picture."""

    path: bytes
    spec: PictureSpec
    seconds: float


class Reply(msgspec.Struct):
    """Exactly one of the photo, and why there is none."""

    loaded: LoadedPhoto | None = None
    cause: str | None = None


READY = Reply()
"""The first message of a worker that could be started."""
