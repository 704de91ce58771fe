"""`pcc watch`: see a running job, pause it, resume it, stop it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from pcc_tui.cli import options as shared
from pcc_tui.cli.live import show, status_line
from pcc_tui.cli.output import ExitCode, print_json, say, warn
from pipeline.jobs.control import Command, ControlClient
from pipeline.jobs.errors import NoJob
from pipeline.jobs.progress import Snapshot


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
    commands: list[Command] = []
    for name, wanted in (("pause", pause), ("resume", resume), ("retry", retry), ("stop", stop)):
        if wanted:
            commands.append(name)  # type: ignore[arg-type]
    try:
        if commands:
            return asyncio.run(_command(workspace, commands))
        return asyncio.run(_follow(workspace, once=once, json=json))
    except NoJob as error:
        warn(f"pcc: {error}")
        return ExitCode.FAILED if commands else ExitCode.OK
    except KeyboardInterrupt:
        return ExitCode.OK


async def _command(workspace: Path, commands: list[Command]) -> int:
    """Send commands and wait for each reply."""
    async with ControlClient.connected(workspace) as client:
        for command in commands:
            await client.send(command)
            async for message in client.messages():
                if message.reply is not None:
                    say(f"{client.run_file.run}: {message.reply}")
                    break
    return ExitCode.OK


async def _follow(workspace: Path, *, once: bool, json: bool) -> int:
    async with ControlClient.connected(workspace) as client:
        latest: list[Snapshot] = []
        showing: asyncio.Task[None] | None = None
        try:
            async for message in client.messages():
                if message.snapshot is None:
                    continue
                latest[:] = [message.snapshot]
                if json:
                    print_json(message.snapshot, indent=None)
                elif once:
                    say(status_line(message.snapshot))
                elif showing is None:
                    say(status_line(message.snapshot))
                    showing = asyncio.create_task(show(lambda: latest[0], sys.stdout))
                if once:
                    return ExitCode.OK
        finally:
            if showing is not None:
                showing.cancel()
                await asyncio.gather(showing, return_exceptions=True)
        if latest and not json:
            say(status_line(latest[0]))
    return ExitCode.OK
