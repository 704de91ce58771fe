"""A decoding process: answers requests on a socket until its owner closes it.

What a decoder library prints, leaks, crashes or hangs stays in here. Started as
`python -P -m pipeline.photos.decode_worker DESCRIPTOR` by `decoder.py`.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import struct
import sys
from contextlib import suppress
from io import BufferedRWPair

import msgspec

from backends.base import PictureSpec
from pipeline.photos.errors import CorruptImageError
from pipeline.photos.images import load_photo
from pipeline.photos.photo import LoadedPhoto

MEMORY_BYTES = 3 << 30
"""Address space of a decoding process: what 256 megapixels of JPEG take, and some."""

LENGTH = struct.Struct(">I")


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


def answer(request: Request) -> Reply:
    """Decode one file, under a watch that ends the process when it takes too long."""
    signal.setitimer(signal.ITIMER_REAL, request.seconds)
    try:
        return Reply(loaded=load_photo(os.fsdecode(request.path), request.spec))
    except CorruptImageError as error:
        return Reply(cause=error.cause)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def send(stream: BufferedRWPair, message: Reply) -> None:
    """Write one message with its length in front."""
    data = msgspec.msgpack.encode(message)
    stream.write(LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def serve(stream: BufferedRWPair) -> None:
    """Answer requests until the stream ends."""
    decode = msgspec.msgpack.Decoder(Request).decode
    send(stream, READY)
    while header := stream.read(LENGTH.size):
        request = decode(stream.read(*LENGTH.unpack(header)))
        send(stream, answer(request))


def main() -> None:
    """Serve the socket whose descriptor is the only argument."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    connection = socket.socket(fileno=int(sys.argv[1]))
    with connection, connection.makefile("rwb") as stream, suppress(ConnectionError):
        serve(stream)  # until the owner closes its end, or is gone


if __name__ == "__main__":
    main()
