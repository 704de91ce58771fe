"""`pcc try` as a process of its own, followed while a model loads."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable

import msgspec

from backends.keys import scrub
from pcc_tui.errors import TrialFailed
from pcc_tui.job_link import PCC
from pipeline.captions.trial import Trial

SILENCE_SECONDS = 300.0
"""A trial that says nothing for so long hangs; a model that loads tells how far it is."""


async def try_in_process(
    arguments: Iterable[str], environment: dict[str, str], tell: Callable[[str], None]
) -> Trial:
    """Caption one photo in a process of its own, and write nothing.

    Args:
        arguments: Of `pcc try`.
        environment: Variables for it; empty ones are left out.
        tell: Gets each line about how far it is.

    Raises:
        TrialFailed: there is no caption, and why.
    """
    process = await asyncio.create_subprocess_exec(
        *(*PCC, "try", "--json", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **{name: value for name, value in environment.items() if value}},
    )
    try:
        assert process.stdout is not None
        answering = asyncio.create_task(process.stdout.read())
        last_line = await _follow(process, tell)
        answer = await answering
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    if not answer:
        raise TrialFailed(scrub(last_line or f"exit code {process.returncode}"))
    try:
        return msgspec.json.decode(answer, type=Trial)
    except msgspec.MsgspecError:
        raise TrialFailed("the trial gave an answer that cannot be read") from None


async def _follow(process: asyncio.subprocess.Process, tell: Callable[[str], None]) -> str:
    """Pass on what a trial says until it ends; return its last line.

    Raises:
        TrialFailed: it says nothing for too long.
    """
    assert process.stderr is not None
    last = ""
    while True:
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                line = await process.stderr.readline()
        except TimeoutError:
            raise TrialFailed(f"no answer in {SILENCE_SECONDS:.0f} s") from None
        if not line:
            return last
        last = line.decode("utf-8", "replace").strip() or last
        tell(last)
