"""The decoding process, with a decoder that crashes, hangs, prints or uses up memory on request.

No file is known that makes a real decoder do so; the process, its death and its
replacement are real.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import NoReturn

from backends.base import PictureSpec
from pipeline.photos import decode_worker
from pipeline.photos.decode_worker import ask_storage
from pipeline.photos.errors import CorruptImageError
from pipeline.photos.images import load_photo
from pipeline.photos.messages import DecodeReply, StorageQuestion
from pipeline.photos.photo import LoadedPhoto


def hostile_load(path: str | Path, spec: PictureSpec) -> LoadedPhoto:
    """Load a photo, unless the name of the photo asks for a fault."""
    name = Path(path).name
    if "crash" in name:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "hang" in name:
        hang()
    if "spin" in name:
        while True:
            pass
    if "shout" in name:
        os.write(1, b"decoder on stdout\n")
        os.write(2, b"decoder on stderr\n")
    if "devour" in name:
        try:
            bytearray(8 << 30)
        except MemoryError:
            raise CorruptImageError(name, "MemoryError: too much") from None
    return load_photo(path, spec)


def hang() -> NoReturn:
    """Wait for what never comes, as a read from a share that is gone does."""
    while True:
        signal.sigwait([signal.SIGUSR1])


def hostile_ask_storage(question: StorageQuestion) -> DecodeReply:
    """Ask the storage, which hangs if the name of the directory says so."""
    if b"dead" in question.directory:
        hang()
    return ask_storage(question)


if __name__ == "__main__":
    vars(decode_worker).update(load_photo=hostile_load, ask_storage=hostile_ask_storage)
    decode_worker.main()
