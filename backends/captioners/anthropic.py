"""`anthropic`: Claude, through Anthropic's SDK."""

from __future__ import annotations

import re
from typing import Any

from backends import image_tokens
from backends.base import Caption, Ended, Options
from backends.http_statuses import ErrorDetails
from backends.json_api import JsonApiCaptioner
from backends.loose_json import at, count, items, parse, text, total
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
            "max_tokens": self.options.max_tokens,
            "messages": [{"role": "user", "content": content}],
        }
        if not (self.model or "").startswith(ALWAYS_THINKING):
            request["thinking"] = {"type": "disabled"}
        return request

    def read(self, answer: Any) -> Caption:
        """Return what a message says."""
        reason = text(at(answer, "stop_reason"))
        if not (isinstance(at(answer, "content"), list) or reason):
            raise LookupError("there is no content in it")
        blocks = [block for block in items(at(answer, "content")) if at(block, "type") == "text"]
        usage = at(answer, "usage")
        return self.billed(
            "".join(text(at(block, "text")) for block in blocks)
            or text(at(answer, "stop_details", "explanation")),
            total(
                count(at(usage, "input_tokens")),
                count(at(usage, "cache_creation_input_tokens")),
                count(at(usage, "cache_read_input_tokens")),
            ),
            count(at(usage, "output_tokens")),
            ended=_ENDINGS.get(reason, "whole"),
        )

    def refusal(self, status: int, content: bytes) -> ErrorDetails:
        """Return what the body of an error says."""
        try:
            error = at(parse(content), "error")
        except ValueError:
            return ErrorDetails.in_no_shape(content)
        message = text(error) or text(at(error, "message"))
        if not message:
            return ErrorDetails.in_no_shape(content)
        return ErrorDetails(message=message, quota_spent=SPENT.search(message) is not None)
