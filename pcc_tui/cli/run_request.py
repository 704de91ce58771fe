"""The run that settings and flags add up to; flags win."""

from __future__ import annotations

from typing import TextIO

from backends.base import Options
from backends.registry import backend_class
from pcc_tui.cli.exit_codes import ExitCode
from pcc_tui.cli.options import (
    CaptioningOptions,
    PaceOptions,
    SelectionOptions,
    SiteOptions,
    require_text,
)
from pcc_tui.cli.origin import origin
from pcc_tui.cli.output import fail, say
from pcc_tui.cli.question import agrees, require_terminal
from pcc_tui.known_servers import is_known, keep_server, server_of, server_question
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


def require_server(request: RunRequest, *names: str) -> None:
    """End with a usage error if photos would go to a server that nobody named.

    A journal alone tells which backend captioned, and not on whose machine.

    Args:
        request: What was asked for.
        names: Photos that stand on the line of the command that asked.
    """
    recalled = request.recalled
    if recalled is None or recalled.server_known or request.options.base_url:
        return
    name = f"{recalled.backend} / {recalled.model}" if recalled.model else recalled.backend
    whole = origin().same_line(*names)
    fail(
        f"the last captions here are by {name}, and nothing tells on which server; add --base-url, "
        f"or for the vendor's own server: `{whole}`",
        ExitCode.USAGE,
    )


def admits_server(
    backend: str, options: Options, captioning: CaptioningOptions, *, yes: bool, stream: TextIO
) -> bool:
    """Tell whether photos may go to the server; ask, once, where only a file names the server.

    Args:
        backend: Name of the backend.
        options: What the backend is told.
        captioning: What the command was told; a server named there is remembered.
        yes: Whether the question is answered already.
        stream: Where the question stands.
    """
    address = options.base_url
    if not captioning.base_url and not is_known(address):
        kind = backend_class(backend)
        if kind.local:
            return True
        key = kind.key_name if kind.key_name in options.keys else None
        question = server_question(backend, str(address), key)
        if not yes:
            require_terminal(
                stream,
                f"{question} If so, name the server with --base-url, or give --yes",
            )
            if not agrees(f"{question} (y/n)", stream):
                return False
        else:
            say(question.rpartition(" Is this")[0], to=stream)
    keep_server(address)
    return True


def captioner_words(request: RunRequest) -> str:
    """Return who makes the captions, and that it is who did so last where nobody named it."""
    options = request.options
    model = f" / {options.model}" if options.model else ""
    address = options.base_url or ""
    server = f" at {address if is_plain(address) else server_of(address)}" if address else ""
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
