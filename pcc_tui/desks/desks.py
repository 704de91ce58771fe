"""All desks of a workspace, opened together and closed together."""

from __future__ import annotations

from pathlib import Path

from pcc_tui.desks.backends import BackendsDesk
from pcc_tui.desks.captions import CaptionsDesk
from pcc_tui.desks.clusters import ClustersDesk
from pcc_tui.desks.commands import Commands
from pcc_tui.desks.datasets import DatasetsDesk
from pcc_tui.desks.findings import FindingsDesk
from pcc_tui.desks.ingestion import IngestionDesk
from pcc_tui.desks.photos import PhotosDesk
from pcc_tui.locations import thumbnail_cache as users_thumbnail_cache
from pcc_tui.workspace import Workspace


class Desks:
    """The desks that screens ask.

    Args:
        workspace: The workspace.
        thumbnail_cache: The directory in which thumbnails are kept, None for the user's own.

    Attributes:
        workspace: The workspace.
        commands: Makes every command of `pcc` that the app starts.
        photos: Which photos there are, where one is, and thumbnails.
        captions: The captions journal and the edits.
        backends: Backends to choose from, and trials.
        clusters: The tree of clusters.
        datasets: Training datasets and synthetic sets.
        ingestion: How far the ingestion is, and its queue.
        findings: What ingestion found in a photo.
    """

    def __init__(self, workspace: Workspace, thumbnail_cache: Path | None = None) -> None:
        self.workspace = workspace
        self.commands = Commands(workspace)
        self.photos = PhotosDesk(workspace, thumbnail_cache or users_thumbnail_cache())
        self.captions = CaptionsDesk(workspace, self.photos)
        self.backends = BackendsDesk(workspace, self.commands)
        self.clusters = ClustersDesk(workspace, self.commands)
        self.datasets = DatasetsDesk(workspace, self.commands)
        self.ingestion = IngestionDesk(workspace, self.photos)
        self.findings = FindingsDesk(workspace)

    async def close(self) -> None:
        """Let go of threads and processes; a running job goes on."""
        await self.photos.close()
        await self.clusters.close()
        await self.captions.close()
