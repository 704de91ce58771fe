"""A decoding process: answers requests from its standard input until the input ends.

A decoder library that prints, leaks, crashes or hangs does so in this process only.
`decoder.py` starts the process, with a standard error that does not reach the terminal.
"""

from __future__ import annotations

import os
import resource
import signal
from contextlib import suppress

from backends.helper_server import serving
from pipeline.photos.errors import CorruptImageError, StorageError
from pipeline.photos.images import load_photo, read_size
from pipeline.photos.messages import READY, DecodeReply, DecodeRequest

MEMORY_BYTES = 3 << 30
"""Address space of a decoding process in bytes: enough to decode a JPEG of 256 megapixels."""


def answer(request: DecodeRequest) -> DecodeReply:
    """Decode one file; an alarm ends the process if that takes longer than `request.seconds`."""
    signal.setitimer(signal.ITIMER_REAL, request.seconds)
    path = os.fsdecode(request.path)
    try:
        if request.spec is None:
            return DecodeReply(size=read_size(path))
        return DecodeReply(loaded=load_photo(path, request.spec))
    except CorruptImageError as error:
        return DecodeReply(cause=error.cause, blames_storage=isinstance(error, StorageError))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def main() -> None:
    """Serve standard input and output, which no decoder library gets to see."""
    with suppress(ValueError, OSError):  # macOS has no such limit, and refuses to set one
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    with serving(DecodeRequest) as owner:
        owner.send(READY)
        for request in owner.requests:
            owner.send(answer(request))


if __name__ == "__main__":
    main()
