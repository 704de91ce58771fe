"""OpenAI's chat completions, and xAI, which speaks them with errors of its own."""

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

XAI_CODES = {
    400: "Client specified an invalid argument",
    403: "The caller does not have permission to execute the specified operation",
    404: "Some requested entity was not found",
    429: "Some resource has been exhausted",
    503: "The service is currently unavailable",
}
"""Texts that xAI sends in place of an error code."""


def completion(
    text: str | None = CAPTION,
    *,
    finish_reason: str = "stop",
    refusal: str | None = None,
    tokens: tuple[int, int] = (300, 20),
) -> dict[str, Any]:
    """Return a chat completion as OpenAI sends it."""
    message = {"role": "assistant", "content": text, "refusal": refusal}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-mini",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": {
            "prompt_tokens": tokens[0],
            "completion_tokens": tokens[1],
            "total_tokens": sum(tokens),
        },
    }


def _part(request: Request, kind: str) -> Any:
    parts = request.json["messages"][0]["content"]
    return next(part[kind] for part in parts if part["type"] == kind)


class OpenAIProtocol(Protocol):
    """OpenAI, and the many servers that speak its protocol."""

    name = "openai"
    base_path = "/v1"
    caption_path = "/v1/chat/completions"

    def no_caption(self) -> Reply:
        """Answer with the models, of which there is one."""
        return Reply(body={"object": "list", "data": [{"id": "tiny", "object": "model"}]})

    def picture(self, request: Request) -> bytes:
        """Return the bytes of the picture that was sent."""
        url: str = _part(request, "image_url")["url"]
        return base64.b64decode(url.partition(",")[2], validate=True)

    def prompt(self, request: Request) -> str:
        """Return the text that was sent beside the picture."""
        text: str = _part(request, "text")
        return text

    def good(self, text: str = CAPTION, tokens: tuple[int, int] = (300, 20)) -> Reply:
        """Answer with a caption."""
        return Reply(body=completion(text, tokens=tokens))

    def refused(self) -> Reply:
        """Answer with a refusal in place of the caption."""
        return Reply(body=completion(None, refusal="I'm sorry, I can't help with that."))

    def safety(self) -> Reply:
        """Answer with a caption that the content filter took away."""
        return Reply(body=completion("", finish_reason="content_filter"))

    def cut_off(self) -> Reply:
        """Answer with a caption that was cut off at the token limit."""
        return Reply(body=completion(CUT_CAPTION, finish_reason="length"))

    def empty(self) -> Reply:
        """Answer successfully, but with an empty text."""
        return self.good("")

    def error(self, status: int, message: str, /, **fields: Any) -> Reply:
        """Answer with an error; `fields` join the others of its body."""
        kind = "invalid_request_error" if status < 500 else "server_error"
        detail = {"message": message, "type": kind, "param": None, "code": None}
        return Reply(status, {"error": detail | fields})

    def overloaded(self) -> Reply:
        """Answer that the server is overloaded."""
        return self.error(503, "The engine is currently overloaded, please try again later")

    def rate_limited(self, seconds: float | None) -> Reply:
        """Answer that calls come too fast, with the wait in a header."""
        limited = self.error(
            429, "Rate limit reached for requests", type="requests", code="rate_limit_exceeded"
        )
        return replace(limited, headers=retry_after(seconds))

    def wrong_key(self) -> Reply:
        """Answer that the key is not known."""
        return self.error(401, "Incorrect API key provided: sk-1****5678.", code="invalid_api_key")

    def quota_spent(self) -> Reply:
        """Answer that the credit is used up."""
        message = "You exceeded your current quota, please check your plan and billing details."
        return self.error(429, message, type="insufficient_quota", code="insufficient_quota")


class XAIProtocol(OpenAIProtocol):
    """xAI, whose errors have another shape and sometimes another status."""

    name = "xai"

    def error(self, status: int, message: str, /, **fields: Any) -> Reply:
        """Answer with an error; `fields` join the others of its body."""
        code = XAI_CODES.get(status, "Internal error")
        return Reply(status, {"code": code, "error": message} | fields)

    def rate_limited(self, seconds: float | None) -> Reply:
        """Answer that calls come too fast, with the wait in a header."""
        limited = self.error(429, "Too many requests for the team. Please slow down.")
        return replace(limited, headers=retry_after(seconds))

    def wrong_key(self) -> Reply:
        """Answer that the key is not known, which is a bad request here."""
        return self.error(400, "Incorrect API key provided: xa***78.")

    def quota_spent(self) -> Reply:
        """Answer that the credit is used up."""
        return self.error(
            429,
            "Your team has either used all available credits or reached its monthly spending "
            "limit. To continue making API requests, please purchase more credits.",
        )


OPENAI = OpenAIProtocol()
XAI = XAIProtocol()
