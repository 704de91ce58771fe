"""Where vectors live: a memory-mapped array, and beside it a journal of what each row is.

A row is synced before the record that names it, so every record that can be read
has its vector. Rows that no record names any more stay; they cost a kilobyte each.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np
from blake3 import blake3

from journal import (
    Follower,
    WriterLock,
    atomic_rewrite,
    record_key,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backends.embedders.base import Vectors

VERSION = 1

PICTURES = "-pictures"
"""Ends the name of a store of pictures."""


class EmbeddingRecord(msgspec.Struct, omit_defaults=True, kw_only=True, gc=False):
    """Which row holds the vector of a photo.

    Attributes:
        rel_path: POSIX path below the photos directory, in Unicode NFC.
        of: Hash of the caption, or of the picture's file.
        row: Of the array.
        raw_path: Base64 of the path's bytes, only where they are not UTF-8.
        error: Why there is no vector.
    """

    rel_path: str
    of: str
    row: int | None
    raw_path: str | None = None
    error: str | None = None


class Manifest(msgspec.Struct, kw_only=True):
    """What the vectors are: `manifest.json`."""

    version: int = VERSION
    embedder: str
    model: str
    dimensions: int
    dtype: Literal["float32"] = "float32"
    unit_length: bool = True


class VectorStore:
    """The vectors of one embedder.

    Args:
        directory: `embeddings/NAME` of a workspace.
        of_pictures: Whether its vectors are of pictures, not of captions.

    Attributes:
        held: What each photo's vector is of, and its row, by key.
        row_of: Row by what it is the vector of: equal captions share one.
    """

    def __init__(self, directory: Path, *, of_pictures: bool = False) -> None:
        self.directory = directory
        self.of_pictures = of_pictures
        self.held: dict[str, tuple[str, int]] = {}
        self.row_of: dict[str, int] = {}
        self._manifest_path = directory / "manifest.json"
        self._rows_path = directory / "vectors.f32"
        self._learnt_path = directory / "learnt.bin"
        self.journal = directory / "keys.jsonl"
        self.manifest: Manifest | None = None
        self._made: tuple[int, int] | None = None
        self._start_over()
        self.refresh()

    def _read_manifest(self) -> Manifest | None:
        try:
            manifest = msgspec.json.decode(self._manifest_path.read_bytes(), type=Manifest)
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return None
        return manifest if manifest.version == VERSION and manifest.dimensions > 0 else None

    def _start_over(self) -> None:
        self.held.clear()
        self.row_of.clear()
        self._follower = Follower(self.journal, EmbeddingRecord)

    @property
    def rows(self) -> int:
        """Whole rows in the array."""
        if self.manifest is None or not self._rows_path.exists():
            return 0
        return self._rows_path.stat().st_size // (4 * self.manifest.dimensions)

    def refresh(self) -> None:
        """Take in what was recorded since this was last asked."""
        made = _identity(self._manifest_path)
        if made is None or made != self._made:  # emptied, perhaps by another process
            self._start_over()
            self.manifest, self._made = self._read_manifest(), made
        rows = self.rows
        for _, record in self._follower.poll():
            key = record_key(record.rel_path, record.raw_path)
            if record.row is None or not 0 <= record.row < rows:
                self.held.pop(key, None)
                continue
            self.held[key] = (record.of, record.row)
            self.row_of[record.of] = record.row

    def fits(self, model: str) -> bool:
        """Tell whether the vectors are those of a model, so that more may join them."""
        return self.manifest is not None and self.manifest.model == model

    def vectors(self) -> Vectors:
        """Return the whole array, mapped, not read: shape (rows, dimensions), float32."""
        assert self.manifest is not None
        shape = (self.rows, self.manifest.dimensions)
        if not shape[0]:
            return np.zeros(shape, np.float32)
        return np.memmap(self._rows_path, np.float32, "r", shape=shape)

    def take(self, keys: list[str]) -> tuple[Vectors, NDArray[np.int64]]:
        """Return the distinct vectors of some photos, and for each photo its place among them."""
        rows = np.array([self.held[key][1] for key in keys], np.int64)
        distinct, places = np.unique(rows, return_inverse=True)
        return self.vectors()[distinct], places

    def lock(self) -> WriterLock:
        """Return the lock of whoever writes here.

        Raises:
            JournalLocked: another process makes vectors here.
        """
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return WriterLock(self.journal, f"pcc embed in {self.directory}")

    def empty(self, lock: WriterLock) -> None:
        """Remove everything: the vectors are those of another model, or fit no more."""
        os.ftruncate(lock.descriptor, 0)
        for path in (self._manifest_path, self._rows_path, self._learnt_path):
            path.unlink(missing_ok=True)
        self.manifest = None
        self._start_over()

    def begin(self, manifest: Manifest, learnt: bytes | None = None) -> None:
        """Say what the vectors will be.

        Args:
            manifest: What they will be.
            learnt: What the embedder learnt from the library, None if it learns nothing.
        """
        if learnt is not None:
            _write(self._learnt_path, learnt)
        _write(self._manifest_path, msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
        self.manifest = manifest

    def learnt(self) -> bytes | None:
        """Return what the embedder learnt, None where there is nothing."""
        try:
            return self._learnt_path.read_bytes()
        except OSError:
            return None

    def append(self, vectors: Vectors) -> int:
        """Bring vectors to disk behind the others, and return the row of the first.

        Raises:
            OSError: they cannot be written; what was there is as it was.
        """
        assert self.manifest is not None
        first = self.rows
        data = np.ascontiguousarray(vectors, np.float32).tobytes()
        with open(os.open(self._rows_path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.seek(first * 4 * self.manifest.dimensions)  # over a torn last row
            file.truncate()
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        return first


def store_of(workspace: Path, embedder: str, *, pictures: bool = False) -> VectorStore:
    """Return the store of an embedder in a workspace; that of its pictures stands beside."""
    name = re.sub(r"[^\w.-]", "_", embedder) + (PICTURES if pictures else "")
    return VectorStore(workspace / "embeddings" / name, of_pictures=pictures)


def embedders_with_vectors(workspace: Path) -> list[str]:
    """Return the names of the embedders that have vectors of captions in a workspace."""
    found = []
    for directory in sorted((workspace / "embeddings").glob("*/")):
        manifest = VectorStore(directory).manifest
        if manifest is not None and not directory.name.endswith(PICTURES):
            found.append(manifest.embedder)
    return found


def pictures_store(workspace: Path) -> VectorStore | None:
    """Return vectors of pictures, None where there are none."""
    for directory in sorted((workspace / "embeddings").glob(f"*{PICTURES}/")):
        store = VectorStore(directory, of_pictures=True)
        if store.manifest is not None:
            return store
    return None


def text_hash(text: str) -> str:
    """Return what a caption is known by: equal captions have equal vectors."""
    return blake3(text.encode("utf-8", "surrogatepass")).hexdigest(16)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _write(path: Path, data: bytes) -> None:
    with atomic_rewrite(path, needed=len(data)) as file:
        file.write(data)
