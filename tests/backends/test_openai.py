"""The openai backend, through the real SDK, against a server that misbehaves."""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import formatdate

import pytest

from backends.base import Caption, Options, PhotoInput, Picture
from backends.captioners.openai import PRESETS, OpenAICaptioner
from backends.errors import (
    AuthError,
    BackendError,
    CallError,
    QuotaError,
    SetupError,
    TransientError,
)
from backends.retry import RetryPolicy
from tests.support.api_server import ApiServer, Reply
from tests.support.photos import noise_jpeg
from tests.support.protocols import CAPTION, OPENAI
from tests.support.protocols.openai import completion

FAST = RetryPolicy(first_wait=0.001, longest_wait=0.002)
PHOTO = PhotoInput(Picture(640, 480, "jpeg", noise_jpeg(1, (640, 480))))


async def ask(server: ApiServer, **options: object) -> Caption | Exception:
    """Caption one photo through a fresh backend."""
    known = {"base_url": server.url, "model": "gpt-4o-mini", "request_timeout": 0.5} | options
    captioner = OpenAICaptioner(Options(**known), FAST)  # type: ignore[arg-type]
    await captioner.open()
    try:
        [answer] = await captioner.caption_batch([PHOTO])
    finally:
        await captioner.close()
    return answer


async def test_good_answer_brings_caption_tokens_and_cost(server: ApiServer) -> None:
    answer = await ask(server)

    assert isinstance(answer, Caption)
    assert answer.text == CAPTION
    assert (answer.tokens_in, answer.tokens_out) == (300, 20)
    assert answer.cost_usd == pytest.approx((300 * 0.15 + 20 * 0.60) / 1e6)


async def test_request_is_what_the_protocol_asks_for(server: ApiServer) -> None:
    await ask(server, prompt='Say "hi"\n<picture>', keys={"OPENAI_API_KEY": "canary-key-1"})

    [request] = server.requests
    assert (request.method, request.path) == ("POST", "/v1/chat/completions")
    assert request.headers["authorization"] == "Bearer canary-key-1"
    text, image = request.json["messages"][0]["content"]
    assert text == {"type": "text", "text": 'Say "hi"\n<picture>'}
    assert image["image_url"]["detail"] == "low"
    assert OPENAI.picture(request) == PHOTO.picture.data
    assert request.json["max_tokens"] > 0


async def test_prices_of_ones_own_beat_the_known_ones(server: ApiServer) -> None:
    answer = await ask(server, prices={"gpt-4o-mini": (1.0, 10.0)})

    assert isinstance(answer, Caption)
    assert answer.cost_usd == pytest.approx((300 * 1 + 20 * 10) / 1e6)


PASSING = {
    "408": OPENAI.error(408, "timeout"),
    "409": OPENAI.error(409, "conflict"),
    "429": OPENAI.error(429, "slow down"),
    "429 with seconds": Reply(429, headers={"retry-after": "0"}),
    "429 with a fraction": Reply(429, headers={"retry-after": "0.01"}),
    "429 with a date past": Reply(429, headers={"retry-after": formatdate(1)}),
    "429 with nonsense": Reply(429, headers={"retry-after": "a while"}),
    "429 in milliseconds": Reply(429, headers={"retry-after-ms": "5"}),
    "500": OPENAI.error(500, "oops"),
    "502 in HTML": Reply(502, "<html>Bad gateway</html>"),
    "503": OPENAI.error(503, "overloaded"),
    "504": Reply(504),
    "hang": Reply(hang=True),
    "slow": Reply(body=completion(), delay=5),
    "reset": Reply(raw=b""),
    "cut off in the head": Reply(body=completion(), cut=30),
    "cut off in the body": Reply(body=completion(), cut=200),
    "no HTTP at all": Reply(raw=b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "no JSON": Reply(body="certainly! a dog"),
    "empty body": Reply(body=b""),
    "wrong shape": Reply(body={"choices": "none"}),
    "no choices": Reply(body={"choices": []}),
    "no message": Reply(body={"choices": [{"text": "a dog"}]}),
    "a list": Reply(body="[1, 2]"),
    "invalid UTF-8": Reply(body=b'{"choices": [{"message": {"content": "\xff\xfe"}}]}'),
    "endless": Reply(headers={"content-length": str(1 << 40)}, endless=True),
    "five megabytes": OPENAI.good("word " * 1_000_000),
    "compressed": Reply(headers={"content-encoding": "gzip"}, body=b"\x1f\x8b" + b"\0" * 50),
}


@pytest.mark.parametrize("trouble", PASSING.values(), ids=PASSING)
async def test_passing_trouble_is_retried_and_gives_way(server: ApiServer, trouble: Reply) -> None:
    server.script = lambda request: trouble if request.number < 2 else OPENAI.good()
    answer = await ask(server)

    assert isinstance(answer, Caption), answer
    assert len(server.captions) == 3


@pytest.mark.parametrize("trouble", PASSING.values(), ids=PASSING)
async def test_lasting_trouble_ends_after_one_request_made_five_times(
    server: ApiServer, trouble: Reply
) -> None:
    server.script = lambda request: trouble
    answer = await ask(server, request_timeout=0.2)

    assert isinstance(answer, TransientError), answer
    assert len(server.requests) == 5
    assert len({(request.path, request.body) for request in server.requests}) == 1


FINAL: dict[str, tuple[Reply, type[BackendError]]] = {
    "400": (OPENAI.error(400, "bad picture"), CallError),
    "403": (OPENAI.error(403, "no access"), CallError),
    "404": (OPENAI.error(404, "no such model"), CallError),
    "422": (Reply(422, body="{}"), CallError),
    "401": (OPENAI.error(401, "Incorrect API key provided: sk-abcd1234"), AuthError),
    "402": (OPENAI.error(402, "insufficient balance"), QuotaError),
    "spent credit": (OPENAI.error(429, "quota", code="insufficient_quota"), QuotaError),
    "daily quota": (Reply(429, headers={"retry-after": "86400"}), QuotaError),
    "tomorrow": (Reply(429, headers={"retry-after": formatdate(time.time() + 9e4)}), QuotaError),
    "redirect": (Reply(307, headers={"location": "http://127.0.0.1:9/v1"}), CallError),
}


@pytest.mark.parametrize(("trouble", "kind"), FINAL.values(), ids=FINAL)
async def test_final_answers_are_not_retried(
    server: ApiServer, trouble: Reply, kind: type[BackendError]
) -> None:
    server.script = lambda request: trouble
    answer = await ask(server)

    assert type(answer) is kind
    assert len(server.captions) == 1


async def test_redirect_is_not_followed_and_gets_no_key(server: ApiServer) -> None:
    with ApiServer(OPENAI) as elsewhere:
        server.script = lambda request: Reply(
            308, headers={"location": f"{elsewhere.url}/chat/completions"}
        )
        await ask(server, keys={"OPENAI_API_KEY": "canary-key-2"})

        assert elsewhere.requests == []


async def test_too_large_is_sent_once_more_and_smaller(server: ApiServer) -> None:
    server.script = lambda request: (
        OPENAI.error(413, "too large") if request.number == 0 else OPENAI.good()
    )
    answer = await ask(server)

    assert isinstance(answer, Caption)
    first, second = (len(OPENAI.picture(request)) for request in server.captions)
    assert second < first / 2


async def test_too_large_twice_is_an_error(server: ApiServer) -> None:
    server.script = lambda request: OPENAI.error(413, "too large")
    answer = await ask(server)

    assert isinstance(answer, CallError)
    assert len(server.captions) == 2


async def test_nobody_listening_is_an_error_of_the_call() -> None:
    with ApiServer(OPENAI) as gone:
        pass
    answer = await ask(gone)

    assert isinstance(answer, TransientError)
    assert str(answer).endswith("refuses connections")
    assert answer.cost_usd is None


ENDINGS: dict[str, tuple[Reply, Callable[[Caption], bool]]] = {
    "cut off": (
        OPENAI.cut_off(),
        lambda caption: caption.ended == "length",
    ),
    "safety block": (
        OPENAI.safety(),
        lambda caption: caption.ended == "refused",
    ),
    "refusal": (
        Reply(body=completion(None, refusal="I won't.")),
        lambda caption: (caption.ended, caption.text) == ("refused", "I won't."),
    ),
    "null": (Reply(body=completion(None)), lambda caption: caption.text == ""),
}


@pytest.mark.parametrize(("reply", "holds"), ENDINGS.values(), ids=ENDINGS)
async def test_odd_endings_are_reported_not_retried(
    server: ApiServer, reply: Reply, holds: Callable[[Caption], bool]
) -> None:
    server.script = lambda request: reply
    answer = await ask(server)

    assert isinstance(answer, Caption)
    assert holds(answer)
    assert len(server.captions) == 1


async def test_own_server_is_asked_for_its_only_model(server: ApiServer) -> None:
    await ask(server, model=None)

    assert server.captions[0].json["model"] == "tiny"


def test_missing_key_fails_with_the_line_that_mends_it() -> None:
    with pytest.raises(SetupError, match="OPENAI_API_KEY is not set"):
        OpenAICaptioner(Options())
    with pytest.raises(SetupError, match="OPENAI_API_KEY is not set"):
        OpenAICaptioner(Options(base_url="https://example.com/v1"))


@pytest.mark.parametrize("url", [*PRESETS, "http://192.168.1.7:8000/v1", "http://localhost:1/v1"])
async def test_servers_of_ones_own_need_no_key(url: str) -> None:
    await OpenAICaptioner(Options(base_url=url)).close()


@pytest.mark.parametrize(
    "url",
    [
        "foo",
        "http://",
        "ftp://127.0.0.1/",
        "http://127.0.0.1:99999/v1",
        "http://[::1",
        "http://a\x01b/",
    ],
)
def test_addresses_that_are_none_are_refused(url: str) -> None:
    with pytest.raises(SetupError, match="--base-url"):
        OpenAICaptioner(Options(base_url=url, keys={"OPENAI_API_KEY": "x"}))


async def test_usage_below_zero_costs_no_caption(server: ApiServer) -> None:
    server.script = lambda request: OPENAI.good(tokens=(-5, -1))
    answer = await ask(server)

    assert isinstance(answer, Caption)
    assert answer.tokens_in is None
    assert (answer.cost_usd or 0) > 0.0005  # as much as it can have cost
