"""Patch files: what there is for an image, how it is written, and whose it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from backends.encoders.dino_config import DinoConfig
from journal import DiskFull, rewrite
from pipeline.datasets import patch_files
from pipeline.datasets.buckets import BUCKETS
from pipeline.datasets.errors import OtherPatches
from pipeline.datasets.image_ids import is_file_name
from pipeline.datasets.patch_files import (
    Header,
    PatchFiles,
    free_beside,
    move_away,
    read_header,
    read_manifest,
)
from tests.support.datasets import DINO_14, DINO_16, patches_for

SQUARE = (1024, 1024)


@pytest.fixture
def files(tmp_path: Path) -> PatchFiles:
    """Return the patch files of a tiny model, of which there are none yet."""
    made = PatchFiles(tmp_path / "patches", DINO_16)
    made.begin(anew=False)
    return made


def names(directory: Path) -> list[str]:
    """Return what is in a directory."""
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.parametrize("config", [DINO_14, DINO_16])
@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_file_that_was_written_is_whole(
    tmp_path: Path, config: DinoConfig, bucket: tuple[int, int]
) -> None:
    files = PatchFiles(tmp_path / "patches", config)
    files.begin(anew=False)
    files.write("a", patches_for(files, bucket, 0.25))

    assert files.state("a", bucket) == "whole"
    assert files.state("b", bucket) == "missing"
    assert files.path("a").stat().st_size == files.bytes_of(bucket) <= files.bytes_of(None)
    found = np.load(files.path("a"), allow_pickle=False)
    assert (found.shape, found.dtype) == (files.shape(bucket), np.float16)
    assert (found == 0.25).all()
    assert files.path("a").stat().st_mode & 0o777 == 0o600
    assert names(files.directory) == ["a.npy", "patches.json"]


def test_misaligned_files_and_those_of_other_buckets_are_stale(files: PatchFiles) -> None:
    np.save(files.path("old"), np.zeros((196, 1024), np.float16))
    np.save(files.path("wide"), np.zeros((4096, 3), np.float16))
    files.write("turned", patches_for(files, (1280, 768)))

    assert files.state("old", SQUARE) == "stale"
    assert files.state("wide", SQUARE) == "stale"
    assert files.state("turned", SQUARE) == "stale"


@pytest.mark.parametrize("length", [0, 1, 10, 127, 128, 129, -1, -2, -4096])
def test_what_is_cut_off_is_truncated(files: PatchFiles, length: int) -> None:
    files.write("a", patches_for(files, SQUARE))
    path = files.path("a")
    os.truncate(path, length if length >= 0 else path.stat().st_size + length)

    assert files.state("a", SQUARE) == "truncated"


def swap(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """Return what replaces some bytes that are there."""

    def change(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)

    return change


LIES: dict[str, Callable[[bytes], bytes]] = {
    "garbage": lambda data: os.urandom(len(data)),
    "NUL": lambda data: bytes(len(data)),
    "longer": lambda data: data + b"\0\0",
    "other dtype": swap(b"<f2", b"<f4"),
    "other order": swap(b"False", b"True "),
    "big-endian": swap(b"<f2", b">f2"),
    "no magic": swap(b"\x93NUMPY", b"\x93NUMPI"),
    "one dimension": swap(b"(4096, 2)", b"(8192,)  "),
    "a header that ends elsewhere": swap(b"v\0{", b"f\0{"),
    "text": lambda data: b"<html>" * 100,
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_headers_that_lie_are_not_believed(
    files: PatchFiles, lie: Callable[[bytes], bytes]
) -> None:
    files.write("a", patches_for(files, SQUARE))
    files.path("a").write_bytes(lie(files.path("a").read_bytes()))

    assert files.state("a", SQUARE) == "truncated"


@pytest.mark.parametrize("shape", [b"(9096, 2)", b"(0, 99999)", b"(4096, 9)"])
def test_a_header_of_another_shape_is_stale(files: PatchFiles, shape: bytes) -> None:
    files.write("a", patches_for(files, SQUARE))
    data = files.path("a").read_bytes()
    padding = b" " * (len(shape) - len(b"(4096, 2)"))
    changed = data.replace(b"(4096, 2), }" + padding, shape + b", }", 1)
    assert len(changed) == len(data)
    files.path("a").write_bytes(changed)

    assert files.state("a", SQUARE) == "stale"


def test_what_is_no_file_has_no_header(tmp_path: Path) -> None:
    (tmp_path / "folder.npy").mkdir()

    assert read_header(tmp_path / "folder.npy") is None
    assert read_header(tmp_path / "absent.npy") is None


def test_files_of_later_numpy_formats_are_read(tmp_path: Path) -> None:
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array(file, np.zeros((5, 7), np.float16), version=(2, 0))

    assert read_header(tmp_path / "a.npy") == Header((5, 7), True)


def test_pickles_are_never_loaded(files: PatchFiles) -> None:
    np.save(files.path("a"), np.array([{"x": 1}], dtype=object), allow_pickle=True)

    assert files.state("a", SQUARE) == "truncated"


def test_writing_replaces_and_leaves_no_litter(files: PatchFiles) -> None:
    files.write("a", patches_for(files, SQUARE, 1))
    files.write("a", patches_for(files, SQUARE, 2))

    assert (np.load(files.path("a")) == 2).all()
    assert names(files.directory) == ["a.npy", "patches.json"]


def test_a_write_that_fails_leaves_what_was_there(
    files: PatchFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.backup = files.directory / "backup"
    files.write("a", patches_for(files, SQUARE, 1))

    def fail(file: Any, array: Any, **options: Any) -> None:
        file.write(b"half")
        raise OSError("broken")

    monkeypatch.setattr(np, "save", fail)
    with pytest.raises(OSError, match="broken"):
        files.write("a", patches_for(files, SQUARE, 2))
    assert files.state("a", SQUARE) == "whole"
    assert names(files.directory) == ["a.npy", "patches.json"]


def test_without_room_for_a_file_the_old_one_stays(
    files: PatchFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write("a", patches_for(files, SQUARE, 1))
    monkeypatch.setattr(rewrite, "free_bytes", lambda directory: 16_000)

    with pytest.raises(DiskFull, match=r"needed 16,512 bytes and 16,000 are free"):
        files.write("a", patches_for(files, SQUARE, 2))
    assert (np.load(files.path("a")) == 1).all()


def test_backups_are_kept_under_names_that_are_free(files: PatchFiles, tmp_path: Path) -> None:
    files.backup = tmp_path / "backup"
    for value in range(4):
        files.write("a", patches_for(files, SQUARE, value))

    assert names(files.backup) == ["a.2.npy", "a.3.npy", "a.npy"]
    kept = [np.load(files.backup / name)[0, 0] for name in ("a.npy", "a.2.npy", "a.3.npy")]
    assert kept == [0, 1, 2]
    assert (np.load(files.path("a")) == 3).all()
    assert files.backup.stat().st_mode & 0o077 == 0


def test_a_file_moves_to_a_directory_that_is_made_for_it(tmp_path: Path) -> None:
    (tmp_path / "a.b.npy").write_bytes(b"1")
    move_away(tmp_path / "a.b.npy", tmp_path / "not" / "there" / "yet")

    assert (tmp_path / "not/there/yet/a.b.npy").read_bytes() == b"1"
    assert not (tmp_path / "a.b.npy").exists()


@pytest.mark.parametrize(
    "image_id", ["", ".", "..", "../a", "a/b", "/etc/passwd", "a\0b", "x" * 252]
)
def test_ids_that_cannot_name_a_file_touch_nothing(files: PatchFiles, image_id: str) -> None:
    for use in (
        lambda: files.path(image_id),
        lambda: files.state(image_id, SQUARE),
        lambda: files.write(image_id, patches_for(files, SQUARE)),
    ):
        with pytest.raises(ValueError, match="cannot name a file"):
            use()
    assert names(files.directory) == ["patches.json"]


@pytest.mark.parametrize("letter", ["x", "é", "😀"], ids=["1 byte", "2 bytes", "4 bytes"])
def test_the_longest_ids_can_be_written(
    files: PatchFiles, monkeypatch: pytest.MonkeyPatch, letter: str
) -> None:
    """A temporary name is longer than the id, by the number of the process among others."""
    longest = max(filter(is_file_name, (letter * count for count in range(1, 256))), key=len)
    monkeypatch.setattr(os, "getpid", lambda: 4_194_304)
    files.write(longest, patches_for(files, SQUARE))

    assert files.state(longest, SQUARE) == "whole"


def test_the_manifest_says_whose_the_files_are(files: PatchFiles) -> None:
    found = read_manifest(files.directory)

    assert found is not None
    assert found.config() == DINO_16
    assert (files.directory / "patches.json").stat().st_mode & 0o777 == 0o600
    assert files.directory.stat().st_mode & 0o777 == 0o700


def test_the_same_model_goes_on_without_a_write(files: PatchFiles) -> None:
    before = (files.directory / "patches.json").stat()
    PatchFiles(files.directory, DINO_16).begin(anew=False)

    assert (files.directory / "patches.json").stat().st_mtime_ns == before.st_mtime_ns
    assert (files.directory / "patches.json").stat().st_ino == before.st_ino


def test_another_model_of_the_same_shape_is_refused(files: PatchFiles) -> None:
    other = PatchFiles(files.directory, msgspec.structs.replace(DINO_16, model="another"))
    before = (files.directory / "patches.json").read_bytes()

    with pytest.raises(OtherPatches, match=r"by tiny-16.* by another; --redo patches"):
        other.begin(anew=False)
    assert (files.directory / "patches.json").read_bytes() == before
    other.begin(anew=True)
    found = read_manifest(files.directory)
    assert found is not None
    assert found.model == "another"
    assert found.unfinished
    with pytest.raises(OtherPatches):
        other.begin(anew=False)
    assert other.finish(set()) == len(list(files.directory.glob("of-another-model/*.npy")))
    other.begin(anew=False)


@pytest.mark.parametrize("change", [{"leading_tokens": 1}, {"model_type": "dinov2"}])
def test_the_same_model_read_otherwise_is_another(
    files: PatchFiles, change: dict[str, Any]
) -> None:
    other = PatchFiles(files.directory, msgspec.structs.replace(DINO_16, **change))

    with pytest.raises(OtherPatches):
        other.begin(anew=False)


@pytest.mark.parametrize("config", [DINO_14, msgspec.structs.replace(DINO_16, width=4)])
def test_another_model_of_another_shape_takes_over(files: PatchFiles, config: DinoConfig) -> None:
    files.write("a", patches_for(files, SQUARE))
    other = PatchFiles(files.directory, config)
    other.begin(anew=False)

    found = read_manifest(files.directory)
    assert found is not None
    assert found.config() == config
    assert other.state("a", SQUARE) == "stale"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", "\xff", '{"version":2,"model":"x"}', '{"patch_size":0}']
)
def test_a_manifest_that_says_nothing_is_written_anew(tmp_path: Path, text: str) -> None:
    (tmp_path / "patches.json").write_bytes(text.encode("latin-1"))
    assert read_manifest(tmp_path) is None
    PatchFiles(tmp_path, DINO_16).begin(anew=False)

    found = read_manifest(tmp_path)
    assert found is not None
    assert found.config() == DINO_16


def test_a_manifest_without_a_patch_size_is_none(files: PatchFiles) -> None:
    path = files.directory / "patches.json"
    path.write_bytes(path.read_bytes().replace(b'"patch_size": 16', b'"patch_size": 0'))

    assert read_manifest(files.directory) is None


def test_a_disk_without_room_is_told_before_the_first_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = PatchFiles(tmp_path / "not" / "there", DINO_16)
    needed = 3 * files.bytes_of(SQUARE)
    asked: list[Path] = []

    def free(directory: Path) -> int:
        asked.append(directory)
        return needed - 1

    monkeypatch.setattr(patch_files, "free_bytes", free)
    with pytest.raises(DiskFull, match=rf"needed {needed:,} bytes and {needed - 1:,} are free"):
        files.require_room(needed)
    files.require_room(needed - 1)
    assert asked == [tmp_path, tmp_path]
    assert names(tmp_path) == []


def test_a_file_of_dinov3_large_takes_what_the_spec_says(tmp_path: Path) -> None:
    large = PatchFiles(tmp_path, DinoConfig("large", "dinov2", 14, 1024, 1))

    assert large.bytes_of(None) == large.bytes_of(SQUARE) == 5329 * 1024 * 2 + 128
    assert free_beside(tmp_path / "x" / "y") > 0


def test_files_that_could_not_be_made_anew_are_moved_away(files: PatchFiles) -> None:
    for image_id in ("kept", "left"):
        files.write(image_id, patches_for(files, (1216, 832)))
    other = PatchFiles(files.directory, msgspec.structs.replace(DINO_16, model="another"))
    other.begin(anew=True)
    other.write("kept", patches_for(other, (1216, 832)))

    assert other.finish({"kept"}) >= 1
    assert other.state("left", (1216, 832)) == "missing"
    assert (files.directory / "of-another-model" / "left.npy").exists()
    assert other.state("kept", (1216, 832)) == "whole"
    other.require_ours()


def test_what_is_waited_on_for_ever_is_no_patch_file(files: PatchFiles) -> None:
    os.mkfifo(files.path("a"))
    assert files.state("a", (1216, 832)) == "truncated"


def test_a_model_of_another_revision_is_another(files: PatchFiles) -> None:
    later = PatchFiles(files.directory, DINO_16, revision="v2")
    with pytest.raises(OtherPatches, match="tiny-16@v2"):
        later.require_ours()
