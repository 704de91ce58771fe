"""The training datasets of a workspace: what they lack, and whether they are whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

from pcc_tui.desks.command_process import answer_of
from pcc_tui.desks.commands import Commands
from pcc_tui.workspace import Workspace
from pipeline.datasets.enrich_report import EnrichPlan
from pipeline.datasets.verify_report import VerifyReport
from pipeline.synth.findings import Validation


class DatasetsDesk:
    """Counts and checks datasets, each in a process of its own.

    Args:
        workspace: The workspace.
        commands: Makes the commands.
    """

    def __init__(self, workspace: Workspace, commands: Commands) -> None:
        self._workspace = workspace
        self._commands = commands

    async def plan(self, passes: Iterable[str]) -> EnrichPlan:
        """Return how many records lack what some passes make.

        Raises:
            CommandFailed: the dataset cannot be read; says why.
        """
        return await answer_of(self._commands.enrich(passes, dry_run=True), EnrichPlan)

    async def verify(self, tell: Callable[[str], None]) -> VerifyReport:
        """Check every record and every patch file of the dataset.

        Args:
            tell: Gets each line about how far the check is.

        Raises:
            CommandFailed: the dataset cannot be checked; says why.
        """
        return await answer_of(self._commands.verify(), VerifyReport, tell=tell)

    async def validate_newest_set(self) -> Validation | None:
        """Check the newest synthetic set of the workspace; return None where there is no set.

        Raises:
            CommandFailed: the set cannot be checked; says why.
        """
        newest = await asyncio.to_thread(self._newest_set)
        if newest is None:
            return None
        return await answer_of(self._commands.validate(newest), Validation)

    def _newest_set(self) -> Path | None:
        made = self._workspace.path.glob("datasets/*/metadata.json")
        newest = max(made, key=lambda path: path.stat().st_mtime, default=None)
        return None if newest is None else newest.parent
