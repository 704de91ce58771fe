"""Commands of `pcc` that the app runs as processes of their own, and their answers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from backends.keys import scrub
from pcc_tui.errors import CommandFailed
from pcc_tui.job_link import PCC

SILENCE_SECONDS = 300.0
"""A command that says nothing for so long hangs; a model that loads tells how far it is."""


LONGEST_LINE = 1 << 20


async def answer_of(
    arguments: Iterable[str],
    environment: Mapping[str, str] | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> bytes:
    """Run a command, and return what it printed.

    Args:
        arguments: The command, and its options.
        environment: Variables for it; empty ones are left out.
        tell: Gets each line about how far it is.

    Raises:
        CommandFailed: it printed nothing, and why.
    """
    set_ = {name: value for name, value in (environment or {}).items() if value}
    process = await asyncio.create_subprocess_exec(
        *(*PCC, *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **set_},
        limit=LONGEST_LINE,
    )
    try:
        assert process.stdout is not None
        answering = asyncio.create_task(process.stdout.read())
        last_line = await _follow(process, tell)
        answer = await answering
    finally:
        if process.returncode is None:
            process.kill()
        await _bury(process)
    if not answer:
        raise CommandFailed(scrub(last_line or f"exit code {process.returncode}"))
    return answer


async def _bury(process: asyncio.subprocess.Process) -> None:
    """Wait until a process is over, however often the waiting is cancelled: it is dying."""
    waiting = asyncio.ensure_future(process.wait())
    while not waiting.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(waiting)


async def _follow(process: asyncio.subprocess.Process, tell: Callable[[str], None]) -> str:
    """Pass on what a command says until it ends; return its last line.

    Raises:
        CommandFailed: it says nothing for too long.
    """
    assert process.stderr is not None
    last = ""
    while True:
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                line = await process.stderr.readline()
        except ValueError:
            raise CommandFailed("it said more on one line than anybody would") from None
        except TimeoutError:
            raise CommandFailed(f"no answer in {SILENCE_SECONDS:.0f} s") from None
        if not line:
            return last
        last = line.decode("utf-8", "replace").strip() or last
        tell(last)
