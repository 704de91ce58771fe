"""`pcc watch`: see a running job, pause it, resume it, stop it."""

from __future__ import annotations

from typing import Annotated

import typer

from pcc_tui.cli import options as shared
from pcc_tui.cli.output import ExitCode, warn
from pipeline.jobs.errors import NoJob


def watch(
    workspace: shared.Workspace = shared.HERE,
    photos_dir: shared.PhotosDir = None,
    captions_jsonl: shared.Journal = None,
    pause: Annotated[bool, typer.Option("--pause", help="Pause the job.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Let a paused job go on.")] = False,
    stop: Annotated[
        bool, typer.Option("--stop", help="Stop the job after what is in flight.")
    ] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Retry what failed in this job.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Show one snapshot and end.")] = False,
    json: shared.Json = False,
    yes: shared.Yes = False,
) -> int:
    """Follow the job of this workspace until it ends; Ctrl+C leaves it running.

    With --json, one snapshot a line, ten a second.
    """
    import asyncio

    from pcc_tui.cli.follow import follow, send_commands
    from pipeline.jobs.control import Command

    wanted: list[tuple[Command, bool]] = [
        ("pause", pause),
        ("resume", resume),
        ("retry", retry),
        ("stop", stop),
    ]
    commands = [command for command, given in wanted if given]
    try:
        if commands:
            asyncio.run(send_commands(workspace, commands))
        else:
            asyncio.run(follow(workspace, once=once, json=json))
    except NoJob as error:
        warn(f"pcc: {error}")
        return ExitCode.FAILED if commands else ExitCode.OK
    except KeyboardInterrupt:
        pass  # whoever watches may leave; the job goes on
    return ExitCode.OK
