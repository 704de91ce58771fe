"""A decoding process: answers requests from its standard input until the input ends.

A decoder library that prints, leaks, crashes or hangs does so in this process only.
`decoder.py` starts the process, with a standard error that does not reach the terminal.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

from backends.helper_server import serving
from pipeline.photos.errors import CorruptImageError, StorageError
from pipeline.photos.images import load_photo, read_size
from pipeline.photos.memory import MemoryLimit, limit_memory, may_lack_memory
from pipeline.photos.messages import READY, DecodeReply, DecodeRequest, StorageQuestion
from pipeline.photos.walk import is_empty_or_gone


def answer(request: DecodeRequest, limit: MemoryLimit) -> DecodeReply:
    """Decode one file.

    The owner watches the clock and ends a process that takes too long. The alarm is for a
    process whose owner is gone, and comes later.
    """
    signal.setitimer(signal.ITIMER_REAL, 2 * request.seconds)
    path = os.fsdecode(request.path)
    try:
        if request.spec is None:
            return DecodeReply(size=read_size(path))
        return DecodeReply(loaded=load_photo(path, request.spec))
    except CorruptImageError as error:
        too_little = _lacks_memory(error, path, limit)
        return DecodeReply(
            cause=f"MemoryError: {_too_little(limit)}" if too_little else error.cause,
            blames_storage=too_little or isinstance(error, StorageError),
            # Asked here, since a share that does not answer would hold up the whole job.
            photos_gone=is_empty_or_gone(Path(os.fsdecode(request.root))),
        )
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _lacks_memory(error: CorruptImageError, path: str, limit: MemoryLimit) -> bool:
    """Tell whether a limit that is not ours may be why a photo could not be decoded."""
    if isinstance(error.__cause__, MemoryError) or not limit.is_lowered:
        return limit.is_lowered
    try:
        width, height = read_size(path)
    except CorruptImageError:
        return False
    return may_lack_memory(limit, width * height)


def _too_little(limit: MemoryLimit) -> str:
    return f"decoding needs more than {limit}; {limit.remedy}"


def ask_storage(question: StorageQuestion) -> DecodeReply:
    """Ask a disk or share for its size, which no cache of the system answers in its place."""
    with suppress(OSError):
        os.statvfs(question.directory)
    return DecodeReply()


def main() -> None:
    """Serve standard input and output, which no decoder library gets to see."""
    limit = limit_memory()
    with serving(DecodeRequest | StorageQuestion) as owner:
        owner.send(READY)
        for request in owner.requests:
            is_question = isinstance(request, StorageQuestion)
            owner.send(ask_storage(request) if is_question else answer(request, limit))


if __name__ == "__main__":
    main()
