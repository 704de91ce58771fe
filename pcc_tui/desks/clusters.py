"""The clusters of a workspace: opened, searched, changed by hand, and taken away as reports."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from backends.registry import has_extra
from pcc_tui.desks.command_process import answer_of
from pcc_tui.desks.commands import Commands
from pcc_tui.workspace import Workspace
from pipeline.clusters.tree_file import clusters_path

if TYPE_CHECKING:
    from pipeline.clusters.label_journal import LabelChange
    from pipeline.clusters.opening import ClusteredLibrary
    from pipeline.clusters.search import Hit, Searcher
    from pipeline.clusters.view import ClusterView

T = TypeVar("T")

MOST_HITS = 200


class ClustersDesk:
    """Opens, searches and changes the clusters of a workspace, on one thread of its own.

    The library is read when it is opened, and again only when the clustering, the chunk size
    or, if `look_at_captions` asked for it, the captions have changed. After a change by hand
    the label journal alone is read.

    Args:
        workspace: The workspace.
        commands: Makes the command that writes reports.

    Attributes:
        view: The clusters as they were at the last look, None before the first.
    """

    def __init__(self, workspace: Workspace, commands: Commands) -> None:
        self.view: ClusterView | None = None
        self._workspace = workspace
        self._commands = commands
        self._thread = ThreadPoolExecutor(1, "clusters")
        self._library: ClusteredLibrary | None = None
        self._searcher: Searcher | None = None
        self._seen: tuple[object, ...] = ()
        self._seen_captions: tuple[object, ...] = ()
        self._captions_count = True

    def lacks_clusters(self) -> bool:
        """Tell whether the library could be clustered, and never was."""
        return has_extra("clusters") and not clusters_path(self._workspace.path).exists()

    def look_at_captions(self) -> None:
        """Let the next refresh notice new captions and edits too.

        Not every refresh does: while a run writes, each would read the whole journal again.
        """
        self._captions_count = True

    async def refresh(self) -> None:
        """Bring `view` up to date with the files of the workspace."""
        await self._do(self._refresh)

    def _refresh(self) -> ClusterView:
        from pipeline.clusters.chunk_file import chunks_path
        from pipeline.clusters.opening import ClusteredLibrary

        workspace = self._workspace
        seen = _stamp(clusters_path(workspace.path)), _stamp(chunks_path(workspace.path))
        journal, photos_dir = workspace.journal, workspace.photos_dir
        captions = photos_dir, _stamp(journal), _stamp(journal.with_name("edits.jsonl"))
        same = seen == self._seen and (captions == self._seen_captions or not self._captions_count)
        self._captions_count = False
        if self._library is None or not same:
            here = photos_dir if photos_dir is not None and photos_dir.is_dir() else None
            self._library = ClusteredLibrary(workspace.path, journal, here)
            self._searcher = None
            self._seen, self._seen_captions = seen, captions
            self.view = self._library.view()
        elif self._library.label_journal.refresh() or self.view is None:
            self.view = self._library.view()
        return self.view

    async def change(self, make: Callable[[ClusterView], LabelChange]) -> LabelChange:
        """Make a change by hand, bring it to disk, and play it back over the clusters.

        Args:
            make: Returns the change, for the clusters as they are.

        Raises:
            WrongLabelChange: the change does not fit the clusters.
            JournalError: the change cannot be written.
        """
        return await self._do(self._change, make)

    def _change(self, make: Callable[[ClusterView], LabelChange]) -> LabelChange:
        change = make(self._refresh())
        self._write(change)
        return change

    async def undo(self) -> LabelChange:
        """Take back the last change by hand, and return that change.

        Raises:
            WrongLabelChange: there is no change to take back.
            JournalError: the change cannot be written.
        """
        return await self._do(self._undo)

    def _undo(self) -> LabelChange:
        from pipeline.clusters.label_changes import undo

        self._refresh()
        assert self._library is not None
        change, taken_back = undo(self._library.label_journal)
        self._write(change)
        return taken_back

    def _write(self, change: LabelChange) -> None:
        assert self._library is not None
        self._library.label_journal.write([change])
        self._refresh()

    async def search(self, query: str) -> list[Hit]:
        """Find photos whose caption or path holds the words, the shortest captions first."""
        return await self._do(self._search, query)

    def _search(self, query: str) -> list[Hit]:
        from pipeline.clusters.search import Searcher

        view = self._refresh()
        if self._searcher is None:
            self._searcher = Searcher(view.photos, self._workspace.path, None)
        return self._searcher.search(query, "words", MOST_HITS)

    async def write_reports(self) -> list[str]:
        """Write the reports in a process of its own; return the paths of the files.

        Raises:
            CommandFailed: the reports cannot be written; says why.
        """
        from pipeline.reports.run import WrittenReports

        return (await answer_of(self._commands.report(), WrittenReports)).files

    async def _do(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    async def close(self) -> None:
        """Let go of the thread; a change under way is finished first."""
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Return what tells one state of a file from another, None where there is no file."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
