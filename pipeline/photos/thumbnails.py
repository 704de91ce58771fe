"""Thumbnails of photos: decoded in a separate process, and kept on disk up to a size limit."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

from blake3 import blake3
from PIL import Image

from backends.base import Picture, PictureSpec
from journal import make_directory, move, open_own, read_whole, remove
from pipeline.photos.decoder import DecoderPool
from pipeline.photos.errors import CorruptImageError, DecoderUnavailable

THUMBNAIL_EDGE = 640
"""Longest side in pixels: sharp enough for half of a large terminal."""

MOST_CACHE_BYTES = 256 << 20
KEPT_AFTER_PRUNING = 0.8
WRITES_BETWEEN_PRUNINGS = 500


class Thumbnails:
    """Makes and keeps thumbnails of the photos of one directory.

    The cache may be deleted at any time. A file in it is named after the photo's
    path, size and time of change, so that a changed photo gets a new one.

    Args:
        photos_dir: The photos directory.
        cache: The directory of thumbnails.
        most_bytes: Largest size of the cache; thumbnails unused for longest are deleted first.
    """

    def __init__(self, photos_dir: Path, cache: Path, most_bytes: int = MOST_CACHE_BYTES) -> None:
        self._photos_dir = photos_dir
        self._cache = cache
        self._most_bytes = most_bytes
        self._spec = PictureSpec(max_edge=THUMBNAIL_EDGE, encoding="jpeg")
        self._opening: asyncio.Task[DecoderPool] | None = None
        self._turn = asyncio.Lock()
        self._written = 0

    async def image(self, path: Path) -> Image.Image:
        """Return the thumbnail of a photo: upright, RGB, decoded.

        Args:
            path: The file, inside the photos directory.

        Raises:
            CorruptImageError: the photo cannot be decoded.
            DecoderUnavailable: no decoding process starts.
        """
        place = await asyncio.to_thread(self._place_of, path)
        kept = await asyncio.to_thread(_open_kept, place)
        if kept is not None:
            return kept
        # One at a time, so that a request that is cancelled while waiting costs nothing.
        async with self._turn:
            try:
                decoders = await self._started()
                loaded = await decoders.decode(str(path.relative_to(self._photos_dir)))
            except DecoderUnavailable:
                await self.close()  # the next thumbnail tries with a new process
                raise
        await asyncio.to_thread(self._keep, place, loaded.picture.data)
        return await asyncio.to_thread(_decoded, loaded.picture)

    async def close(self) -> None:
        """End the decoding process, without waiting for a thumbnail that is under way."""
        opening, self._opening = self._opening, None
        if opening is not None:
            with suppress(DecoderUnavailable):
                await (await opening).__aexit__(None, None, None)

    async def _started(self) -> DecoderPool:
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
        # The first request may be cancelled before the process has started.
        return await asyncio.shield(self._opening)

    async def _open(self) -> DecoderPool:
        await asyncio.to_thread(self._prune)
        return await DecoderPool(self._photos_dir, self._spec, processes=1).__aenter__()

    def _place_of(self, path: Path) -> Path:
        try:
            status = path.stat()
        except OSError as error:
            raise CorruptImageError(str(path), error.strerror or "not there") from None
        identity = f"{path.absolute()}\0{status.st_size}\0{status.st_mtime_ns}\0{THUMBNAIL_EDGE}"
        name = blake3(identity.encode("utf-8", "surrogateescape")).hexdigest(16)
        return self._cache / name[:2] / f"{name[2:]}.jpg"

    def _keep(self, place: Path, data: bytes) -> None:
        """Write a thumbnail; a full disk is ignored, because the cache is optional."""
        with suppress(OSError):
            make_directory(place.parent)
            half = place.with_suffix(f".{os.getpid()}")
            with open(open_own(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb") as file:
                file.write(data)
            move(half, place)
        self._written += 1
        if self._written % WRITES_BETWEEN_PRUNINGS == 0:
            self._prune()

    def _prune(self) -> None:
        """Delete the thumbnails unused for longest when the cache has grown too large."""
        files = [
            (entry.stat(), entry.path)
            for folder in _entries(self._cache)
            for entry in _entries(folder)
        ]
        size = sum(status.st_size for status, _ in files)
        if size <= self._most_bytes:
            return
        for status, path in sorted(files, key=lambda file: file[0].st_mtime_ns):
            if size <= self._most_bytes * KEPT_AFTER_PRUNING:
                return
            with suppress(OSError):
                remove(Path(path))
                size -= status.st_size


def _entries(folder: Path | os.DirEntry[str]) -> list[os.DirEntry[str]]:
    """Return the entries of a folder; an empty list for a path that is not a readable folder."""
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []


def _open_kept(place: Path) -> Image.Image | None:
    """Return a thumbnail from the cache and mark it as used; None if it is absent or damaged."""
    try:
        image = _decoded(Picture(0, 0, "jpeg", read_whole(place)))
        os.utime(place)
    except (OSError, SyntaxError):
        return None
    return image


def _decoded(picture: Picture) -> Image.Image:
    """Return the decoded image of a thumbnail that our own decoder made."""
    image = picture.image()
    image.load()
    return image
