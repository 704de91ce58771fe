"""The clusters of a workspace as the app works on them; everything slow on a thread of its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from pipeline.clusters.label_journal import LabelChange
    from pipeline.clusters.search import Hit
    from pipeline.clusters.view import ClusterView

T = TypeVar("T")

MOST_HITS = 200


class ClusterDesk:
    """Opens, searches and changes the clusters of a workspace.

    Args:
        workspace: The workspace.
        journal: Returns the captions journal.
        photos_dir: Returns the photos directory, None while there is none.

    Attributes:
        view: The clusters as they were when last opened, None before that.
    """

    def __init__(
        self, workspace: Path, journal: Callable[[], Path], photos_dir: Callable[[], Path | None]
    ) -> None:
        self.view: ClusterView | None = None
        self._workspace = workspace
        self._journal = journal
        self._photos_dir = photos_dir
        self._thread = ThreadPoolExecutor(1, "clusters")
        self._seen: tuple[object, ...] = ()
        self._seen_captions: tuple[object, ...] = ()
        self._captions_count = True
        self._searcher: Any = None

    def look_at_captions(self) -> None:
        """Let the next refresh notice new captions and edits too.

        Not every one does: while a run writes, each would read the whole journal again.
        """
        self._captions_count = True

    async def refresh(self) -> bool:
        """Open the clusters if their files have changed since; tell whether they had."""
        return await self._do(self._refresh)

    def _refresh(self) -> bool:
        from pipeline.clusters.chunk_file import chunks_path
        from pipeline.clusters.label_journal import label_journal_path
        from pipeline.clusters.tree_file import clusters_path

        places = (clusters_path, label_journal_path, chunks_path)
        seen = tuple(_stamp(place(self._workspace)) for place in places)
        journal = self._journal()
        captions = (_stamp(journal), _stamp(journal.with_name("edits.jsonl")))
        same = seen == self._seen and (captions == self._seen_captions or not self._captions_count)
        self._captions_count = False
        if same and self.view is not None:
            return False
        self._open()
        self._seen, self._seen_captions = seen, captions
        return True

    def _open(self) -> None:
        from pipeline.clusters.opening import open_view

        photos_dir = self._photos_dir()
        here = photos_dir if photos_dir is not None and photos_dir.is_dir() else None
        self.view = open_view(self._workspace, self._journal(), here)
        self._searcher = None

    async def change(self, make: Callable[[ClusterView], LabelChange]) -> LabelChange:
        """Make a change by hand, bring it to disk, and open the clusters anew.

        Args:
            make: Returns the change, for the clusters as they are.

        Raises:
            WrongLabelChange: the change fits nothing.
            JournalError: it cannot be written.
        """
        return await self._do(self._change, make)

    def _change(self, make: Callable[[ClusterView], LabelChange]) -> LabelChange:
        from pipeline.clusters.label_journal import LabelJournal, label_journal_path

        self._refresh()
        assert self.view is not None
        change = make(self.view)
        LabelJournal(label_journal_path(self._workspace)).write([change])
        self._refresh()
        return change

    async def undo(self) -> LabelChange:
        """Take back the last change by hand, and return it.

        Raises:
            WrongLabelChange: there is none.
            JournalError: it cannot be written.
        """
        return await self._do(self._undo)

    def _undo(self) -> LabelChange:
        from pipeline.clusters.label_changes import undo
        from pipeline.clusters.label_journal import LabelJournal, label_journal_path

        changes = LabelJournal(label_journal_path(self._workspace))
        changes.refresh()
        change, taken_back = undo(changes)
        changes.write([change])
        self._refresh()
        return taken_back

    async def search(self, query: str) -> list[Hit]:
        """Find photos whose caption or path holds the words, the shortest captions first."""
        return await self._do(self._search, query)

    def _search(self, query: str) -> list[Hit]:
        from pipeline.clusters.search import Searcher

        self._refresh()
        assert self.view is not None
        if self._searcher is None:
            self._searcher = Searcher(self.view.photos, self._workspace, None)
        hits: list[Hit] = self._searcher.search(query, "words", MOST_HITS)
        return hits

    async def _do(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    async def close(self) -> None:
        """Let go of the thread; a change under way is finished."""
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
