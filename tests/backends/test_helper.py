"""A helper process: what its owner is told when the helper does not answer."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from backends import processes
from backends.helper import Helper, HelperDied, HelperHung
from pipeline.photos.decoder import WORKER_MODULE
from pipeline.photos.messages import DecodeReply, DecodeRequest
from tests.support.ingesting import wait_until

OWNER = """
import asyncio
from backends.helper import Helper
from pipeline.photos.decoder import WORKER_MODULE
from pipeline.photos.messages import DecodeReply

async def own():
    helper = Helper(WORKER_MODULE, DecodeReply)
    await helper.start()
    await helper.receive()
    helper.hold(True)
    print(helper.process.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(own())
"""


async def how_it_ends(module: str) -> HelperDied:
    helper = Helper[int, int](module, int)
    await helper.start()
    with pytest.raises(HelperDied) as caught:
        await asyncio.wait_for(helper.receive(), 60)
    assert helper.process.returncode is not None
    return caught.value


async def test_its_last_words_are_told() -> None:
    died = await how_it_ends("no_such_module")

    assert str(died) == "died of exit status 1"
    assert died.last_line.endswith("No module named no_such_module")
    assert not died.killed


async def test_one_that_sends_more_than_any_reply_takes_is_ended() -> None:
    """The module `this` prints a poem, whose first letters are a large number."""
    died = await how_it_ends("this")

    assert str(died) == "sent what cannot be read: a reply of 1,416,127,776 bytes"
    assert died.status is None
    assert not died.killed


async def stopped_helper(patience: float) -> Helper[DecodeRequest, DecodeReply]:
    """Return a helper that a signal has stopped."""
    helper = Helper[DecodeRequest, DecodeReply](WORKER_MODULE, DecodeReply)
    await helper.start()
    await asyncio.wait_for(helper.receive(), 60)
    os.kill(helper.process.pid, signal.SIGSTOP)
    helper.patience = patience
    return helper


async def test_one_that_gives_no_sign_of_life_is_ended() -> None:
    helper = await stopped_helper(patience=1)
    with pytest.raises(HelperHung, match="gave no sign of life for 1 s") as caught:
        await asyncio.wait_for(helper.receive(), 60)

    assert not caught.value.waited, "whoever stopped it is to blame, not a disk"
    assert helper.process.returncode == -signal.SIGKILL


async def test_one_that_cannot_be_killed_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that waits for a dead share outlives SIGKILL; here, the signal is not sent."""
    monkeypatch.setattr(processes, "KILL_SECONDS", 0.1)
    monkeypatch.setattr(asyncio.subprocess.Process, "kill", lambda self: None)
    helper = await stopped_helper(patience=0.1)
    with pytest.raises(HelperHung):
        await asyncio.wait_for(helper.receive(), 60)

    assert helper.process.returncode is None
    await asyncio.wait_for(helper.process.wait(), 60)  # letting go sends the signal after all


def alive(process: psutil.Process) -> bool:
    """Tell whether a process still runs; whether anybody has waited for it does not matter."""
    return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)


@pytest.mark.skipif(sys.platform != "linux", reason="no other kernel tells a process that")
def test_a_frozen_one_dies_with_its_owner() -> None:
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], cwd=root, stdout=subprocess.PIPE, text=True
    ) as owner:
        try:
            assert owner.stdout is not None
            frozen = psutil.Process(int(owner.stdout.readline()))
            wait_until(lambda: frozen.status() == psutil.STATUS_STOPPED, "it is frozen")
        finally:
            owner.kill()
    wait_until(lambda: not alive(frozen), "it dies")
