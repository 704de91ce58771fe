"""A good caption is never lost for what stands beside it; a bad answer gets the right reason."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backends.base import Caption
from backends.errors import AuthError, CallError, QuotaError, TransientError
from tests.support.api_server import ApiServer, Reply
from tests.support.protocols import CAPTION, Protocol
from tests.support.vendors import ask

USAGE = {
    "openai": ("usage", "prompt_tokens", "completion_tokens"),
    "xai": ("usage", "prompt_tokens", "completion_tokens"),
    "anthropic": ("usage", "input_tokens", "output_tokens"),
    "gemini": ("usageMetadata", "promptTokenCount", "candidatesTokenCount"),
}


def changed(protocol: Protocol, **members: Any) -> Reply:
    """Return a good answer with other members."""
    body = protocol.good().body
    assert isinstance(body, dict)
    return Reply(body={**body, **members})


COUNTS: dict[str, tuple[Any, Any]] = {
    "strings": ("300", "20"),
    "floats": (300.0, 20.0),
    "integers": (300, 20),
}


@pytest.mark.parametrize("counts", COUNTS.values(), ids=COUNTS)
async def test_counts_in_any_form_are_read(
    protocol: Protocol,
    counts: tuple[Any, Any],
) -> None:
    usage, tokens_in, tokens_out = USAGE[protocol.name]
    reply = changed(protocol, **{usage: {tokens_in: counts[0], tokens_out: counts[1]}})
    with ApiServer(protocol, lambda request: reply) as server:
        answer = await ask(protocol, server)

    assert isinstance(answer, Caption), answer
    assert (answer.text, answer.tokens_in, answer.tokens_out) == (CAPTION, 300, 20)


@pytest.mark.parametrize(
    "usage",
    [None, [], {}, "none", 7, {"total": 3}, {"prompt_tokens": None, "input_tokens": -1}],
    ids=str,
)
async def test_usage_that_says_nothing_costs_no_caption(
    protocol: Protocol,
    usage: Any,
) -> None:
    reply = changed(protocol, **{USAGE[protocol.name][0]: usage})
    with ApiServer(protocol, lambda request: reply) as server:
        answer = await ask(protocol, server)

    assert isinstance(answer, Caption), answer
    assert answer.text == CAPTION
    assert answer.tokens_in is None


FORMS: dict[str, Any] = {
    "a byte order mark": lambda body: b"\xef\xbb\xbf" + json.dumps(body).encode(),
    "white space first": lambda body: b"\n\n  \n" + json.dumps(body).encode(),
    "NaN": lambda body: json.dumps({**body, "logprob": float("nan")}).encode(),
    "an error that is null": lambda body: json.dumps({**body, "error": None}).encode(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
async def test_json_that_is_not_quite_right_is_read(protocol: Protocol, form: Any) -> None:
    reply = Reply(body=form(protocol.good().body))
    with ApiServer(protocol, lambda request: reply) as server:
        answer = await ask(protocol, server)

    assert isinstance(answer, Caption), answer
    assert answer.text == CAPTION


async def test_half_a_character_is_replaced(protocol: Protocol) -> None:
    reply = protocol.good("A dog \ud83d smiles.")
    with ApiServer(protocol, lambda request: reply) as server:
        answer = await ask(protocol, server)

    assert isinstance(answer, Caption), answer
    assert answer.text == "A dog \ufffd smiles."


CODES: dict[str, tuple[Any, type[CallError], int]] = {
    "busy": (429, TransientError, 5),
    "no model": (404, CallError, 1),
    "wrong key": ("401", AuthError, 1),
    "no credit": (402.0, QuotaError, 1),
    "untold": (None, TransientError, 5),
}


@pytest.mark.parametrize(("code", "kind", "requests"), CODES.values(), ids=CODES)
async def test_an_error_with_http_200_counts_as_its_code(
    protocol: Protocol,
    code: Any,
    kind: type[CallError],
    requests: int,
) -> None:
    reply = Reply(body={"error": {"message": "the upstream says no", "code": code}})
    with ApiServer(protocol, lambda request: reply) as server:
        answer = await ask(protocol, server)

    assert type(answer) is kind, answer
    assert "the upstream says no" in str(answer)
    assert len(server.captions) == requests


async def test_an_error_in_one_string_is_told(protocol: Protocol) -> None:
    reply = Reply(body={"error": "model is loading"})
    with ApiServer(protocol, lambda request: reply) as server:
        answer = await ask(protocol, server)

    assert isinstance(answer, TransientError)
    assert "model is loading" in str(answer)


NO_PICTURES = [
    (400, "At most 0 image(s) may be provided in one request."),
    (400, "This model does not support image input"),
    (500, "image input is not supported - hint: you may need to provide the mmproj"),
    (404, "No endpoints found that support image input"),
    (400, "gpt-3.5-turbo is not a multimodal model"),
    (404, "The model `nope` does not exist or you do not have access to it."),
    (400, "Model not found: nope"),
    (500, "model 'nope' not found"),
]


@pytest.mark.parametrize(("status", "words"), NO_PICTURES)
async def test_a_model_that_cannot_is_asked_once_and_not_blamed_on_the_photo(
    protocol: Protocol,
    status: int,
    words: str,
) -> None:
    with ApiServer(protocol, lambda request: protocol.error(status, words)) as server:
        answer = await ask(protocol, server)

    assert type(answer) is CallError, answer
    assert not answer.blames_photo
    assert words.replace("`", "'") in str(answer)
    assert len(server.captions) == 1


async def test_a_command_of_a_servers_is_not_taken_for_one_of_ours(protocol: Protocol) -> None:
    reply = protocol.error(400, "run `pcc run --force` to go on")
    with ApiServer(protocol, lambda request: reply) as server:
        answer = await ask(protocol, server)

    assert isinstance(answer, CallError)
    assert "run 'pcc run --force' to go on" in str(answer)
