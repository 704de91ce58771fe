"""The generateContent call of the Gemini API."""

from __future__ import annotations

import base64
from typing import Any

from tests.support.protocols.base import CAPTION, CUT_CAPTION, Protocol, Reply, Request

STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def generated(
    *texts: str,
    finish_reason: str = "STOP",
    tokens: tuple[int, int] = (300, 20),
    **usage: int,
) -> dict[str, Any]:
    """Return an answer with one candidate as Gemini sends it, a part for each text.

    Args:
        texts: The texts of the answer; without a text, the content has no parts.
        finish_reason: Why the model stopped.
        tokens: Input tokens, and output tokens without thoughts.
        usage: Further counts, such as `thoughtsTokenCount`, which is absent without thoughts.
    """
    content: dict[str, Any] = {"role": "model"}
    if texts:
        content["parts"] = [{"text": text} for text in texts]
    candidate = {"content": content, "finishReason": finish_reason, "index": 0}
    return {
        "candidates": [candidate],
        "usageMetadata": {
            "promptTokenCount": tokens[0],
            "candidatesTokenCount": tokens[1],
            "totalTokenCount": sum(tokens) + usage.get("thoughtsTokenCount", 0),
            "promptTokensDetails": [{"modality": "IMAGE", "tokenCount": tokens[0]}],
            **usage,
        },
        "modelVersion": "gemini-2.5-flash",
        "responseId": "1",
    }


def _rpc(kind: str, **fields: Any) -> dict[str, Any]:
    return {"@type": f"type.googleapis.com/google.rpc.{kind}", **fields}


def _retry_info(seconds: float | None) -> list[dict[str, Any]]:
    return [] if seconds is None else [_rpc("RetryInfo", retryDelay=f"{seconds:g}s")]


def _part(request: Request, kind: str) -> Any:
    parts = request.json["contents"][0]["parts"]
    return next(part[kind] for part in parts if kind in part)


class GeminiProtocol(Protocol):
    """Google's Gemini API."""

    name = "gemini"
    caption_path = r"/v1(beta)?/models/[^/:]+:generateContent"

    def key(self, request: Request) -> str | None:
        """Return the API key of a request, None if the request has no key."""
        return request.headers.get("x-goog-api-key")

    def picture(self, request: Request) -> bytes:
        """Return the bytes of the picture that was sent, in either alphabet of base64."""
        return base64.urlsafe_b64decode(_part(request, "inlineData")["data"])

    def prompt(self, request: Request) -> str:
        """Return the text that was sent beside the picture."""
        text: str = _part(request, "text")
        return text

    def good(self, text: str = CAPTION, tokens: tuple[int, int] = (300, 20)) -> Reply:
        """Answer with a caption."""
        return Reply(body=generated(text, tokens=tokens))

    def refused(self) -> Reply:
        """Answer that the prompt is blocked, with no candidate."""
        usage = {"promptTokenCount": 300, "totalTokenCount": 300}
        feedback = {"blockReason": "PROHIBITED_CONTENT"}
        return Reply(body={"promptFeedback": feedback, "usageMetadata": usage})

    def safety(self) -> Reply:
        """Answer with a candidate that the filter has emptied."""
        body = generated(finish_reason="SAFETY")
        [candidate] = body["candidates"]
        del candidate["content"]
        return Reply(body=body)

    def cut_off(self) -> Reply:
        """Answer with a caption that was cut off at the token limit."""
        return Reply(body=generated(CUT_CAPTION, finish_reason="MAX_TOKENS"))

    def empty(self) -> Reply:
        """Answer well, but with no part at all."""
        return Reply(body=generated())

    def error(self, status: int, message: str, /, **fields: Any) -> Reply:
        """Answer with an error; `fields` join the others of its body."""
        name = STATUS_NAMES.get(status, "UNKNOWN")
        detail = {"code": status, "message": message, "status": name} | fields
        return Reply(status, {"error": detail})

    def overloaded(self) -> Reply:
        """Answer that the server is overloaded."""
        return self.error(503, "The model is overloaded. Please try again later.")

    def rate_limited(self, seconds: float | None) -> Reply:
        """Answer that calls come too fast, with the wait in the body."""
        return self._out_of_quota("GenerateRequestsPerMinutePerProjectPerModel", seconds)

    def wrong_key(self) -> Reply:
        """Answer that the key is not known, which is a bad request here."""
        text = "API key not valid. Please pass a valid API key."
        details = [
            _rpc("ErrorInfo", reason="API_KEY_INVALID", domain="googleapis.com"),
            _rpc("LocalizedMessage", locale="en-US", message=text),
        ]
        return self.error(400, text, details=details)

    def quota_spent(self) -> Reply:
        """Answer that the daily quota is used up, with a short wait as the real server names."""
        return self._out_of_quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier", 40)

    def _out_of_quota(self, quota: str, seconds: float | None) -> Reply:
        details = [_rpc("QuotaFailure", violations=[{"quotaId": quota}]), *_retry_info(seconds)]
        text = "You exceeded your current quota, please check your plan and billing details."
        return self.error(429, text, details=details)


GEMINI = GeminiProtocol()
