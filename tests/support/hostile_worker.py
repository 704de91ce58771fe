"""The decoding process, with a decoder that crashes, hangs, prints or uses up memory on request.

No file is known that makes a real decoder do so; the process, its death and its
replacement are real.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from backends.base import PictureSpec
from pipeline.photos import decode_worker
from pipeline.photos.errors import CorruptImageError
from pipeline.photos.images import load_photo
from pipeline.photos.photo import LoadedPhoto


def hostile_load(path: str | Path, spec: PictureSpec) -> LoadedPhoto:
    """Load a photo, unless the name of the photo asks for a fault."""
    name = Path(path).name
    if "crash" in name:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "hang" in name:
        while True:
            signal.sigwait([signal.SIGUSR1])
    if "shout" in name:
        os.write(1, b"decoder on stdout\n")
        os.write(2, b"decoder on stderr\n")
    if "devour" in name:
        try:
            bytearray(8 << 30)
        except MemoryError:
            raise CorruptImageError(name, "MemoryError: too much") from None
    return load_photo(path, spec)


if __name__ == "__main__":
    vars(decode_worker)["load_photo"] = hostile_load
    decode_worker.main()
