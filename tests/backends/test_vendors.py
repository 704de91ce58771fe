"""Each vendor's backend: the real SDK against a server that speaks the real protocol."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from backends import answers
from backends.base import Caption, Options
from backends.errors import (
    AnswerError,
    AuthError,
    CallError,
    QuotaError,
    SetupError,
    TransientError,
)
from backends.registry import backend_class
from backends.retry import RetryPolicy
from tests.support.api_server import ApiServer, Reply
from tests.support.protocols import CAPTION, Protocol
from tests.support.vendors import COST, KEY, PHOTO, PRICED, ask, make


async def test_good_answer_brings_caption_tokens_and_cost(protocol: Protocol) -> None:
    with ApiServer(protocol) as server:
        answer = await ask(protocol, server)

    assert isinstance(answer, Caption), answer
    assert answer.text == CAPTION
    assert (answer.tokens_in, answer.tokens_out) == (300, 20)
    assert answer.cost_usd == pytest.approx(COST[protocol.name] / 1e6)


async def test_request_carries_key_prompt_and_pixels(protocol: Protocol) -> None:
    prompt = 'Say "hi"\n<picture>'
    with ApiServer(protocol) as server:
        await ask(protocol, server, prompt=prompt)

    [request] = server.captions
    assert protocol.key(request) == KEY
    assert protocol.prompt(request) == prompt
    with Image.open(BytesIO(protocol.picture(request))) as image:
        assert image.size == (640, 480)
        assert not image.getexif()


async def test_64_calls_at_once(protocol: Protocol) -> None:
    with ApiServer(protocol, latency=0.05) as server:
        captioner = make(protocol, server, workers=64, request_timeout=20.0)
        found = await asyncio.gather(*[captioner.caption(PHOTO) for _ in range(200)])
        await captioner.close()

    assert {answer.text for answer in found} == {CAPTION}
    assert len(server.captions) == 200


async def test_storm_of_429_is_weathered_with_fewer_calls_at_once(protocol: Protocol) -> None:
    def storm(request: Any) -> Reply:
        return protocol.rate_limited(0.05) if request.number < 60 else protocol.good()

    with ApiServer(protocol, storm, latency=0.01) as server:
        kind: Any = backend_class(protocol.name)
        options = Options(
            keys={kind.key_name: KEY},
            base_url=server.url,
            model=PRICED[protocol.name],
            workers=32,
        )
        captioner = kind(options, RetryPolicy(attempts=20, first_wait=0.01, longest_wait=0.02))
        found = await asyncio.gather(*[captioner.caption(PHOTO) for _ in range(100)])
        lowest = captioner._throttle.limit
        await captioner.close()

    assert {answer.text for answer in found} == {CAPTION}
    assert len(server.captions) == 160
    assert 1 <= lowest < 32


RATE_LIMITS = {
    "the vendor's own form": lambda protocol: protocol.rate_limited(0.01),
    "without a wait": lambda protocol: protocol.rate_limited(None),
    "a date past": lambda protocol: Reply(429, headers={"retry-after": formatdate(1)}),
    "nonsense": lambda protocol: Reply(429, headers={"retry-after": "a while"}),
    "milliseconds": lambda protocol: Reply(429, headers={"retry-after-ms": "5"}),
    "overload": lambda protocol: protocol.overloaded(),
    "500": lambda protocol: protocol.error(500, "oops"),
    "409": lambda protocol: protocol.error(409, "conflict"),
    "502 in HTML": lambda protocol: Reply(502, "<html>Bad gateway</html>"),
    "hang": lambda protocol: Reply(hang=True),
    "reset": lambda protocol: Reply(raw=b""),
    "cut off in the body": lambda protocol: Reply(body=protocol.good().body, cut=200),
    "no JSON": lambda protocol: Reply(body="certainly! a dog"),
    "empty body": lambda protocol: Reply(body=b""),
    "a number": lambda protocol: Reply(body="3"),
    "a list": lambda protocol: Reply(body="[1, 2]"),
    "another shape": lambda protocol: Reply(body={"candidates": "x", "content": 1, "choices": {}}),
    "nothing in it": lambda protocol: Reply(body="{}"),
    "invalid UTF-8": lambda protocol: Reply(body=b'{"content": "\xff\xfe"}'),
    "nested": lambda protocol: Reply(body='{"a":' * 5000),
    "nested, refused": lambda protocol: Reply(500, body='{"a":' * 5000),
    "endless": lambda protocol: Reply(headers={"content-length": str(1 << 40)}, endless=True),
    "compressed": lambda protocol: Reply(headers={"content-encoding": "gzip"}, body=b"\x1f\x8b"),
}


@pytest.mark.parametrize("trouble", RATE_LIMITS.values(), ids=RATE_LIMITS)
async def test_passing_trouble_gives_way(protocol: Protocol, trouble: Any) -> None:
    def script(request: Any) -> Reply:
        return trouble(protocol) if request.number < 2 else protocol.good()

    with ApiServer(protocol, script) as server:
        answer = await ask(protocol, server)

    assert isinstance(answer, Caption), answer
    assert len(server.captions) == 3


@pytest.mark.parametrize("trouble", RATE_LIMITS.values(), ids=RATE_LIMITS)
async def test_lasting_trouble_ends_after_five_requests(protocol: Protocol, trouble: Any) -> None:
    with ApiServer(protocol, lambda request: trouble(protocol)) as server:
        answer = await ask(protocol, server, request_timeout=0.2)

    assert isinstance(answer, TransientError), answer
    assert len(server.captions) == 5


DECLINED = {
    "refused": "refused",
    "safety": "refused",
    "cut_off": "cut off at the token limit",
    "empty": "empty answer",
}


@pytest.mark.parametrize(("kind", "words"), DECLINED.items())
async def test_answer_that_is_no_caption_says_why(
    protocol: Protocol, kind: str, words: str
) -> None:
    with ApiServer(protocol, lambda request: getattr(protocol, kind)()) as server:
        answer = await ask(protocol, server)

    assert isinstance(answer, Caption), answer
    with pytest.raises(AnswerError, match=words):
        answers.read(answer)
    assert len(server.captions) == 1
    assert answer.cost_usd is not None, "what is billed is told"


FINAL = {
    "wrong_key": AuthError,
    "quota_spent": QuotaError,
}


@pytest.mark.parametrize(("kind", "error"), FINAL.items())
async def test_key_and_credit_are_not_asked_again(
    protocol: Protocol, kind: str, error: type[CallError]
) -> None:
    with ApiServer(protocol, lambda request: getattr(protocol, kind)()) as server:
        answer = await ask(protocol, server)

    assert type(answer) is error
    assert len(server.captions) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 422])
async def test_final_statuses_are_not_retried(protocol: Protocol, status: int) -> None:
    with ApiServer(protocol, lambda request: protocol.error(status, "no")) as server:
        answer = await ask(protocol, server)

    assert type(answer) is CallError
    assert f"HTTP {status}" in str(answer)
    assert len(server.captions) == 1


async def test_redirect_gets_neither_key_nor_picture(protocol: Protocol) -> None:
    with ApiServer(protocol) as elsewhere:
        moved = Reply(308, headers={"location": f"{elsewhere.url}/again"})
        with ApiServer(protocol, lambda request: moved) as server:
            answer = await ask(protocol, server)

    assert type(answer) is CallError
    assert elsewhere.requests == []


async def test_too_large_is_sent_once_more_and_smaller(protocol: Protocol) -> None:
    def script(request: Any) -> Reply:
        return protocol.error(413, "too large") if request.number == 0 else protocol.good()

    with ApiServer(protocol, script) as server:
        answer = await ask(protocol, server)

    assert isinstance(answer, Caption)
    first, second = (len(protocol.picture(request)) for request in server.captions)
    assert second < first / 2


def test_missing_key_is_named_before_any_photo(protocol: Protocol) -> None:
    kind = backend_class(protocol.name)
    with pytest.raises(SetupError, match=f"{kind.key_name} is not set"):
        kind(Options())


@pytest.mark.parametrize("key", ["two\nlines-of-a-key", "canary-kéy-0123"])
def test_a_key_that_cannot_be_one_is_refused_and_not_shown(protocol: Protocol, key: str) -> None:
    kind = backend_class(protocol.name)
    assert kind.key_name is not None
    with pytest.raises(SetupError, match="copy it again") as caught:
        kind(Options(keys={kind.key_name: key}))
    assert key not in str(caught.value)
    assert repr(key) not in str(caught.value)


@pytest.mark.parametrize("tokens", [(-5, 20), (2**70, 20), (300, 10**400)])
async def test_counts_that_cannot_be_are_as_good_as_none(
    protocol: Protocol, tokens: tuple[int, int]
) -> None:
    with ApiServer(protocol, lambda request: protocol.good(tokens=tokens)) as server:
        answer = await ask(protocol, server)

    assert isinstance(answer, Caption), answer
    assert None in (answer.tokens_in, answer.tokens_out)
    assert answer.cost_usd == make(protocol, server).cost_bound()


async def test_nothing_of_the_environment_goes_to_another_server(
    protocol: Protocol, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    canary = "canary-of-the-environment"
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "GOOGLE_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.setenv(name, canary)
    for name in ("OPENAI_CUSTOM_HEADERS", "ANTHROPIC_CUSTOM_HEADERS"):
        monkeypatch.setenv(name, f"x-canary: {canary}")
    with ApiServer(protocol) as server:
        await ask(protocol, server)

    [request] = server.captions
    assert canary not in str(request.headers)
    assert capfd.readouterr().err == ""


def test_cost_bound_is_never_below_a_real_cost(protocol: Protocol) -> None:
    with ApiServer(protocol) as server:
        captioner = make(protocol, server)
    kind = backend_class(protocol.name)
    for width, height in [
        (1024, 1024),
        (1024, 768),
        (1024, 300),
        (200, 1024),
        (1024, 40),
        (7, 1024),
    ]:
        tokens = kind.image_tokens(captioner.options, width, height)
        assert tokens is not None
        assert captioner.cost_bound() > captioner._cost(tokens, 200)
