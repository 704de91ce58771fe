"""The photos directory: which photos there are, where one is, and small pictures of them."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from pathlib import Path

from pcc_tui.workspace import Workspace
from pipeline.photos.photo import find_file
from pipeline.photos.thumbnails import Thumbnails
from pipeline.photos.walk import Walked, walk_photos


class PhotosDesk:
    """Walks the photos directory, finds photos in it, and makes thumbnails of them.

    Args:
        workspace: The workspace, which says where the photos are.
        thumbnail_cache: The directory in which thumbnails are kept.
    """

    def __init__(self, workspace: Workspace, thumbnail_cache: Path) -> None:
        self._workspace = workspace
        self._thumbnail_cache = thumbnail_cache
        self._thumbnails: dict[Path, Thumbnails] = {}
        self._walked: tuple[Path, Walked] | None = None

    async def library(self, place: Path, *, again: bool = False) -> Walked:
        """Return the photos of the photos directory.

        Args:
            place: The photos directory.
            again: Whether to look for new photos; else a directory is walked only once.

        Raises:
            PhotosDirMissing: the photos directory cannot be read.
        """
        if again or self._walked is None or self._walked[0] != place:
            self._walked = (place, await self.walk(place))
        return self._walked[1]

    async def walk(self, place: Path, seconds: float = math.inf) -> Walked:
        """Return the photos of a directory; the walk ends when nobody waits for it any longer.

        Args:
            place: The directory.
            seconds: How long the walk may take; after that, what was found so far counts.

        Raises:
            PhotosDirMissing: the directory cannot be read.
        """
        deadline = time.monotonic() + seconds
        gone = threading.Event()

        def go_on() -> bool:
            return not gone.is_set() and time.monotonic() < deadline

        try:
            return await asyncio.to_thread(walk_photos, place, go_on=go_on)
        finally:
            gone.set()

    async def file_at(self, rel_path: str, raw_path: str | None = None) -> Path | None:
        """Return where the photo of a record is, None where that cannot be told."""
        photos_dir = self._workspace.photos_dir
        if photos_dir is None:
            return None
        try:
            return await asyncio.to_thread(find_file, photos_dir, rel_path, raw_path)
        except (ValueError, OSError):
            return None

    def thumbnails(self) -> Thumbnails | None:
        """Return the thumbnails of the photos directory, None while there is no directory."""
        place = self._workspace.photos_dir
        if place is None:
            return None
        if place not in self._thumbnails:
            self._thumbnails[place] = Thumbnails(place, self._thumbnail_cache)
        return self._thumbnails[place]

    async def close(self) -> None:
        """End the processes that make thumbnails."""
        for thumbnails in self._thumbnails.values():
            await thumbnails.close()
