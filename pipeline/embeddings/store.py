"""Where vectors live: a memory-mapped array, and beside it a journal of what each row is.

Rows that no record names any more stay; each costs a kilobyte or two.
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
    UNREADABLE,
    Follower,
    WriterLock,
    atomic_rewrite,
    clear_leftovers,
    journal_kind,
    make_directory,
    read_whole,
    record_key,
    remove,
)
from pipeline.embeddings.row_file import RowFile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from backends.embedders.base import Vectors

VERSION = 1

MOST_DIMENSIONS = 1 << 16
LENGTH_TOLERANCE = 1e-2
"""A manifest is damaged that tells of longer vectors, or by which the first has another length."""

VectorKind = Literal["captions", "labels", "pictures"]
"""What vectors are of: captions, captions with the labels of what was detected, or pictures."""

_ENDINGS: dict[VectorKind, str] = {"captions": "", "labels": "-labels", "pictures": "-pictures"}
"""Endings of the directories of stores."""


class EmbeddingRecord(msgspec.Struct, omit_defaults=True, kw_only=True, gc=False):
    """Which row holds the vector of a photo.

    Attributes:
        rel_path: POSIX path below the photos directory, in Unicode NFC.
        of: Hash of the caption, or of the file of the picture.
        row: Row of the array, None without a vector.
        raw_path: Base64 of the path's bytes, only where they are not UTF-8.
        error: Why there is no vector.
    """

    rel_path: str
    of: str
    row: int | None
    raw_path: str | None = None
    error: str | None = None


ROWS = journal_kind("a journal of vectors", EmbeddingRecord)


class VectorManifest(msgspec.Struct, kw_only=True):
    """What the vectors are: `manifest.json`.

    Attributes:
        version: Version of the format.
        embedder: Name of the embedder.
        model: Model of the embedder.
        dimensions: Numbers in a vector.
        dtype: Type of the numbers.
        unit_length: Whether each vector has length 1.
        learnt_from: Number of captions that the embedder learnt from, None if it learns nothing.
    """

    version: int = VERSION
    embedder: str
    model: str
    dimensions: int
    dtype: Literal["float32"] = "float32"
    unit_length: bool = True
    learnt_from: int | None = None


class VectorStore:
    """The vectors of one embedder.

    Args:
        directory: `embeddings/NAME` of a workspace.
        kind: What the vectors are of.

    Attributes:
        held: Hash of what the vector of a photo is of, and row of the vector, by key.
        failed: Keys of photos that were tried and have no vector.
        row_of: Row by hash of what the vector is of: equal captions share a row.
    """

    def __init__(self, directory: Path, kind: VectorKind = "captions") -> None:
        self.directory = directory
        self.of_pictures = kind == "pictures"
        self.held: dict[str, tuple[str, int]] = {}
        self.failed: set[str] = set()
        self.row_of: dict[str, int] = {}
        self._manifest_path = directory / "manifest.json"
        self._rows = RowFile(directory / "vectors.f32")
        self._learnt_path = directory / "learnt.bin"
        self.journal = directory / "keys.jsonl"
        self.manifest: VectorManifest | None = None
        self._made: tuple[int, int] | None = None
        self._start_over()
        self.refresh()

    def _read_manifest(self) -> VectorManifest | None:
        try:
            manifest = msgspec.json.decode(read_whole(self._manifest_path), type=VectorManifest)
        except (OSError, *UNREADABLE):
            return None
        is_sound = manifest.version == VERSION and self._has_rows_of(manifest.dimensions)
        return manifest if is_sound else None

    def _has_rows_of(self, dimensions: int) -> bool:
        """Tell whether the array can have rows of so many numbers: each row has length 1."""
        if not 0 < dimensions <= MOST_DIMENSIONS:
            return False
        first = self._rows.first(dimensions)
        with np.errstate(all="ignore"):  # a damaged array must not print warnings
            return first is None or abs(float(np.linalg.norm(first)) - 1) < LENGTH_TOLERANCE

    def _start_over(self) -> None:
        self.held.clear()
        self.failed.clear()
        self.row_of.clear()
        self._follower = Follower(self.journal, EmbeddingRecord)

    @property
    def rows(self) -> int:
        """Whole rows in the array."""
        return 0 if self.manifest is None else self._rows.count(self.manifest.dimensions)

    def refresh(self) -> None:
        """Take in what was recorded since the last call."""
        made = _identity(self._manifest_path)
        if made is None or made != self._made:  # emptied, perhaps by another process
            self._start_over()
            self.manifest, self._made = self._read_manifest(), made
        rows = self.rows
        for _, record in self._follower.poll():
            key = record_key(record.rel_path, record.raw_path)
            self.failed.discard(key)
            if record.row is None or not 0 <= record.row < rows:
                self.held.pop(key, None)
                if record.error is not None:
                    self.failed.add(key)
                continue
            self.held[key] = (record.of, record.row)
            self.row_of[record.of] = record.row

    @property
    def damage(self) -> str | None:
        """What is wrong with the manifest, None where it is sound or not there."""
        if self.manifest is not None or not self._manifest_path.exists():
            return None
        return f"{self._manifest_path} is damaged, or of other vectors: they are made anew"

    def fits(self, model: str) -> bool:
        """Tell whether the vectors are of a model, so that more of that model may join them."""
        return self.manifest is not None and self.manifest.model == model

    def vectors(self) -> Vectors:
        """Return the whole array, mapped and not read. Shape (rows, dimensions), float32."""
        assert self.manifest is not None
        shape = (self.rows, self.manifest.dimensions)
        if not shape[0]:
            return np.zeros(shape, np.float32)
        return np.memmap(self._rows.path, np.float32, "r", shape=shape)

    def take(self, keys: list[str]) -> tuple[Vectors, NDArray[np.int64]]:
        """Return the distinct vectors of some photos, and for each photo the place of its vector.

        The vectors are ordered by what they are of, not by when they were made: the same
        captions give the same array, whatever was interrupted on the way.
        """
        rows = dict(self.held[key] for key in keys)
        ordered = sorted(rows)
        place_of = {of: place for place, of in enumerate(ordered)}
        places = np.array([place_of[self.held[key][0]] for key in keys], np.int64)
        return self.vectors()[[rows[of] for of in ordered]], places

    def lock(self) -> WriterLock:
        """Lock the store for writing, and take in what was written until now.

        Raises:
            JournalLocked: another process makes vectors here.
        """
        make_directory(self.directory, below=self.directory.parents[1])
        lock = WriterLock(self.journal, f"pcc embed in {self.directory}", ROWS)
        clear_leftovers(self.directory)
        self.refresh()
        return lock

    def empty(self, lock: WriterLock) -> None:
        """Remove everything: the vectors are of another model, or no longer fit the library."""
        os.ftruncate(lock.descriptor, 0)
        os.fsync(lock.descriptor)
        for path in (self._manifest_path, self._rows.path, self._learnt_path):
            remove(path)
        self.manifest = None
        self._start_over()

    def begin(self, manifest: VectorManifest, learnt: bytes | None = None) -> None:
        """Write down what the vectors will be.

        Args:
            manifest: What the vectors will be.
            learnt: What the embedder learnt from the library, None if it learns nothing.
        """
        if learnt is not None:
            _write(self._learnt_path, learnt)
        _write(self._manifest_path, msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
        self.manifest = manifest

    def learnt(self) -> bytes | None:
        """Return what the embedder learnt, None where there is nothing."""
        try:
            return read_whole(self._learnt_path)
        except OSError:
            return None

    def append(self, vectors: Vectors) -> int:
        """Bring vectors to disk behind the others, and return the row of the first.

        Raises:
            DiskFull: there is no room; what was there is as it was.
            OSError: the vectors cannot be written.
        """
        return self._rows.append(vectors)


def store_of(workspace: Path, embedder: str, kind: VectorKind = "captions") -> VectorStore:
    """Return the store of an embedder in a workspace; each kind of vectors has its own store."""
    name = re.sub(r"[^\w.-]", "_", embedder)
    if name != embedder:
        name += f"-{text_hash(embedder)[:8]}"  # a/b and a_b are two models
    return VectorStore(workspace / "embeddings" / f"{name}{_ENDINGS[kind]}", kind)


def embedders_with_vectors(workspace: Path) -> list[str]:
    """Return the names of the embedders that have vectors of captions in a workspace."""
    found = []
    for directory in sorted((workspace / "embeddings").glob("*/")):
        manifest = VectorStore(directory).manifest
        others = (_ENDINGS["labels"], _ENDINGS["pictures"])
        if manifest is not None and not directory.name.endswith(others):
            found.append(manifest.embedder)
    return found


def pictures_store(workspace: Path) -> VectorStore | None:
    """Return a store with vectors of pictures, None where there is none."""
    for directory in sorted((workspace / "embeddings").glob(f"*{_ENDINGS['pictures']}/")):
        store = VectorStore(directory, "pictures")
        if store.manifest is not None:
            return store
    return None


def text_hash(text: str) -> str:
    """Return the hash of a caption: equal captions have equal vectors."""
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
