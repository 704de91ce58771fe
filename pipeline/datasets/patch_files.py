"""Patch features on disk: one `.npy` per image, and a manifest that names their model."""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Callable, Container
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from backends.encoders.dino_config import DinoConfig
from journal import (
    UNREADABLE,
    DiskFull,
    atomic_rewrite,
    clear_leftovers,
    free_bytes,
    sync_directory,
)
from pipeline.datasets.buckets import BUCKETS
from pipeline.datasets.errors import OtherPatches
from pipeline.datasets.image_ids import is_file_name
from pipeline.datasets.patch_grid import patch_count
from pipeline.photos.geometry import Size

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MANIFEST = "patches.json"
VERSION = 1

HEADER_BYTES = 128
"""Length of the header of a `.npy` with a shape as short as ours (NEP 1: a multiple of 64)."""

BYTES_OF_FLOAT16 = 2

_HEADER = re.compile(
    rb"\x93NUMPY(?:\x01\x00(..)|[\x02\x03]\x00(....))\{'descr': '<f2', 'fortran_order': False, "
    rb"'shape': \((\d+), (\d+)\), \} *\n",
    re.DOTALL,
)

PatchState = Literal["whole", "missing", "stale", "truncated"]


class PatchManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What the patch files are: `patches.json`.

    Attributes:
        version: Version of the format.
        model: The model whose features they are.
        revision: Revision of the model, where one was named.
        model_type: Architecture of the model.
        patch_size: Patch size of the model in pixels.
        width: Number of features of a patch.
        leading_tokens: Number of class and register tokens that were left out.
        dtype: Type of the numbers in the arrays, whose shape is (patches, width).
        unfinished: Whether some files are still another model's, until all are made anew.
    """

    version: int = VERSION
    model: str
    model_type: str
    patch_size: int
    width: int
    leading_tokens: int
    revision: str | None = None
    dtype: Literal["float16"] = "float16"
    unfinished: bool = False

    @property
    def maker(self) -> str:
        """The model and its revision, as one name."""
        return name_of(self.model, self.revision)

    def config(self) -> DinoConfig:
        """Return what of the model's configuration matters here."""
        return DinoConfig(
            model=self.model,
            model_type=self.model_type,
            patch_size=self.patch_size,
            width=self.width,
            leading_tokens=self.leading_tokens,
        )


def name_of(model: str, revision: str | None) -> str:
    """Return a model and its revision as one name, such as `facebook/dinov2-large@main`."""
    return f"{model}@{revision}" if revision else model


class Header(NamedTuple):
    """The shape that a file claims for its array, and whether the file has the length for it."""

    shape: tuple[int, int]
    whole: bool


class PatchFiles:
    """The patch files of a dataset, for one model.

    Args:
        directory: Directory of the files; it need not exist yet.
        config: The model's configuration.
        backup: Directory for files that are about to be replaced, None to keep none of them.
        revision: Revision of the model, where one is named.
    """

    def __init__(
        self,
        directory: Path,
        config: DinoConfig,
        backup: Path | None = None,
        revision: str | None = None,
    ) -> None:
        self.directory = directory
        self.config = config
        self.backup = backup
        self.revision = revision

    def path(self, image_id: str) -> Path:
        """Return the path of the patches of an image.

        Raises:
            ValueError: the id cannot name a file.
        """
        if not is_file_name(image_id):
            raise ValueError(f"image_id {image_id[:80]!r} cannot name a file")
        return self.directory / f"{image_id}.npy"

    def shape(self, bucket: Size) -> tuple[int, int]:
        """Return (patches, width) for a bucket."""
        return patch_count(bucket, self.config.patch_size), self.config.width

    def state(self, image_id: str, bucket: Size) -> PatchState:
        """Tell what there is for an image, by header and length alone."""
        return state_of(self.path(image_id), lambda shape: shape == self.shape(bucket))

    def bytes_of(self, bucket: Size | None) -> int:
        """Return the size of a file in bytes; without a bucket, the size of the largest file."""
        count = max(map(self._patches, BUCKETS)) if bucket is None else self._patches(bucket)
        return HEADER_BYTES + count * self.config.width * BYTES_OF_FLOAT16

    def _patches(self, bucket: Size) -> int:
        return patch_count(bucket, self.config.patch_size)

    def begin(self, *, anew: bool) -> None:
        """Name the model of the files in the manifest, before the first file is written.

        Args:
            anew: Whether all files are about to be made anew, so that they may change hands.

        Raises:
            OtherPatches: the files that are there are another model's.
        """
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        clear_leftovers(self.directory)
        found = read_manifest(self.directory)
        if not anew:
            self.require_ours()
        if found is None or not self._is_ours(found):
            self._write_manifest(unfinished=found is not None and self._mixes_with(found))

    def require_ours(self) -> None:
        """Make sure that files of the right shape are this model's.

        Raises:
            OtherPatches: some files are another model's, and cannot be told apart.
        """
        found = read_manifest(self.directory)
        if found is not None and self._mixes_with(found):
            raise OtherPatches(
                self.directory, found.maker, name_of(self.config.model, self.revision)
            )

    def _mixes_with(self, found: PatchManifest) -> bool:
        """Tell whether a manifest is of files that cannot be told from ours by their shape."""
        same_shapes = (found.patch_size, found.width) == (self.config.patch_size, self.config.width)
        return found.unfinished or (same_shapes and not self._is_ours(found))

    def _is_ours(self, found: PatchManifest) -> bool:
        return (found.config(), found.revision) == (self.config, self.revision)

    def finish(self, remade: Container[str | None]) -> int:
        """Note that all files are this model's; files that were not made anew are moved away.

        Args:
            remade: Ids of the images whose files are this model's.

        Returns:
            How many files were moved away.
        """
        found = read_manifest(self.directory)
        if found is None or not found.unfinished:
            return 0
        left = [path for path in self.directory.glob("*.npy") if path.stem not in remade]
        for path in left:
            move_away(path, self.replaced)
        self._write_manifest(unfinished=False)
        return len(left)

    @property
    def replaced(self) -> Path:
        """Where files of another model go that could not be made anew."""
        return self.backup or self.directory / "of-another-model"

    def bytes_to_come(self, image_id: str | None, bucket: Size | None) -> int:
        """Return how much more room the file of an image will take than the one it replaces."""
        size = self.bytes_of(bucket)
        if self.backup is not None or image_id is None:
            return size
        try:
            return max(0, size - self.path(image_id).stat().st_size)
        except (OSError, ValueError):
            return size

    def _write_manifest(self, *, unfinished: bool) -> None:
        config = msgspec.structs.asdict(self.config)
        manifest = PatchManifest(**config, revision=self.revision, unfinished=unfinished)
        with atomic_rewrite(self.directory / MANIFEST) as file:
            file.write(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")

    def write(self, image_id: str, patches: NDArray[np.float16]) -> None:
        """Write one file under a temporary name, then rename it; what was there is replaced.

        Args:
            image_id: Id that names the file.
            patches: Features of shape (patches, width).

        Raises:
            DiskFull: there is no room; what was there is as it was.
            ValueError: the id cannot name a file.
        """
        import numpy as np

        path = self.path(image_id)
        with atomic_rewrite(path, needed=HEADER_BYTES + patches.nbytes) as file:
            np.save(file, patches, allow_pickle=False)
            if self.backup is not None and path.exists():
                keep_copy(path, self.backup)

    def require_room(self, needed: int) -> None:
        """Make sure that there is room for all files to come, before the first of them.

        Raises:
            DiskFull: there is too little room.
        """
        free = free_beside(self.directory)
        if needed > free:
            raise DiskFull(self.directory, needed, free)


def free_beside(directory: Path) -> int:
    """Return the bytes that are free for a directory, which need not exist yet."""
    above = (directory, *directory.absolute().parents)
    return free_bytes(next(place for place in above if place.is_dir()))


def move_away(path: Path, directory: Path) -> None:
    """Move a file to a directory, under a name that nothing there has."""
    keep_copy(path, directory)
    path.unlink()


def keep_copy(path: Path, directory: Path) -> None:
    """Keep what a file holds in a directory, under a name that nothing there has."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    target, number = directory / path.name, 1
    while target.exists():
        number += 1
        target = directory / f"{path.stem}.{number}{path.suffix}"
    try:
        os.link(path, target)
    except OSError:  # another file system, or one without links
        with atomic_rewrite(target, needed=path.stat().st_size) as copy, path.open("rb") as file:
            shutil.copyfileobj(file, copy)
    sync_directory(directory)


def read_manifest(directory: Path) -> PatchManifest | None:
    """Return the manifest of a directory, None where there is none that can be read."""
    try:
        found = msgspec.json.decode((directory / MANIFEST).read_bytes(), type=PatchManifest)
    except (OSError, *UNREADABLE):
        return None
    return found if found.version == VERSION and found.patch_size > 0 else None


def state_of(path: Path, fits: Callable[[tuple[int, int]], bool]) -> PatchState:
    """Tell what there is at a path, by header and length alone.

    Args:
        path: Path of a patch file.
        fits: Tells whether a shape is the wanted one.
    """
    header = read_header(path)
    if header is None:
        return "truncated" if path.exists() else "missing"
    if not fits(header.shape):
        return "stale"
    return "whole" if header.whole else "truncated"


def read_header(path: Path) -> Header | None:
    """Return header and completeness of a patch file, None where it holds no array of ours."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):  # a FIFO would be waited on for ever
                return None
            start, length = file.read(2 * HEADER_BYTES), status.st_size
    except OSError:
        return None
    found = _HEADER.match(start)
    if found is None:
        return None
    length_field = found[1] or found[2]
    begins = found.start(1 if found[1] else 2) + len(length_field)
    if begins + int.from_bytes(length_field, "little") != found.end():
        return None
    shape = int(found[3]), int(found[4])
    return Header(shape, length == found.end() + shape[0] * shape[1] * BYTES_OF_FLOAT16)
