"""The digest of a whole file, by which identical and changed photos are known."""

from __future__ import annotations

import os
from pathlib import Path

from journal import NotOurs, open_regular

READ_BYTES = 1 << 20


def file_digest(path: str | bytes) -> str | None:
    """Return `blake3:` and the hash of a file's bytes, None where the file cannot be read.

    A file that grows meanwhile is read up to the size that it had.
    """
    from blake3 import blake3  # a plan of unchanged photos hashes nothing

    hasher = blake3()
    try:
        with open_regular(Path(os.fsdecode(path))) as file:
            left = os.fstat(file.fileno()).st_size
            while left and (data := file.read(min(left, READ_BYTES))):
                hasher.update(data)
                left -= len(data)
    except (OSError, NotOurs):
        return None
    return f"blake3:{hasher.hexdigest()}"
