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


def test_other_errors_say_nothing_of_models() -> None:
    captioner = make_backend("openai", Options(model="m", keys=KEYS))
    assert isinstance(captioner, ApiCaptioner)

    assert "model" not in str(captioner.status_error(answer(400, b'{"error":{"message":"bad"}}')))
