"""Replacing a file whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from journal import DiskFull, atomic_rewrite


def test_new_content_takes_the_place_of_the_old_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("old")
    path.chmod(0o640)
    with atomic_rewrite(path) as file:
        file.write(b"new")
        assert path.read_text() == "old"

    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_new_file_is_private(tmp_path: Path) -> None:
    with atomic_rewrite(tmp_path / "f") as file:
        file.write(b"x")

    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o600


def test_error_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("old")

    def fail_halfway() -> None:
        with atomic_rewrite(path) as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_halfway()

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_too_little_space_is_told_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("old")
    with (
        pytest.raises(DiskFull, match=r"needed 1,000,000,000,000,000 bytes"),
        atomic_rewrite(path, needed=10**15),
    ):
        pass

    assert path.read_text() == "old"
