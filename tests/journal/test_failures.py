"""Failures of the system as people read them: a path, what is wrong, a way out."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from journal import atomic_rewrite, named, what_failed

COMMON = [
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG),
    *(errno.ELOOP, errno.EMFILE, errno.ENFILE, errno.ENOENT, errno.ENOTDIR, errno.EISDIR),
    *(errno.EIO, errno.ESTALE, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.ETIMEDOUT),
]


@pytest.mark.parametrize("number", COMMON)
def test_every_failure_has_a_path_and_a_way_out(number: int) -> None:
    words = what_failed(OSError(number, os.strerror(number), "/some/where"))

    assert words.startswith(f"/some/where: {os.strerror(number)}; ")
    assert "[Errno" not in words
    assert len(words.partition("; ")[2]) > 10


def test_both_paths_of_a_failed_move_are_told() -> None:
    moved = OSError(errno.EXDEV, "Invalid cross-device link", "/one", None, "/other")

    assert what_failed(moved).startswith("/one to /other: Invalid cross-device link; ")


def test_a_sentence_of_ours_stays_as_it_is() -> None:
    assert what_failed(OSError("x cannot be written: full")) == "x cannot be written: full"


def test_a_failed_write_names_its_file(tmp_path: Path) -> None:
    target = tmp_path / "report.csv"
    with pytest.raises(OSError, match="Input/output") as failed, atomic_rewrite(target):
        raise OSError(errno.EIO, "Input/output error")

    assert str(target) in what_failed(failed.value)


def test_the_path_that_the_system_tells_is_kept() -> None:
    with pytest.raises(FileNotFoundError) as failed, named("/outer"):
        os.stat("/no/such/file")

    assert failed.value.filename == "/no/such/file"
