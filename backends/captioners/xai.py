"""`xai`: xAI's Grok, through OpenAI's SDK, as xAI's own documentation does it."""

from __future__ import annotations

from typing import Any

import msgspec

from backends import image_tokens
from backends.base import Options
from backends.captioners.openai import LIMIT_NAMES, OpenAICaptioner
from backends.http_statuses import ErrorDetails
from backends.loose_json import at, count, total
from backends.retry import DEFAULT_POLICY, RetryPolicy

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

    def __init__(self, options: Options, policy: RetryPolicy = DEFAULT_POLICY) -> None:
        super().__init__(options, policy)
        self.form = LIMIT_NAMES[0]

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

    def tokens_out(self, usage: Any) -> int | None:
        """Return the tokens billed for an answer; xAI counts the tokens of reasoning apart."""
        reasoning = at(usage, "completion_tokens_details", "reasoning_tokens")
        return total(super().tokens_out(usage), count(reasoning))

    def limits(self) -> dict[str, Any]:
        """Return settings that limit the answer."""
        limits: dict[str, Any] = {self.form: self.options.max_tokens}
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
