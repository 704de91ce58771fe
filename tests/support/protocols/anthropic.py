"""Anthropic's Messages API."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

from tests.support.protocols.base import (
    CAPTION,
    CUT_CAPTION,
    Protocol,
    Reply,
    Request,
    retry_after,
)

ERROR_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def message(
    *texts: str,
    stop_reason: str = "end_turn",
    stop_details: dict[str, Any] | None = None,
    tokens: tuple[int, int] = (300, 20),
    **usage: int,
) -> dict[str, Any]:
    """Return a message as Anthropic sends it, a block for each text.

    Args:
        texts: The texts of the answer.
        stop_reason: Why the model stopped.
        stop_details: More about a refusal.
        tokens: Input tokens outside any cache, and output tokens.
        usage: Further counts, such as `cache_read_input_tokens`.
    """
    counts = {
        "input_tokens": tokens[0],
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": tokens[1],
        "service_tier": "standard",
    }
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-haiku-4-5",
        "content": [{"type": "text", "text": text, "citations": None} for text in texts],
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "stop_details": stop_details,
        "usage": counts | usage,
    }


def _block(request: Request, kind: str) -> Any:
    blocks = request.json["messages"][0]["content"]
    return next(block for block in blocks if block["type"] == kind)


class AnthropicProtocol(Protocol):
    """Anthropic."""

    name = "anthropic"
    caption_path = "/v1/messages"

    def key(self, request: Request) -> str | None:
        """Return the API key: the SDK sends a bearer token, other clients `x-api-key`."""
        return request.headers.get("x-api-key") or super().key(request)

    def picture(self, request: Request) -> bytes:
        """Return the bytes of the picture that was sent."""
        return base64.b64decode(_block(request, "image")["source"]["data"], validate=True)

    def prompt(self, request: Request) -> str:
        """Return the text that was sent beside the picture."""
        text: str = _block(request, "text")["text"]
        return text

    def good(self, text: str = CAPTION, tokens: tuple[int, int] = (300, 20)) -> Reply:
        """Answer with a caption."""
        return Reply(body=message(text, tokens=tokens))

    def refused(self) -> Reply:
        """Answer with a refusal, which holds no text."""
        details = {"type": "refusal", "category": None, "explanation": None}
        return Reply(body=message(stop_reason="refusal", stop_details=details))

    def safety(self) -> Reply:
        """Answer with a refusal, because the filter has no stop reason of its own."""
        return self.refused()

    def cut_off(self) -> Reply:
        """Answer with a caption that was cut off at the token limit."""
        return Reply(body=message(CUT_CAPTION, stop_reason="max_tokens"))

    def empty(self) -> Reply:
        """Answer well, but with no block at all."""
        return Reply(body=message())

    def error(self, status: int, message: str, /, **fields: Any) -> Reply:
        """Answer with an error; `fields` join the others of its body."""
        kind = ERROR_TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")
        detail = {"type": kind, "message": message} | fields
        return Reply(status, {"type": "error", "error": detail, "request_id": "req_1"})

    def overloaded(self) -> Reply:
        """Answer that the server is overloaded, with a status that only Anthropic uses."""
        return self.error(529, "Overloaded")

    def rate_limited(self, seconds: float | None) -> Reply:
        """Answer that calls come too fast, with the wait in a header."""
        limited = self.error(429, "This request would exceed your organization's rate limit")
        return replace(limited, headers=retry_after(seconds))

    def wrong_key(self) -> Reply:
        """Answer that the key is not known."""
        return self.error(401, "invalid x-api-key")

    def quota_spent(self) -> Reply:
        """Answer that the credit is used up, which only the message tells."""
        return self.error(
            400,
            "Your credit balance is too low to access the Anthropic API. "
            "Please go to Plans & Billing to upgrade or purchase credits.",
        )


ANTHROPIC = AnthropicProtocol()
