"""The options that commands share, and what is required of their values."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Annotated, Literal, Optional, get_args

import typer

from backends.installation import extra_line
from backends.registry import has_extra
from journal import Status, read_whole, what_failed
from pcc_tui.cli.exit_codes import ExitCode
from pcc_tui.cli.named_photos import is_there, key_of
from pcc_tui.cli.output import fail, warn
from pcc_tui.errors import SettingsError
from pcc_tui.settings import MOST_TOKENS, MOST_WORKERS, Settings, load_settings
from pipeline.captions.plan import Selection

STATUSES: tuple[str, ...] = get_args(Status)


@dataclasses.dataclass(frozen=True)
class SiteOptions:
    """Where to work and how to answer. Every command on a workspace takes these."""

    workspace: Annotated[
        Path,
        typer.Option(
            help="Directory of journal, log and settings.", show_default="current directory"
        ),
    ] = Path()
    photos_dir: Annotated[
        Optional[Path],
        typer.Option(
            help="The photo library; only ever read.", show_default="PHOTOS_DIR, or pcc.toml"
        ),
    ] = None
    captions_jsonl: Annotated[
        Optional[Path],
        typer.Option(help="The captions journal.", show_default="WORKSPACE/captions.jsonl"),
    ] = None
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON document and nothing else.")
    ] = False
    yes: Annotated[bool, typer.Option("--yes", help="Answer questions with yes.")] = False

    @property
    def journal(self) -> Path:
        """The captions journal."""
        return self.captions_jsonl or self.workspace / "captions.jsonl"

    def settings(self) -> Settings:
        """Return the settings of the workspace, and print the warnings about them."""
        try:
            settings = load_settings(self.workspace, journal=self.journal)
        except SettingsError as error:
            fail(str(error), ExitCode.USAGE)
        for warning in settings.warnings:
            warn(f"warning: {warning}")
        return settings

    def photos(self, settings: Settings) -> Path:
        """Return the photos directory; end with a usage error if there is none."""
        found = self.photos_dir or settings.photos_dir
        if found is None:
            fail(
                "no photos directory; give --photos-dir DIR, or set PHOTOS_DIR in config.env",
                ExitCode.USAGE,
            )
        if not found.is_dir():
            fail(
                f"the photos directory {found} does not exist; give another with --photos-dir",
                ExitCode.USAGE,
            )
        return found

    def library(self) -> Path | None:
        """Return the photos directory, None on a machine that has only the journal.

        Ends with a usage error where there is neither a journal nor a photos directory.
        """
        if self.journal.is_dir():
            fail(f"{self.journal} is a directory; --captions-jsonl names a file", ExitCode.USAGE)
        photos_dir = self.photos_if_here(self.settings())
        if photos_dir is None and not self.journal.is_file():
            fail(
                f"there is neither a journal at {self.journal} nor a photos directory; "
                "give one with --captions-jsonl or --photos-dir",
                ExitCode.USAGE,
            )
        return photos_dir

    def photos_if_here(self, settings: Settings) -> Path | None:
        """Return the photos directory, None where none is named or the directory is not there."""
        found = self.photos_dir or settings.photos_dir
        if found is not None and not found.is_dir():
            warn(f"warning: {found} is not there; going by the journal alone")
            return None
        return found


@dataclasses.dataclass(frozen=True)
class CaptioningOptions:
    """What makes the captions."""

    backend: Annotated[
        Optional[str],
        typer.Option(
            help="What makes the captions; `pcc doctor` lists them.",
            show_default="what captioned here last, else basic",
        ),
    ] = None
    model: Annotated[
        Optional[str], typer.Option(help="Model id.", show_default="the backend's own")
    ] = None
    prompt: Annotated[
        Optional[str],
        typer.Option(envvar="PCC_PROMPT", help="Instruction sent with each photo."),
    ] = None
    base_url: Annotated[
        Optional[str],
        typer.Option(
            envvar="PCC_BASE_URL",
            help="Another server: a URL, or vllm, sglang, ollama, lmstudio, llamacpp.",
        ),
    ] = None


@dataclasses.dataclass(frozen=True)
class GlobOptions:
    """Which photos."""

    include: Annotated[
        Optional[list[str]],
        typer.Option(help="Only photos that match this glob. May be given again."),
    ] = None
    exclude: Annotated[
        Optional[list[str]],
        typer.Option(help="No photos that match this glob. May be given again."),
    ] = None


@dataclasses.dataclass(frozen=True)
class SelectionOptions(GlobOptions):
    """What to caption, and what to redo."""

    retry_status: Annotated[
        Optional[str],
        typer.Option(help="Retry photos with these statuses, such as error_api,error_model."),
    ] = None
    retry_only: Annotated[
        bool, typer.Option("--retry-only", help="Retry alone: no photo that has no record yet.")
    ] = False
    retry_backend: Annotated[
        Optional[str], typer.Option(help="Redo what this backend captioned.")
    ] = None
    retry_stale: Annotated[
        bool, typer.Option("--retry-stale", help="Redo captions of another model or prompt.")
    ] = False
    force: Annotated[
        bool, typer.Option("--force", help="Redo every photo; old records stay in the journal.")
    ] = False
    retry_list: Annotated[
        Optional[Path],
        typer.Option(help="Work on the photos this file lists, one path a line, and no others."),
    ] = None

    def chosen(self, photos_dir: Path) -> Selection:
        """Return which photos are captioned again; end with a usage error if a value is wrong."""
        statuses = frozenset(filter(None, (self.retry_status or "").replace(" ", "").split(",")))
        for status in sorted(statuses - set(STATUSES)):
            fail(f"--retry-status knows {', '.join(STATUSES)}, not {status!r}", ExitCode.USAGE)
        retries = statuses or self.retry_backend or self.retry_stale or self.force
        if self.retry_only and not retries:
            fail("--retry-only goes with a flag that says what to retry", ExitCode.USAGE)
        keys = None if self.retry_list is None else _listed_keys(self.retry_list, photos_dir)
        return Selection(
            statuses, self.retry_backend, self.retry_stale, self.force, keys, self.retry_only
        )


def _listed_keys(path: Path, photos_dir: Path) -> frozenset[str]:
    """Return the keys of the photos that a file lists.

    A name a line; a list with names that hold a newline has NUL between the names.
    """
    try:
        data = read_whole(path)
    except OSError as error:
        fail(f"--retry-list {what_failed(error)}", ExitCode.USAGE)
    names = data.split(b"\0" if b"\0" in data else b"\n")
    listed = (os.fsdecode(name.rstrip(b"\r")) for name in names if name.strip())
    return frozenset(key_of(photos_dir, name, is_there(photos_dir)) for name in listed)


@dataclasses.dataclass(frozen=True)
class PaceOptions:
    """How to drive the backend."""

    max_workers: Annotated[
        Optional[int], typer.Option(min=1, max=MOST_WORKERS, help="Calls in flight at most.")
    ] = None
    batch_size: Annotated[
        Optional[int], typer.Option(min=1, max=MOST_WORKERS, help="Photos to a batch.")
    ] = None
    max_edge: Annotated[
        Optional[int],
        typer.Option(min=64, max=2048, help="Longest side sent to an API, in pixels."),
    ] = None
    max_tokens: Annotated[
        Optional[int],
        typer.Option(
            min=16,
            max=MOST_TOKENS,
            help="Most tokens of an answer, thoughts included.",
            show_default="300",
        ),
    ] = None
    detail: Annotated[
        Optional[Literal["low", "high", "auto"]],
        typer.Option(help="How closely an API looks.", show_default="low with openai"),
    ] = None
    quantize: Annotated[
        Optional[Literal["none", "int8", "int4"]],
        typer.Option(help="Bits of a local model's weights.", show_default="what fits"),
    ] = None
    dtype: Annotated[
        Optional[Literal["float32", "bfloat16", "float16"]],
        typer.Option(help="Number format of a local model.", show_default="the hardware's best"),
    ] = None
    device: Annotated[
        Optional[str],
        typer.Option(help="Where a local model runs, such as cuda:1.", show_default="a GPU"),
    ] = None
    revision: Annotated[
        Optional[str], typer.Option(help="Commit or tag of a local model's repository.")
    ] = None
    trust_remote_code: Annotated[
        bool,
        typer.Option("--trust-remote-code", help="Run code that comes with a local model."),
    ] = False
    mock_error_rate: Annotated[float, typer.Option(help="Share of photos that `mock` fails.")] = 0.0
    mock_latency: Annotated[float, typer.Option(help="Seconds that `mock` takes for a photo.")] = (
        0.0
    )


def require_journal(site: SiteOptions) -> Path:
    """Return the captions journal; end with a usage error if there is none."""
    if not site.journal.is_file():
        fail(
            f"there is no journal at {site.journal}; give another with --captions-jsonl",
            ExitCode.USAGE,
        )
    return site.journal


def require_extra(extra: str, command: str) -> None:
    """End with a usage error if a command's packages are not installed."""
    if not has_extra(extra):
        fail(f"{command} needs more packages: {extra_line(extra)}", ExitCode.USAGE)


def require_text(option: str, value: str) -> None:
    """End with a usage error if the value of an option is not UTF-8 and cannot be recorded."""
    try:
        value.encode()
    except UnicodeEncodeError:
        fail(f"the value of {option} is not UTF-8", ExitCode.USAGE)
