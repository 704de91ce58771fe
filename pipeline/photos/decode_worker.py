"""A decoding process: answers requests from its standard input until that ends.

What a decoder library prints, leaks, crashes or hangs stays in here. Started by
`decoder.py`, with standard error closed to the terminal.
"""

from __future__ import annotations

import fcntl
import os
import resource
import signal
from contextlib import suppress
from typing import BinaryIO

import msgspec

from pipeline.photos.errors import CorruptImageError
from pipeline.photos.images import load_photo
from pipeline.photos.messages import LENGTH, READY, Reply, Request

MEMORY_BYTES = 3 << 30
"""Address space of a decoding process: what 256 megapixels of JPEG take, and some."""

PIPE_BYTES = 1 << 20
"""The most an ordinary user may ask for."""


def answer(request: Request) -> Reply:
    """Decode one file, under a watch that ends the process when it takes too long."""
    signal.setitimer(signal.ITIMER_REAL, request.seconds)
    try:
        return Reply(loaded=load_photo(os.fsdecode(request.path), request.spec))
    except CorruptImageError as error:
        return Reply(cause=error.cause)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def send(replies: BinaryIO, message: Reply) -> None:
    """Write one message with its length in front."""
    data = msgspec.msgpack.encode(message)
    replies.write(LENGTH.pack(len(data)))
    replies.write(data)
    replies.flush()


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer requests until there are no more."""
    decode = msgspec.msgpack.Decoder(Request).decode
    send(replies, READY)
    while header := requests.read(LENGTH.size):
        request = decode(requests.read(*LENGTH.unpack(header)))
        send(replies, answer(request))


def main() -> None:
    """Serve standard input and output, which no decoder library gets to see."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    replies = os.dup(1)
    os.dup2(2, 1)
    if hasattr(fcntl, "F_SETPIPE_SZ"):  # Linux: a picture in few reads instead of dozens
        fcntl.fcntl(replies, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    with open(0, "rb") as requests, open(replies, "wb") as answers, suppress(BrokenPipeError):
        serve(requests, answers)  # until the owner closes its end, or is gone


if __name__ == "__main__":
    main()
