"""One workspace as the app works on it: its paths, and its settings as the files last said."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

from journal import make_directory, protect
from pcc_tui.known_servers import keep_server
from pcc_tui.settings import Settings, load_settings, save_choices
from pcc_tui.words.commands import Given, Origin


class Workspace:
    """The paths and the settings of one workspace.

    Args:
        path: The directory of the workspace.
        photos_dir: The photos directory, where a flag names one.
        journal: The captions journal, where a flag names one.

    Attributes:
        path: The directory of the workspace.
        named_journal: The captions journal that a flag named, None for the usual place.
        settings: The settings, as the files last said.

    Raises:
        SettingsError: a settings file cannot be read, or holds what it should not.
    """

    def __init__(
        self, path: Path, photos_dir: Path | None = None, journal: Path | None = None
    ) -> None:
        self.path = path
        self.named_journal = journal
        self.settings: Settings = load_settings(path, journal=journal)
        self._named_photos = photos_dir
        self._protect_photos()

    def _protect_photos(self) -> None:
        for directory in filter(None, (self._named_photos, self.settings.photos_dir)):
            protect(directory)

    @property
    def journal(self) -> Path:
        """The captions journal."""
        return self.named_journal or self.path / "captions.jsonl"

    @property
    def photos_dir(self) -> Path | None:
        """The photos directory, None while nobody has named one."""
        return self._named_photos or self.settings.photos_dir

    @property
    def dataset(self) -> Path:
        """The training dataset."""
        return self.path / "dataset.jsonl"

    @property
    def cache(self) -> Path:
        """The directory in which the ingestion keeps its results."""
        return self.path / "cache"

    def recall(self) -> None:
        """Read the settings again: a run may have changed who captioned last.

        Raises:
            SettingsError: a settings file cannot be read, or holds what it should not.
        """
        self.settings = load_settings(self.path, journal=self.named_journal)
        self._protect_photos()

    def origin(self, ingestion: Given | None = None) -> Origin:
        """Return what makes commands that the app shows whole.

        Args:
            ingestion: What the last ingestion was told, where commands go on with it.
        """
        given: dict[str, tuple[str, ...]] = {}
        if self.path.resolve() != Path.cwd():
            given["--workspace"] = (str(self.path),)
        if self._named_photos is not None and self._named_photos != self.settings.photos_dir:
            given["--photos-dir"] = (str(self._named_photos),)
        if self.named_journal is not None:
            given["--captions-jsonl"] = (str(self.named_journal),)
        return Origin(
            given=given,
            maker=self.settings.recalled_options(),
            ingestion=ingestion or {},
            has_photos=self.photos_dir is not None and self.photos_dir.is_dir(),
        )

    @property
    def is_new(self) -> bool:
        """Whether nobody has said yet where the photos are."""
        return self.photos_dir is None and not self.journal.exists()

    async def save(self, **changes: object) -> None:
        """Set choices in `pcc.toml`, and read the settings again.

        Raises:
            SettingsError: the file cannot be changed, or a value is wrong.
        """
        self.settings = await asyncio.to_thread(self._save, changes)
        if "photos_dir" in changes:
            self._named_photos = Path(str(changes["photos_dir"]))  # wins over PHOTOS_DIR too
        self._protect_photos()

    def _save(self, changes: dict[str, object]) -> Settings:
        make_directory(self.path)
        save_choices(self.path, changes)
        named = cast("str | None", changes.get("base_url"))
        if named != self.settings.choices.base_url:  # else nobody typed it: the file named it
            keep_server(named)
        return load_settings(self.path, journal=self.named_journal)
