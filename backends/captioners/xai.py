"""`xai`: xAI's Grok, through OpenAI's SDK, as xAI's own documentation does it."""

from __future__ import annotations

from typing import Any

import msgspec

from backends import image_tokens
from backends.base import MOST_TOKENS_OUT, Options
from backends.captioners.openai import OpenAICaptioner, _Usage
from backends.http_errors import ErrorDetails

MODELS_THAT_NEED_NOT_THINK = ("grok-4.3",)
"""Models that accept the effort `none`. Source: docs.x.ai/developers/models, November 2026."""


class XaiCaptioner(OpenAICaptioner):
    """xAI's Grok."""

    name = "xai"
    key_name = "XAI_API_KEY"
    provider = "x-ai"
    default_url = "https://api.x.ai/v1"
    default_model = "grok-4.3"
    models = ("grok-4.3", "grok-4.20-0309-non-reasoning")

    @classmethod
    def model_for(cls, options: Options) -> str | None:
        """Return the model that would be used, wherever the server is."""
        return options.model or cls.default_model

    @classmethod
    def image_tokens(cls, options: Options, width: int, height: int) -> int | None:
        """Return the tokens of a picture by xAI's rule."""
        return image_tokens.xai(width, height)

    def detail(self) -> dict[str, str]:
        """Return how closely to look at the picture, nothing to let xAI choose."""
        return {} if self.options.detail is None else {"detail": self.options.detail}

    def tokens_out(self, usage: _Usage) -> int:
        """Return the tokens billed for an answer; xAI counts the tokens of reasoning apart."""
        details = usage.completion_tokens_details
        return usage.completion_tokens + (details.reasoning_tokens if details else 0)

    def limits(self) -> dict[str, Any]:
        """Return settings that limit the answer."""
        limits: dict[str, Any] = {"max_tokens": MOST_TOKENS_OUT}
        if (self.model or "").startswith(MODELS_THAT_NEED_NOT_THINK):
            limits["reasoning_effort"] = "none"
        return limits

    def refusal(self, status: int, content: bytes) -> ErrorDetails:
        """Return what the body of an error says; xAI calls a wrong key a bad request."""
        said = super().refusal(status, content)
        words = said.message.lower()
        return msgspec.structs.replace(
            said,
            wrong_key="incorrect api key" in words,
            quota_spent="used all available credits" in words or "spending limit" in words,
        )
