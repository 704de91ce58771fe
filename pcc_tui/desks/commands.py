"""Every command of `pcc` that the app starts; no other module writes an argument list."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from pcc_tui.words.commands import shell_words
from pcc_tui.workspace import Workspace
from pipeline.captions.plan import Selection
from pipeline.jobs.run_file import new_run_id

PCC = (sys.executable, "-P", "-m", "pcc_tui")
"""What starts `pcc`, whichever installation the app itself runs from."""

MISSING_CAPTIONS = Selection()
"""Photos that have no caption yet; no photo a second time."""


def in_words(arguments: Iterable[str]) -> str:
    """Return a command as people would type it."""
    return shell_words(["pcc", *arguments])


class Commands:
    """Argument lists for the commands of one workspace.

    `--json` is left out: whoever starts a command adds it, because every answer is
    read by a program.

    Args:
        workspace: The workspace, whose paths and settings the commands carry.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def _site(self) -> list[str]:
        """Return the options that say where a command works."""
        workspace = self._workspace
        arguments = ["--workspace", str(workspace.path)]
        if workspace.photos_dir is not None:
            arguments += ["--photos-dir", str(workspace.photos_dir)]
        if workspace.named_journal is not None:
            arguments += ["--captions-jsonl", str(workspace.named_journal)]
        return arguments

    # Captions

    def run(
        self,
        selection: Selection = MISSING_CAPTIONS,
        *,
        retry_list: Path | None = None,
        backend: str | None = None,
    ) -> list[str]:
        """Return `pcc run`; the settings of the workspace say the rest.

        Args:
            selection: Which photos are captioned again; the keys it may hold are not looked at.
            retry_list: A file that lists the photos to work on, None for all.
            backend: A backend other than the chosen one.
        """
        arguments = ["run", *self._site(), "--run-id", new_run_id()]
        restart_every = self._workspace.settings.choices.restart_every
        if restart_every is not None:
            arguments += ["--restart-every", str(restart_every)]
        if selection.statuses:
            arguments += ["--retry-status", ",".join(sorted(selection.statuses))]
        if selection.backend is not None:
            arguments += ["--retry-backend", selection.backend]
        if selection.stale:
            arguments.append("--retry-stale")
        if selection.only:
            arguments.append("--retry-only")
        if selection.force:
            arguments.append("--force")
        if retry_list is not None:
            arguments += ["--retry-list", str(retry_list)]
        if backend is not None:
            arguments += ["--backend", backend]
        return arguments

    def try_photo(self, backend: str, model: str | None, quantize: str | None) -> list[str]:
        """Return `pcc try` with choices that go over the settings.

        Server and prompt are no part of it: an argument can be read by anybody who lists
        the processes, so both go into the environment of the command.
        """
        arguments = ["try", *self._site(), "--backend", backend]
        if model:
            arguments += ["--model", model]
        if quantize:
            arguments += ["--quantize", quantize]
        return arguments

    # Clusters

    def cluster(self) -> list[str]:
        """Return `pcc cluster`."""
        return ["cluster", *self._site()]

    def report(self) -> list[str]:
        """Return `pcc report`, which writes all reports into the workspace."""
        return ["report", *self._site()]

    # Datasets

    def enrich(self, passes: Iterable[str], *, dry_run: bool = False) -> list[str]:
        """Return `pcc dataset enrich` for some passes; it asks nothing.

        Args:
            passes: Names of the passes.
            dry_run: Tell what is missing, and make nothing.
        """
        arguments = ["dataset", "enrich", *self._site(), "--pass-filter", ",".join(passes), "--yes"]
        return [*arguments, "--dry-run"] if dry_run else arguments

    def verify(self) -> list[str]:
        """Return `pcc dataset verify`."""
        return ["dataset", "verify", str(self._workspace.dataset), *self._site()]

    def shards(self) -> list[str]:
        """Return `pcc dataset shards`, with the patch files where there are any."""
        workspace = self._workspace
        arguments = ["dataset", "shards", str(workspace.dataset), *self._site()]
        if (workspace.path / "dinov3_patches").is_dir():
            arguments.append("--with-patches")
        return [*arguments, "--out", str(workspace.path / "shards")]

    def generate(self, images: str) -> list[str]:
        """Return `pcc synth generate` for a number of images, as it was typed."""
        workspace = ["--workspace", str(self._workspace.path)]
        return ["synth", "generate", "--num-images", images, "--yes", *workspace]

    def validate(self, directory: Path) -> list[str]:
        """Return `pcc synth validate` for the set in a directory."""
        return ["synth", "validate", str(directory)]

    # Ingestion

    def ingest(self, stages: Sequence[str]) -> list[str]:
        """Return `pcc ingest run` for some stages."""
        return ["ingest", "run", *self._site(), "--stages", ",".join(stages)]

    def import_cache(self, database: Path) -> list[str]:
        """Return `pcc ingest import` of the cache into a database."""
        workspace = self._workspace
        place = ["--db", str(database), "--workspace", str(workspace.path)]
        return ["ingest", "import", str(workspace.cache), *place]
