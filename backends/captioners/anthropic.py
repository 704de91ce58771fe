"""`anthropic`: Claude, through Anthropic's SDK."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from backends import image_tokens
from backends.base import MOST_TOKENS_OUT, Caption, Ended, Options
from backends.http_errors import ErrorDetails
from backends.json_api import JsonApiCaptioner
from backends.retry import DEFAULT_POLICY, RetryPolicy

SPENT = re.compile(r"credit balance is too low|usage limit|spend(?:ing)? limit", re.IGNORECASE)
"""How Anthropic words spent credit, in a 400, and a reached spending limit, in a 429."""

ALWAYS_THINKING = ("claude-fable", "claude-mythos")
"""Models that refuse to have thinking switched off. Source: docs.aws.amazon.com, Bedrock user
guide, adaptive thinking, read in November 2026."""

_ENDINGS: dict[str, Ended] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refused",
}


class _Block(msgspec.Struct):
    type: str
    text: str = ""


class _Usage(msgspec.Struct):
    input_tokens: int
    output_tokens: int
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None

    @property
    def tokens_in(self) -> int:
        cached = (self.cache_creation_input_tokens or 0) + (self.cache_read_input_tokens or 0)
        return self.input_tokens + cached


class _StopDetails(msgspec.Struct):
    explanation: str | None = None


class _Answer(msgspec.Struct):
    content: list[_Block]
    stop_reason: str | None = None
    stop_details: _StopDetails | None = None
    usage: _Usage | None = None


class _ErrorDetail(msgspec.Struct):
    message: str = ""


class _ErrorBody(msgspec.Struct):
    error: _ErrorDetail


class AnthropicCaptioner(JsonApiCaptioner):
    """Anthropic's Claude."""

    name = "anthropic"
    key_name = "ANTHROPIC_API_KEY"
    provider = "anthropic"
    default_url = "https://api.anthropic.com"
    default_model = "claude-haiku-5-5"
    models = ("claude-haiku-5-5", "claude-haiku-4-5-20251001", "claude-sonnet-5-5")
    path = "/v1/messages"

    def __init__(self, options: Options, policy: RetryPolicy = DEFAULT_POLICY) -> None:
        super().__init__(options, policy)
        import anthropic

        self.sdk = anthropic
        self.client = anthropic.AsyncAnthropic(
            api_key=self.key or "none",
            base_url=self.base_url,
            max_retries=0,
            http_client=self.http_client,
            open_telemetry=False,
        )

    @classmethod
    def image_tokens(cls, options: Options, width: int, height: int) -> int | None:
        """Return the tokens of a picture by Anthropic's rule for the model."""
        return image_tokens.anthropic(cls.model_for(options) or "", width, height)

    def request(self, picture: str) -> dict[str, Any]:
        """Return the body of a request, with the picture first, as the vendor advises."""
        source = {"type": "base64", "media_type": "image/jpeg", "data": picture}
        content = [
            {"type": "image", "source": source},
            {"type": "text", "text": self.options.prompt},
        ]
        request: dict[str, Any] = {
            "model": self.model,
            "max_tokens": MOST_TOKENS_OUT,
            "messages": [{"role": "user", "content": content}],
        }
        if not (self.model or "").startswith(ALWAYS_THINKING):
            request["thinking"] = {"type": "disabled"}
        return request

    def read(self, content: bytes) -> Caption:
        """Return what a message says."""
        answer = msgspec.json.decode(content, type=_Answer)
        usage, details = answer.usage, answer.stop_details
        text = "".join(block.text for block in answer.content if block.type == "text")
        return self.billed(
            text or (details.explanation if details else None) or "",
            usage.tokens_in if usage else None,
            usage.output_tokens if usage else None,
            ended=_ENDINGS.get(answer.stop_reason or "", "whole"),
        )

    def refusal(self, status: int, content: bytes) -> ErrorDetails:
        """Return what the body of an error says."""
        try:
            message = msgspec.json.decode(content, type=_ErrorBody).error.message
        except ValueError:
            return ErrorDetails.in_no_shape(content)
        return ErrorDetails(message=message, quota_spent=SPENT.search(message) is not None)
