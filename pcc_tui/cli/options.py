"""Options that several commands share, and the request they add up to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from backends.base import Options
from journal import Status
from pcc_tui.cli.output import ExitCode, fail, warn
from pcc_tui.settings import Settings, SettingsError, load_settings
from pipeline.captions.request import RunRequest
from pipeline.jobs.plan import Selection

STATUSES: tuple[Status, ...] = ("success", "error_corrupt", "error_api", "error_model")

Workspace = Annotated[
    Path,
    typer.Option(
        "--workspace",
        help="Directory of journal, log and settings.",
        show_default="current directory",
    ),
]
PhotosDir = Annotated[
    Optional[Path],
    typer.Option(
        "--photos-dir",
        help="The photo library; only ever read.",
        show_default="PHOTOS_DIR, or pcc.toml",
    ),
]
Journal = Annotated[
    Optional[Path],
    typer.Option(
        "--captions-jsonl", help="The captions journal.", show_default="WORKSPACE/captions.jsonl"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Yes = Annotated[bool, typer.Option("--yes", help="Answer questions with yes.")]
Backend = Annotated[
    Optional[str],
    typer.Option(
        "--backend", help="What makes the captions; `pcc doctor` lists them.", show_default="basic"
    ),
]
Model = Annotated[
    Optional[str], typer.Option("--model", help="Model id.", show_default="the backend's own")
]
Prompt = Annotated[
    Optional[str], typer.Option("--prompt", help="Instruction sent with each photo.")
]
RetryStatus = Annotated[
    Optional[str],
    typer.Option(
        "--retry-status", help="Retry photos with these statuses, such as error_api,error_model."
    ),
]
RetryBackend = Annotated[
    Optional[str], typer.Option("--retry-backend", help="Redo what this backend captioned.")
]
RetryStale = Annotated[
    bool, typer.Option("--retry-stale", help="Redo captions of another model or prompt.")
]
Force = Annotated[
    bool, typer.Option("--force", help="Redo every photo; old records stay in the journal.")
]
Include = Annotated[
    Optional[list[str]],
    typer.Option("--include", help="Only photos that match this glob. May be given again."),
]
Exclude = Annotated[
    Optional[list[str]],
    typer.Option("--exclude", help="No photos that match this glob. May be given again."),
]

HERE = Path()


def open_workspace(workspace: Path) -> Settings:
    """Return the settings of a workspace, and print what is odd about them."""
    try:
        settings = load_settings(workspace)
    except SettingsError as error:
        fail(str(error), ExitCode.USAGE)
    for warning in settings.warnings:
        warn(f"warning: {warning}")
    return settings


def journal_path(workspace: Path, journal: Path | None) -> Path:
    """Return the captions journal of a workspace."""
    return journal or workspace / "captions.jsonl"


def photos_directory(photos_dir: Path | None, settings: Settings) -> Path:
    """Return the photos directory; end with a usage error if there is none."""
    found = photos_dir or settings.photos_dir
    if found is None:
        fail(
            "no photos directory; give --photos-dir DIR, or set PHOTOS_DIR in config.env",
            ExitCode.USAGE,
        )
    return existing_directory(found)


def existing_directory(photos_dir: Path) -> Path:
    """Return a photos directory that is there; end with a usage error if it is not."""
    if not photos_dir.is_dir():
        fail(
            f"the photos directory {photos_dir} does not exist; give another with --photos-dir",
            ExitCode.USAGE,
        )
    return photos_dir


def selection_of(
    retry_status: str | None, retry_backend: str | None, retry_stale: bool, force: bool
) -> Selection:
    """Return which photos are put to work again; end with a usage error on an unknown status."""
    statuses = frozenset(filter(None, (retry_status or "").replace(" ", "").split(",")))
    for status in sorted(statuses - set(STATUSES)):
        fail(f"--retry-status knows {', '.join(STATUSES)}, not {status!r}", ExitCode.USAGE)
    return Selection(statuses, retry_backend, retry_stale, force)


def request_of(
    workspace: Path,
    settings: Settings,
    *,
    photos_dir: Path | None,
    journal: Path | None,
    backend: str | None,
    options: Options,
    selection: Selection,
    include: list[str] | None,
    exclude: list[str] | None,
) -> RunRequest:
    """Return the request that settings and flags add up to."""
    return RunRequest(
        photos_dir=photos_directory(photos_dir, settings),
        workspace=workspace,
        journal=journal_path(workspace, journal),
        backend=backend or settings.choices.backend,
        options=options,
        selection=selection,
        include=tuple(include or ()),
        exclude=tuple(exclude or ()),
    )


def backend_options(
    settings: Settings,
    *,
    model: str | None,
    prompt: str | None,
    base_url: str | None = None,
    max_workers: int | None = None,
    batch_size: int | None = None,
    max_edge: int | None = None,
    detail: str | None = None,
    mock_error_rate: float = 0.0,
    mock_latency: float = 0.0,
) -> Options:
    """Return what a backend is told: flags over the choices in `pcc.toml`."""
    choices = settings.choices
    return Options(
        prompt=prompt or choices.prompt,
        model=model or choices.model,
        workers=max_workers or choices.max_workers,
        batch_size=batch_size or choices.batch_size,
        base_url=base_url or choices.base_url,
        max_edge=max_edge or choices.max_edge,
        detail=detail or choices.detail,  # type: ignore[arg-type]
        keys=settings.keys,
        prices=settings.prices,
        request_timeout=settings.request_timeout,
        mock_error_rate=mock_error_rate,
        mock_latency=mock_latency,
    )
