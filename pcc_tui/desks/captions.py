"""The captions of a workspace: browsed, counted and edited, and what more captions would take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from journal import atomic_rewrite, remove
from pcc_tui.desks.photos import PhotosDesk
from pcc_tui.workspace import Workspace
from pipeline.captions.catalogue import Catalogue, CatalogueEntry, key_bytes
from pipeline.captions.estimate import Estimate, estimate_run, sample_sizes
from pipeline.captions.plan import Selection
from pipeline.captions.request import RunRequest
from pipeline.captions.survey import Survey, survey
from pipeline.jobs.run_file import new_run_id

T = TypeVar("T")


class CaptionsDesk:
    """Answers what the captions journal says, and writes captions made by hand.

    The catalogue is read on one thread of its own, a question at a time. Edits are written
    on another thread, so that no search and no loading stands before an edit.

    Args:
        workspace: The workspace.
        photos: The desk that knows which photos there are.

    Attributes:
        catalogue: The journal, to browse. `keys`, `made` and `edits` may be read at once;
            ask everything else through `read`.
        marked: Keys of the photos that the user marked, on whichever screen.
    """

    def __init__(self, workspace: Workspace, photos: PhotosDesk) -> None:
        self.catalogue = Catalogue(workspace.journal)
        self.marked: set[str] = set()
        self._workspace = workspace
        self._photos = photos
        self._sizes: tuple[Path, list[tuple[int, int]]] | None = None
        self._reader = ThreadPoolExecutor(1, "catalogue")
        self._editor = ThreadPoolExecutor(1, "edits")

    # The catalogue

    async def read(self, question: Callable[..., T], *arguments: Any) -> T:
        """Ask something of the catalogue on its own thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader, question, *arguments)

    async def read_news(self, grew: Callable[[], None]) -> None:
        """Take in what was added to the journal and the edits since the last look.

        Args:
            grew: Called on the event loop after each piece of at most 20,000 records.
        """
        if await self.read(self.catalogue.changed):
            finished = False
            while not finished:
                finished = await self.read(self.catalogue.refresh)
                grew()

    async def entry(self, key: str | None) -> CatalogueEntry | None:
        """Return what the journal says of a photo, None if it says nothing."""
        if key is None:
            return None
        return await asyncio.to_thread(self.catalogue.entry, key)

    async def edit(self, rel_path: str, raw_path: str | None, caption: str | None) -> None:
        """Bring a caption written by hand to disk; None takes one back.

        Raises:
            JournalError: the edit cannot be written.
        """
        loop = asyncio.get_running_loop()
        write = self.catalogue.edits.write
        await loop.run_in_executor(self._editor, write, rel_path, raw_path, caption)

    # Runs

    def request(self, selection: Selection | None = None, backend: str | None = None) -> RunRequest:
        """Return the run that the settings describe, or the same by another backend."""
        settings = self._workspace.settings
        return RunRequest(
            photos_dir=self._workspace.photos_dir or Path(),
            workspace=self._workspace.path,
            journal=self._workspace.journal,
            backend=backend or settings.choices.backend,
            options=settings.options(backend),
            selection=selection or Selection(),
        )

    async def survey(self, request: RunRequest, *, walk: bool = False) -> Survey:
        """Return what the library holds and what a run would do there.

        Args:
            request: The run.
            walk: Whether to look for new photos.

        Raises:
            PhotosDirMissing: the photos directory cannot be read.
            SetupError: there is no such backend.
        """
        walked = await self._photos.library(request.photos_dir, again=walk)
        return await self.read(survey, self.catalogue, walked, request)

    async def estimate(self, request: RunRequest) -> Estimate:
        """Return what a run would take; the sizes of a sample of photos are read once.

        Raises:
            PhotosDirMissing: the photos directory cannot be read.
            SetupError: there is no such backend.
        """
        plan = (await self.survey(request)).plan
        return await estimate_run(request, plan, await self._sampled_sizes(request.photos_dir))

    async def estimate_of(self, photos: int) -> Estimate:
        """Return what captions of so many photos would take, by the settings."""
        request = self.request()
        plan = (await self.survey(request)).plan
        plan.to_do = [""] * photos  # an estimate looks at their number alone
        return await estimate_run(request, plan, await self._sampled_sizes(request.photos_dir))

    async def _sampled_sizes(self, place: Path) -> list[tuple[int, int]]:
        if self._sizes is None or self._sizes[0] != place:
            paths = (await self._photos.library(place)).paths
            self._sizes = (place, await sample_sizes(place, paths))
        return self._sizes[1]

    async def write_retry_list(self, keys: Iterable[str]) -> Path:
        """Write the paths of some photos for `--retry-list`, and return where.

        Each list has a name of its own, because a job that is restarted reads its list again.
        """
        return await asyncio.to_thread(self._write_retry_list, keys)

    def _write_retry_list(self, keys: Iterable[str]) -> Path:
        for old in self._workspace.path.glob("retry-list-*"):
            remove(old)  # no job runs, so no list is in use
        listed = self._workspace.path / f"retry-list-{new_run_id()}"
        data = b"".join(key_bytes(key) + b"\0" for key in sorted(keys))
        with atomic_rewrite(listed, needed=len(data)) as file:
            file.write(data)
        return listed

    async def close(self) -> None:
        """Let go of the threads; an edit under way is written first."""
        self._reader.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._editor.shutdown)
