"""Running a command of `pcc` as a process of its own, and reading its answer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from backends.keys import scrub
from backends.processes import end
from journal import UNREADABLE
from pcc_tui.desks.commands import PCC, in_words
from pcc_tui.errors import CommandFailed

SILENCE_SECONDS = 300.0
"""A command that says nothing for so long hangs; a model that loads tells how far it is."""

LONGEST_LINE = 1 << 20
"""Bytes of one line about how far a command is."""

T = TypeVar("T")


async def answer_of(
    arguments: Iterable[str],
    kind: type[T],
    *,
    environment: Mapping[str, str] | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> T:
    """Run a command with `--json`, and return its answer.

    Args:
        arguments: The command, as `Commands` makes it.
        kind: What the command answers.
        environment: Further variables for the command; empty ones are left out.
        tell: Gets each line about how far the command is.

    Raises:
        CommandFailed: the command gave no answer, or none of that kind; says why.
    """
    command = [*arguments]
    answer = await _output_of(command, environment or {}, tell)
    try:
        return msgspec.json.decode(answer, type=kind)
    except UNREADABLE:
        raise CommandFailed(f"the answer of `{in_words(command)}` cannot be read") from None


async def _output_of(
    arguments: Iterable[str], environment: Mapping[str, str], tell: Callable[[str], None]
) -> bytes:
    """Return what a command prints.

    Raises:
        CommandFailed: the command prints nothing; says why.
    """
    set_ = {name: value for name, value in environment.items() if value}
    process = await _to_the_end(
        asyncio.create_subprocess_exec(
            *(*PCC, *arguments, "--json"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **set_},
            limit=LONGEST_LINE,
        )
    )
    try:
        await asyncio.sleep(0)  # lets a cancellation that came meanwhile act
        assert process.stdout is not None
        answering = asyncio.create_task(process.stdout.read())
        last_line = await _follow(process, tell)
        answer = await answering
    finally:
        await _to_the_end(end(process, 0.0))
    if not answer:
        raise CommandFailed(scrub(last_line or f"exit code {process.returncode}"))
    return answer


async def _to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Wait for something that must not be left half done, and takes a moment only.

    Whoever cancels, however often, is heard afterwards: a process that nobody
    holds would run on, and one that nobody has waited for stays in the table.
    """
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
    if cancelled and (current := asyncio.current_task()) is not None:
        current.cancel()
    return task.result()


async def _follow(process: asyncio.subprocess.Process, tell: Callable[[str], None]) -> str:
    """Pass on what a command says until it ends; return the last line.

    Raises:
        CommandFailed: the command says nothing for too long.
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
