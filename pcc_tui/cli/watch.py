"""`pcc watch`: see a running job, pause it, resume it, stop it."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from pcc_tui.cli.groups import takes_groups
from pcc_tui.cli.options import SiteOptions
from pcc_tui.cli.output import ExitCode, warn
from pipeline.jobs.errors import NoJob


@dataclasses.dataclass(frozen=True)
class OrderOptions:
    """What to tell the running job."""

    pause: Annotated[bool, typer.Option("--pause", help="Pause the job.")] = False
    resume: Annotated[bool, typer.Option("--resume", help="Let a paused job go on.")] = False
    retry: Annotated[bool, typer.Option("--retry", help="Retry what failed in this job.")] = False
    stop: Annotated[bool, typer.Option("--stop", help="Stop the job after what is in flight.")] = (
        False
    )


@takes_groups
def watch(
    site: SiteOptions,
    orders: OrderOptions,
    once: Annotated[bool, typer.Option("--once", help="Show one snapshot and end.")] = False,
) -> int:
    """Follow the job of this workspace until it ends; Ctrl+C leaves it running.

    With --json, one snapshot a line, ten a second.
    """
    import asyncio

    from pcc_tui.cli.follow import follow, send_commands

    commands = [name for name, given in dataclasses.asdict(orders).items() if given]
    try:
        if commands:
            asyncio.run(send_commands(site.workspace, commands, json=site.json))
        else:
            asyncio.run(follow(site.workspace, once=once, json=site.json))
    except NoJob as error:
        warn(f"pcc: {error}")
        return ExitCode.FAILED if commands else ExitCode.OK
    except KeyboardInterrupt:
        pass  # the user may stop watching; the job goes on
    return ExitCode.OK
