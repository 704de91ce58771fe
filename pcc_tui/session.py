"""What all screens share: the workspace, its settings, its catalogue and its thumbnails."""

from __future__ import annotations

import asyncio
import json
import math
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from backends.registry import has_extra
from journal import atomic_rewrite
from pcc_tui.desks.clusters import ClusterDesk
from pcc_tui.desks.command_process import answer_of
from pcc_tui.desks.trial_process import try_in_process
from pcc_tui.locations import thumbnail_cache
from pcc_tui.settings import Settings, load_settings, save_choices
from pcc_tui.words.figures import tidy
from pipeline.captions.catalogue import Catalogue, key_bytes
from pipeline.captions.estimate import Estimate, estimate_run, sample_sizes
from pipeline.captions.plan import Selection
from pipeline.captions.request import RunRequest
from pipeline.captions.survey import Survey, survey
from pipeline.captions.trial import Trial
from pipeline.clusters.tree_file import clusters_path
from pipeline.datasets.enrich_report import EnrichPlan
from pipeline.jobs.run_file import new_run_id
from pipeline.photos.photo import find_file
from pipeline.photos.thumbnails import Thumbnails
from pipeline.photos.walk import Walked, walk_photos

T = TypeVar("T")


class Written(msgspec.Struct):
    """What the app needs of the answer of `pcc report`."""

    files: list[str]


class Session:
    """One workspace as the app works on it.

    Args:
        workspace: The workspace.
        photos_dir: The photos directory, where a flag names it.
        journal: The captions journal, where a flag names it.
        cache: Where thumbnails are kept, None for the user's own place.

    Attributes:
        settings: As the files last said.
        catalogue: The journal, to browse. Ask it on its thread: `read`.
        marked: Keys of marked photos.
        clusters: The tree of clusters.
    """

    def __init__(
        self,
        workspace: Path,
        photos_dir: Path | None = None,
        journal: Path | None = None,
        cache: Path | None = None,
    ) -> None:
        self.workspace = workspace
        self.settings: Settings = load_settings(workspace)
        self.marked: set[str] = set()
        self._named_photos = photos_dir
        self._named_journal = journal
        self._cache = cache
        self.catalogue = Catalogue(self.journal)
        self._walked: tuple[Path, Walked] | None = None
        self._sizes: tuple[Path, list[tuple[int, int]]] | None = None
        self._reader = ThreadPoolExecutor(1, "catalogue")
        self._editor = ThreadPoolExecutor(1, "edits")
        self._thumbnails: dict[Path, Thumbnails] = {}
        self.clusters = ClusterDesk(workspace, lambda: self.journal, lambda: self.photos_dir)

    @property
    def journal(self) -> Path:
        """The captions journal."""
        return self._named_journal or self.workspace / "captions.jsonl"

    @property
    def photos_dir(self) -> Path | None:
        """The photos directory, None while nobody named one."""
        return self._named_photos or self.settings.photos_dir

    @property
    def is_new(self) -> bool:
        """Whether nobody has said yet where the photos are."""
        return self.photos_dir is None and not self.journal.exists()

    async def save(self, **changes: object) -> None:
        """Set choices in `pcc.toml` and read the settings again.

        Raises:
            SettingsError: the file cannot be changed, or a value is wrong.
        """
        self.settings = await asyncio.to_thread(self._save, changes)
        if "photos_dir" in changes:
            self._named_photos = Path(str(changes["photos_dir"]))  # over PHOTOS_DIR too

    def _save(self, changes: dict[str, object]) -> Settings:
        self.workspace.mkdir(parents=True, exist_ok=True)
        save_choices(self.workspace, changes)
        return load_settings(self.workspace)

    def request(self, selection: Selection | None = None) -> RunRequest:
        """Return the run that the settings describe."""
        return RunRequest(
            photos_dir=self.photos_dir or Path(),
            workspace=self.workspace,
            journal=self.journal,
            backend=self.settings.choices.backend,
            options=self.settings.options(),
            selection=selection or Selection(),
        )

    def run_arguments(self, extra: Iterable[str] = ()) -> list[str]:
        """Return `run` and its arguments for this workspace; its settings say the rest."""
        arguments = ["run", *self._site(), "--run-id", new_run_id()]
        if self.settings.choices.restart_every is not None:
            arguments += ["--restart-every", str(self.settings.choices.restart_every)]
        return [*arguments, *extra]

    def cluster_arguments(self) -> list[str]:
        """Return the arguments of `pcc cluster` for this workspace."""
        return ["cluster", *self._site()]

    @property
    def dataset(self) -> Path:
        """The training dataset."""
        return self.workspace / "dataset.jsonl"

    def enrich_arguments(self, passes: Iterable[str]) -> list[str]:
        """Return the arguments of `pcc dataset enrich` for some passes; nothing is asked."""
        return ["dataset", "enrich", *self._site(), "--pass-filter", ",".join(passes), "--yes"]

    def shard_arguments(self) -> list[str]:
        """Return the arguments of `pcc dataset shards` for this workspace."""
        arguments = ["dataset", "shards", str(self.dataset), *self._site()]
        if (self.workspace / "dinov3_patches").is_dir():
            arguments.append("--with-patches")
        return [*arguments, "--out", str(self.workspace / "shards")]

    async def plan_dataset(self, passes: Iterable[str]) -> EnrichPlan:
        """Return what the dataset lacks, found in a process of its own.

        Raises:
            CommandFailed: it cannot be told, and why.
        """
        command = [*self.enrich_arguments(passes), "--dry-run", "--json"]
        return msgspec.json.decode(await answer_of(command), type=EnrichPlan)

    async def verify_dataset(self, tell: Callable[[str], None]) -> bytes:
        """Check the dataset in a process of its own; return its report as JSON.

        Args:
            tell: Gets each line about how far it is.

        Raises:
            CommandFailed: it cannot be checked, and why.
        """
        command = ["dataset", "verify", str(self.dataset), *self._site(), "--json"]
        return await answer_of(command, tell=tell)

    async def validate_newest_set(self) -> list[str]:
        """Check the newest synthetic set of the workspace; return what was found, line by line.

        Raises:
            CommandFailed: it cannot be checked, and why.
        """
        sets = sorted(
            self.workspace.glob("datasets/*/metadata.json"), key=lambda p: p.stat().st_mtime
        )
        if not sets:
            return ["There is no synthetic set yet"]
        answer = json.loads(await answer_of(["synth", "validate", str(sets[-1].parent), "--json"]))
        verdict = "Valid" if answer["valid"] else "Not valid"
        return [f"{verdict}: {tidy(sets[-1].parent)}", *answer["defects"], *answer["notes"]]

    def lacks_clusters(self) -> bool:
        """Tell whether the library could be clustered, and never was."""
        return has_extra("clusters") and not clusters_path(self.workspace).exists()

    async def export_reports(self) -> str:
        """Write the reports in a process of its own; return what was written, in words.

        Raises:
            CommandFailed: they cannot be written, and why.
        """
        answer = await answer_of(["report", "--json", *self._site()])
        files = msgspec.json.decode(answer, type=Written).files
        return f"Written: {', '.join(tidy(Path(file)) for file in files)}"

    def _site(self) -> list[str]:
        arguments = ["--workspace", str(self.workspace)]
        if self.photos_dir is not None:
            arguments += ["--photos-dir", str(self.photos_dir)]
        if self._named_journal is not None:
            arguments += ["--captions-jsonl", str(self._named_journal)]
        return arguments

    async def read(self, question: Callable[..., T], *arguments: Any) -> T:
        """Ask something of the catalogue on its own thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader, question, *arguments)

    async def edit(self, rel_path: str, raw_path: str | None, caption: str | None) -> None:
        """Bring a caption written by hand to disk; None takes one back.

        Raises:
            JournalError: it cannot be written.
        """
        loop = asyncio.get_running_loop()
        write = self.catalogue.edits.write
        # A thread of its own: no walk, search or loading stands before it.
        await loop.run_in_executor(self._editor, write, rel_path, raw_path, caption)

    def write_retry_list(self, keys: Iterable[str]) -> Path:
        """Write the paths of some photos for `--retry-list`, and return where.

        Each list has a name of its own: a job that is restarted reads its list again.
        """
        for old in self.workspace.glob("retry-list-*"):
            old.unlink()  # no job runs, so none is in use
        listed = self.workspace / f"retry-list-{new_run_id()}"
        data = b"".join(key_bytes(key) + b"\0" for key in sorted(keys))
        with atomic_rewrite(listed, needed=len(data)) as file:
            file.write(data)
        return listed

    async def survey(self, request: RunRequest, *, walk: bool = False) -> Survey:
        """Return what the library holds and what a run would do there.

        Args:
            request: The run.
            walk: Whether to look for new photos.

        Raises:
            PhotosDirMissing: the photos directory cannot be read.
            SetupError: there is no such backend.
        """
        place = request.photos_dir
        if walk or self._walked is None or self._walked[0] != place:
            self._walked = (place, await self.walk(place))
        return await self.read(survey, self.catalogue, self._walked[1], request)

    async def walk(self, place: Path, seconds: float = math.inf) -> Walked:
        """Return the photos of a directory; the walk ends when nobody waits for it any longer.

        Args:
            place: The directory.
            seconds: How long it may take; after that, what was found so far.

        Raises:
            PhotosDirMissing: it cannot be read.
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
        if self.photos_dir is None:
            return None
        try:
            return await asyncio.to_thread(find_file, self.photos_dir, rel_path, raw_path)
        except (ValueError, OSError):
            return None

    def thumbnails(self) -> Thumbnails | None:
        """Return the thumbnails of the photos directory, None while there is none."""
        place = self.photos_dir
        if place is None:
            return None
        if place not in self._thumbnails:
            self._thumbnails[place] = Thumbnails(place, self._cache or thumbnail_cache())
        return self._thumbnails[place]

    async def try_photo(
        self, flags: Iterable[str], environment: dict[str, str], tell: Callable[[str], None]
    ) -> Trial:
        """Caption one photo with these flags over the settings; see `try_in_process`.

        Raises:
            CommandFailed: there is no caption, and why.
        """
        return await try_in_process([*self._site(), *flags], environment, tell)

    async def estimate(self, request: RunRequest) -> Estimate:
        """Return what a run would take; the sizes of a sample of photos are read once.

        Raises:
            PhotosDirMissing: the photos directory cannot be read.
            SetupError: there is no such backend.
        """
        plan = (await self.survey(request)).plan
        place = request.photos_dir
        if self._sizes is None or self._sizes[0] != place:
            self._sizes = (place, await sample_sizes(place, self._walked_paths()))
        return await estimate_run(request, plan, self._sizes[1])

    def _walked_paths(self) -> list[str]:
        return [] if self._walked is None else self._walked[1].paths

    async def close(self) -> None:
        """Let go of threads and processes; a running job is none of them."""
        for thumbnails in self._thumbnails.values():
            await thumbnails.close()
        await self.clusters.close()
        self._reader.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._editor.shutdown)  # an edit is never left behind
