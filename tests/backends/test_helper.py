"""A helper process: what its owner is told when the helper does not answer."""

from __future__ import annotations

import asyncio

import pytest

from backends.helper import Helper, HelperDied


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
