"""Failures of the system in a person's words: which path, what is wrong, and a way out.

Python's own text, `[Errno 28] No space left on device`, names no way out, and no path either
where the file was open already.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ROOM = "free some space, then start again"
_PLACE = "name another place, or take out of the way what is there"
_DISK = "check the disk or the share, then start again"
_ACCESS = "let your user read and write there (ls -l shows who may), or name another place"

_WAYS_OUT = {
    errno.EACCES: _ACCESS,
    errno.EPERM: _ACCESS,
    errno.EROFS: "the file system can only be read; name another place, or mount it for writing",
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EFBIG: "files may not grow as large there; raise the limit, or name another place",
    errno.ENOENT: "it is not there, or no longer; put it back, or name another place",
    errno.ENOTDIR: _PLACE,
    errno.EISDIR: _PLACE,
    errno.EEXIST: _PLACE,
    errno.ENOTEMPTY: _PLACE,
    errno.ENAMETOOLONG: "give it a shorter name, or name a place with a shorter path",
    errno.ELOOP: "its links lead in a circle; remove one of them, or name another place",
    errno.EXDEV: "both must be on one file system; name another place",
    errno.EMFILE: "raise the limit (ulimit -n 4096), then start again",
    errno.ENFILE: "end other programs, then start again",
    errno.ENOMEM: "end other programs, then start again",
    errno.EAGAIN: "end other programs, then start again",
    errno.ENOLCK: "locks do not work there; name a place on a local disk",
    errno.EOPNOTSUPP: "the file system there cannot do that; name a place on a local disk",
    errno.EPIPE: "whoever read the output has gone; start again",
    errno.EBUSY: "another program uses it; wait for its end, then start again",
    errno.ETXTBSY: "another program uses it; wait for its end, then start again",
}


def what_failed(error: OSError) -> str:
    """Return a failure of the system as one line: the path, what is wrong, a way out."""
    if error.errno is None and str(error):
        return str(error)  # not of the system, but a sentence of ours or of a library
    paths = [os.fsdecode(path) for path in (error.filename, error.filename2) if _is_path(path)]
    what = error.strerror or str(error) or type(error).__name__
    way_out = _WAYS_OUT.get(error.errno or 0, _DISK)
    return f"{' to '.join(paths)}{': ' if paths else ''}{what}; {way_out}"


def _is_path(path: object) -> bool:
    return isinstance(path, str | bytes | os.PathLike) and bool(path)


@contextmanager
def named(path: Path | str) -> Iterator[None]:
    """Give a failure of the system a path, where the system does not tell which file it was.

    A write, a sync or a lock knows nothing but the number of an open file.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            error.filename = os.fspath(path)
        raise
