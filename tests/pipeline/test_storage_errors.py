"""Errors of reading that say nothing of the photo."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest

from backends.base import PictureSpec
from pipeline.photos.errors import CorruptImageError, StorageError, is_storage_error
from pipeline.photos.file_digest import file_digest
from pipeline.photos.images import load_photo

SPEC = PictureSpec(max_edge=64)


@pytest.mark.parametrize("code", [errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.ENOTCONN])
def test_errors_of_the_storage(code: int) -> None:
    assert is_storage_error(OSError(code, "it fails"), "/photo.jpg")


@pytest.mark.parametrize("code", [errno.EACCES, errno.EISDIR, errno.ELOOP])
def test_errors_of_the_file(code: int) -> None:
    assert not is_storage_error(OSError(code, "it fails"), "/photo.jpg")


def test_a_file_that_is_gone_says_nothing_of_the_photo(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        load_photo(tmp_path / "gone.jpg", SPEC)


def test_a_link_to_nowhere_is_broken(tmp_path: Path) -> None:
    (tmp_path / "link.jpg").symlink_to(tmp_path / "nowhere.jpg")
    with pytest.raises(CorruptImageError) as caught:
        load_photo(tmp_path / "link.jpg", SPEC)
    assert not isinstance(caught.value, StorageError)


def test_a_socket_is_broken_and_not_out_of_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the address of a socket may not be long
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("s.jpg")
        with pytest.raises(CorruptImageError) as caught:
            load_photo("s.jpg", SPEC)
    assert not isinstance(caught.value, StorageError)


def test_what_is_no_file_has_no_digest(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.jpg")
    (tmp_path / "endless.jpg").symlink_to("/dev/zero")
    (tmp_path / "file.jpg").write_bytes(b"photo")

    assert file_digest(str(tmp_path / "fifo.jpg")) is None
    assert file_digest(str(tmp_path / "endless.jpg")) is None
    assert str(file_digest(str(tmp_path / "file.jpg"))).startswith("blake3:")
