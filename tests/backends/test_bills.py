"""Every attempt that may have been billed is counted, whatever came of the photo."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from backends.base import Caption
from backends.errors import CallError, TransientError, UnaskedError
from pipeline.jobs.budget import Budget
from tests.support.api_server import ApiServer, Reply
from tests.support.protocols import Protocol
from tests.support.vendors import COST, PHOTO, ask, make

ANSWERED: dict[str, Any] = {
    "no JSON": lambda protocol: Reply(body="certainly! a dog"),
    "another shape": lambda protocol: Reply(body='{"id": 1}'),
    "cut off in the body": lambda protocol: Reply(body=protocol.good().body, cut=200),
    "too late": lambda protocol: Reply(hang=True),
    "closed without an answer": lambda protocol: Reply(raw=b""),
    "an error with HTTP 200": lambda protocol: Reply(
        body={"error": {"message": "upstream is busy", "code": 503}}
    ),
}


@pytest.mark.parametrize("trouble", ANSWERED.values(), ids=ANSWERED)
async def test_attempts_that_may_be_billed_cost_the_most_they_can(
    protocol: Protocol,
    trouble: Any,
) -> None:
    with ApiServer(protocol, lambda request: trouble(protocol)) as server:
        answer = await ask(protocol, server, request_timeout=0.2)
        bound = make(protocol, server).cost_bound()

    assert isinstance(answer, TransientError), answer
    assert len(server.captions) == 5
    assert answer.cost_usd == pytest.approx(5 * bound)


async def test_a_caption_costs_the_attempts_before_it_as_well(protocol: Protocol) -> None:
    def script(request: Any) -> Reply:
        return Reply(body="certainly!") if request.number < 2 else protocol.good()

    with ApiServer(protocol, script) as server:
        answer = await ask(protocol, server)
        bound = make(protocol, server).cost_bound()

    assert isinstance(answer, Caption)
    assert answer.cost_usd == pytest.approx(2 * bound + COST[protocol.name] / 1e6)


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
async def test_what_a_server_refuses_costs_nothing(protocol: Protocol, status: int) -> None:
    with ApiServer(protocol, lambda request: protocol.error(status, "no")) as server:
        answer = await ask(protocol, server)

    assert isinstance(answer, CallError)
    assert answer.cost_usd is None


async def test_a_server_that_is_not_there_costs_nothing(protocol: Protocol) -> None:
    with ApiServer(protocol) as gone:
        pass
    answer = await ask(protocol, gone)

    assert isinstance(answer, TransientError)
    assert answer.cost_usd is None


async def test_a_call_is_not_repeated_beyond_the_budget(protocol: Protocol) -> None:
    with ApiServer(protocol, lambda request: Reply(body="certainly!")) as server:
        captioner = make(protocol, server)
        bound = captioner.cost_bound()
        budget = Budget(2.5 * bound, bound=bound)
        captioner.may_repeat = budget.admit_repeat
        assert await budget.reserve(1)
        [answer] = await captioner.caption_batch([PHOTO])
        await captioner.close()

    assert len(server.captions) == 2
    assert isinstance(answer, CallError)
    assert answer.cost_usd == pytest.approx(2 * bound)
    budget.charge(answer.cost_usd, answered=False)
    assert budget.spent == pytest.approx(2 * bound)
    assert not await budget.reserve(1)


async def test_what_was_set_aside_for_repeats_is_given_back() -> None:
    budget = Budget(10.0, bound=1.0)
    assert await budget.reserve(2)
    assert budget.admit_repeat()
    assert budget.admit_repeat()

    budget.charge(2.1, answered=True)  # two attempts at the most each, then a caption
    assert await budget.reserve(6)  # 2.1 spent, 1 in flight, 6 more: 9.1 of 10
    assert not budget.admit_repeat()


async def test_an_answer_on_its_way_has_a_bounded_time_after_a_stop(
    protocol: Protocol, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backends.api.LAST_SECONDS", 0.1)
    with ApiServer(protocol, lambda request: Reply(hang=True)) as server:
        captioner = make(protocol, server, request_timeout=3600)
        under_way = asyncio.create_task(captioner.caption_batch([PHOTO]))
        while not server.captions:
            await asyncio.sleep(0.01)
        captioner.stop_waiting()
        async with asyncio.timeout(10):
            [answer] = await under_way
        await captioner.close()

    assert isinstance(answer, UnaskedError), answer
    assert answer.cost_usd == captioner.cost_bound()
    assert "no answer from" in str(answer)
    assert "3600" not in str(answer)  # the limit that the stop replaced
    assert len(server.captions) == 1
