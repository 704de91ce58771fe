"""Following and commanding a running job from the command line."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import msgspec

from pcc_tui.cli.live import show, status_line
from pcc_tui.cli.output import print_json, say
from pipeline.jobs.control_client import ControlClient
from pipeline.jobs.control_messages import Command
from pipeline.jobs.progress import Snapshot

CLIENT = "watch"
"""How `pcc watch` signs its commands; the log of the job tells who ended the job."""


async def send_commands(workspace: Path, commands: list[str], *, json: bool) -> None:
    """Send commands to the job of a workspace and print each reply."""
    async with ControlClient.connected(workspace) as client:
        run = client.run_file.run
        for command in commands:
            reply = await client.ask(msgspec.convert(command, Command), by=CLIENT)
            if json:
                print_json({"kind": "reply", "run": run, "reply": reply}, indent=None)
            else:
                say(f"{run}: {reply}")


async def follow(workspace: Path, *, once: bool, json: bool) -> None:
    """Show the job of a workspace until it ends, or one snapshot of it."""
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
                    return
        finally:
            if showing is not None:
                showing.cancel()
                await asyncio.gather(showing, return_exceptions=True)
        if latest and not json:
            say(status_line(latest[0]))
