"""The digest of a whole file, by which identical and changed photos are known."""

from __future__ import annotations

import os
import stat

READ_BYTES = 1 << 20


def file_digest(path: str | bytes) -> str | None:
    """Return `blake3:` and the hash of a file's bytes.

    A file that grows meanwhile is hashed as long as it was when it was opened.

    Returns:
        None where the file cannot be read, and for a FIFO, a device or a socket.
    """
    from blake3 import blake3  # a plan of unchanged photos hashes nothing

    hasher = blake3()
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        with open(descriptor, "rb", buffering=0) as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return None
            left = status.st_size
            while left and (data := file.read(min(left, READ_BYTES))):
                hasher.update(data)
                left -= len(data)
    except OSError:
        return None
    return f"blake3:{hasher.hexdigest()}"
