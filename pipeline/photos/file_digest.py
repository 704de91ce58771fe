"""The digest of a whole file, by which identical and changed photos are known."""

from __future__ import annotations

import os


def file_digest(path: str | bytes) -> str | None:
    """Return `blake3:` and the hash of a file's bytes, None where the file cannot be read."""
    from blake3 import blake3  # a plan of unchanged photos hashes nothing

    hasher = blake3()
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb", buffering=0) as file:  # a FIFO gives no bytes
            while data := file.read(1 << 20):
                hasher.update(data)
    except OSError:
        return None
    return f"blake3:{hasher.hexdigest()}"
