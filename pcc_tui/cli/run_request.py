"""The run that settings and flags add up to; flags win."""

from __future__ import annotations

from backends.base import Options
from pcc_tui.cli.exit_codes import ExitCode
from pcc_tui.cli.options import (
    CaptioningOptions,
    PaceOptions,
    SelectionOptions,
    SiteOptions,
    require_text,
)
from pcc_tui.cli.origin import origin
from pcc_tui.cli.output import fail
from pcc_tui.settings import Settings
from pipeline.captions.last_captioner import is_plain
from pipeline.captions.request import RunRequest


def request_of(
    site: SiteOptions, captioning: CaptioningOptions, selection: SelectionOptions, pace: PaceOptions
) -> RunRequest:
    """Return the run; end with a usage error where the flags make no sense."""
    for option, value in (
        ("--workspace", str(site.workspace)),
        ("--captions-jsonl", str(site.journal)),
    ):
        require_text(option, value)
    if site.journal.is_dir():
        fail(f"{site.journal} is a directory; --captions-jsonl names a file", ExitCode.USAGE)
    settings = site.settings()
    photos = site.photos(settings)
    site.warn_of_photos(photos)
    backend, options = backend_options(settings, captioning, pace)
    return RunRequest(
        photos_dir=photos,
        workspace=site.workspace,
        journal=site.journal,
        backend=backend,
        options=options,
        recalled=None if captioning.backend else settings.recalled,
        selection=selection.chosen(photos),
        include=tuple(selection.include or ()),
        exclude=tuple(selection.exclude or ()),
    )


def require_server(request: RunRequest, *words: str) -> None:
    """End with a usage error if photos would go to a server that nobody named.

    A journal alone tells which backend captioned, and not on whose machine.

    Args:
        request: What was asked for.
        words: What follows `pcc` in the command that asked.
    """
    recalled = request.recalled
    if recalled is None or recalled.server_known or request.options.base_url:
        return
    name = f"{recalled.backend} / {recalled.model}" if recalled.model else recalled.backend
    whole = origin().command_line(*words)
    fail(
        f"the last captions here are by {name}, and nothing tells on which server; add --base-url, "
        f"or for the vendor's own server: `{whole}`",
        ExitCode.USAGE,
    )


def captioner_words(request: RunRequest) -> str:
    """Return who makes the captions, and that it is who did so last where nobody named it."""
    options = request.options
    model = f" / {options.model}" if options.model else ""
    server = f" at {options.base_url}" if is_plain(options.base_url or "@") else ""
    why = ", which captioned here last" if request.recalled is not None else ""
    return f"{request.backend}{model}{server}{why}"


def backend_options(
    settings: Settings, captioning: CaptioningOptions, pace: PaceOptions
) -> tuple[str, Options]:
    """Return the name of the backend, and what settings and flags tell the backend."""
    require_text("--model", captioning.model or "")
    require_text("--prompt", captioning.prompt or "")
    backend = captioning.backend or settings.choices.backend
    options = settings.options(
        backend,
        prompt=captioning.prompt or None,
        model=captioning.model or None,
        workers=pace.max_workers,
        batch_size=pace.batch_size,
        base_url=captioning.base_url or None,
        max_edge=pace.max_edge,
        max_tokens=pace.max_tokens,
        detail=pace.detail,
        quantize=pace.quantize,
        dtype=pace.dtype,
        device=pace.device or None,
        revision=pace.revision or None,
        trust_remote_code=pace.trust_remote_code,
        mock_error_rate=pace.mock_error_rate,
        mock_latency=pace.mock_latency,
    )
    return backend, options
