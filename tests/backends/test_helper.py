"""A helper process: what its owner is told when the helper does not answer."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from backends.helper import Helper, HelperDied
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
