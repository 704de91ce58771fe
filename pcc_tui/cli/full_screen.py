"""`pcc` without a command: the full-screen app, where there is a terminal for it."""

from __future__ import annotations

import gc
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Optional

import typer

from pcc_tui.cli.exit_codes import ExitCode
from pcc_tui.cli.groups import show_help, takes_groups
from pcc_tui.cli.options import SiteOptions
from pcc_tui.cli.output import warn
from pcc_tui.errors import SettingsError

if TYPE_CHECKING:
    from pcc_tui.app import PccApp
    from pcc_tui.preferences import Images, Preferences
    from pcc_tui.workspace import Workspace

SLOW_FRAMES, FAST_FRAMES = "15", "120"
"""Most frames a second, over SSH and without SSH; a key waits for the next frame."""

SWITCH_SECONDS = 0.001
"""How long the thread that reads the journal may keep the event loop waiting."""


def is_terminal() -> bool:
    """Tell whether a full-screen app can be shown and used here."""
    return (
        sys.stdin is not None
        and sys.stdin.isatty()
        and sys.stdout.isatty()
        and os.environ.get("TERM", "dumb") not in ("dumb", "unknown", "")
    )


@takes_groups
def open_or_help(
    context: typer.Context,
    site: SiteOptions,
    images: Annotated[
        Optional[Literal["auto", "kitty", "sixel", "halfcell", "off"]],
        typer.Option(help="How the app draws pictures.", show_default="as the terminal can"),
    ] = None,
) -> int:
    """Open the app on a terminal, show the help elsewhere, leave commands to themselves."""
    if context.invoked_subcommand is not None:
        return ExitCode.OK
    if not is_terminal():
        show_help(context)
        return ExitCode.OK
    return open_app(site.workspace, site.photos_dir, site.captions_jsonl, images)


def open_app(
    workspace: Path,
    photos_dir: Path | None = None,
    captions_jsonl: Path | None = None,
    images: Images | None = None,
    *,
    caption_at_once: bool = False,
) -> int:
    """Open the app on a workspace and return its exit code.

    Args:
        workspace: The directory of the workspace.
        photos_dir: The photos directory; beats the settings.
        captions_jsonl: The captions journal.
        images: How to draw pictures; beats the preferences.
        caption_at_once: Whether to start a run as soon as the app is open.

    Raises:
        SettingsError: a settings file is wrong.
    """
    from pcc_tui.locations import preferences_path
    from pcc_tui.preferences import load_preferences

    preferences = load_preferences(preferences_path())
    check_keys(preferences)
    frames = SLOW_FRAMES if "SSH_CONNECTION" in os.environ else FAST_FRAMES
    os.environ.setdefault("TEXTUAL_FPS", frames)
    sys.setswitchinterval(SWITCH_SECONDS)
    from pcc_tui.workspace import Workspace

    place = Workspace(workspace, photos_dir, captions_jsonl)
    app = _make_app(place, preferences, images, caption_at_once=caption_at_once)
    code = _run(app)
    if app.job_kept:
        warn(f"The job goes on. Show it again: {place.origin().command_line()}")
    return code or app.return_code or ExitCode.OK


def _run(app: PccApp) -> int | None:
    """Run the app with few pauses, and put everything back as it was."""
    from pcc_tui.terminal import LEAVING, drawn_in_cells

    # The collector need not look again and again at what lives as long as the app.
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)
    before = {number: signal.getsignal(number) for number in LEAVING}
    try:
        with drawn_in_cells():
            return app.run(mouse=True)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _make_app(
    workspace: Workspace, preferences: Preferences, images: Images | None, *, caption_at_once: bool
) -> PccApp:
    from pcc_tui.app import PccApp
    from pcc_tui.desks.desks import Desks
    from pcc_tui.graphics import choose_protocol, image_widget
    from pcc_tui.probes import MachineProbe

    widget = image_widget(choose_protocol(images or preferences.images))
    machine = MachineProbe(workspace.path)
    desks = Desks(workspace)
    return PccApp(desks, preferences, widget, machine, caption_at_once=caption_at_once)


def check_keys(preferences: Preferences) -> None:
    """Make sure that every remapped action exists.

    Raises:
        SettingsError: an action does not exist; names the nearest.
    """
    if not preferences.keys:
        return
    from pcc_tui.keys import binding_ids
    from pcc_tui.locations import preferences_path
    from pcc_tui.toml import nearest

    known = tuple(sorted(binding_ids()))
    hint = nearest(preferences.keys, known)
    if hint:
        raise SettingsError(f"{preferences_path()}: no such key in [keys]{hint}")
