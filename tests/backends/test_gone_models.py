"""A model that a provider no longer has is named, with the way to another."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from backends.api import ApiCaptioner
from backends.base import Options
from backends.registry import make_backend

NAMES = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "XAI_API_KEY")
KEYS = dict.fromkeys(NAMES, "k" * 20)


def answer(status: int, content: bytes) -> SimpleNamespace:
    return SimpleNamespace(status_code=status, content=content, reason_phrase="No", headers={})


@pytest.mark.parametrize("backend", ["openai", "anthropic", "gemini", "xai"])
@pytest.mark.parametrize(
    ("status", "body"),
    [(404, b"{}"), (400, b'{"error":{"code":"model_not_found","message":"gone"}}')],
)
def test_a_vendor_without_the_model_is_told_with_how_to_list_models(
    backend: str, status: int, body: bytes
) -> None:
    captioner = make_backend(backend, Options(model="old-model", keys=KEYS))
    assert isinstance(captioner, ApiCaptioner)
    told = str(captioner.status_error(answer(status, body)))

    assert "old-model" in told
    assert f"`pcc models --backend {backend}`" in told


def test_a_server_of_ones_own_is_named() -> None:
    options = Options(model="old-model", base_url="http://127.0.0.1:9/v1")
    captioner = make_backend("openai", options)
    assert isinstance(captioner, ApiCaptioner)
    told = str(captioner.status_error(answer(404, b"{}")))

    assert "127.0.0.1:9 has no model old-model" in told
    assert "leave out --model" in told


@pytest.mark.parametrize("backend", ["anthropic", "gemini", "xai"])
def test_a_server_that_is_not_asked_for_its_model_is_no_reason_to_leave_it_out(
    backend: str,
) -> None:
    options = Options(model="old-model", base_url="http://127.0.0.1:9/v1")
    captioner = make_backend(backend, options)
    assert isinstance(captioner, ApiCaptioner)
    told = str(captioner.status_error(answer(404, b"{}")))

    assert "127.0.0.1:9 has no model old-model" in told
    assert "leave out --model" not in told


def test_a_refused_key_that_is_not_set_is_named() -> None:
    refused = answer(401, b'{"error":{"message":"no token"}}')
    told = {
        str(make_backend("openai", options).status_error(refused))  # type: ignore[attr-defined]
        for options in (
            Options(model="m", base_url="http://nas:9/v1"),
            Options(model="m", base_url="http://nas:9/v1", keys=KEYS),
        )
    }

    assert told == {"HTTP 401: no token (OPENAI_API_KEY is not set)", "HTTP 401: no token"}


def test_other_errors_say_nothing_of_models() -> None:
    captioner = make_backend("openai", Options(model="m", keys=KEYS))
    assert isinstance(captioner, ApiCaptioner)

    assert "model" not in str(captioner.status_error(answer(400, b'{"error":{"message":"bad"}}')))
