"""`gemini`: Google's Gemini, through google-genai; decision record 4 says why that SDK."""

from __future__ import annotations

import logging
from typing import Any

from backends import image_tokens
from backends.api import ApiCaptioner
from backends.base import Caption, Ended, Options, Picture
from backends.http_statuses import ErrorDetails
from backends.loose_json import at, count, items, parse, text, total
from backends.retry import DEFAULT_POLICY, RetryPolicy

BLOCKED = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "LANGUAGE",
        "MODEL_ARMOR",
        "JAILBREAK",
    }
)
"""Reasons for blocking a prompt or an answer that mean that the model declines."""

RESOLUTIONS = {"low": "MEDIA_RESOLUTION_LOW", "high": "MEDIA_RESOLUTION_HIGH"}


class GeminiCaptioner(ApiCaptioner[Any]):
    """Google's Gemini."""

    name = "gemini"
    key_name = "GEMINI_API_KEY"
    provider = "google"
    default_url = "https://generativelanguage.googleapis.com"
    default_model = "gemini-2.5-flash-lite"
    models = (
        "gemini-2.5-flash-lite",
        "gemini-3.1-flash-lite",
        "gemini-3.5-flash-lite",
        "gemini-3.8-flash",
        "gemini-2.5-flash",
    )

    def __init__(self, options: Options, policy: RetryPolicy = DEFAULT_POLICY) -> None:
        super().__init__(options, policy)
        from google import genai
        from google.genai import errors, types

        logging.getLogger("google_genai").setLevel(logging.ERROR)  # it warns of keys not used
        self._errors = errors
        self._types: Any = types  # whose fields are stricter on paper than in fact
        self._client: Any = genai.Client(
            vertexai=False,
            api_key=self.key or "none",
            http_options=types.HttpOptions(
                base_url=self.base_url,
                api_version="v1beta",
                timeout=round(1000 * self.timeout),
                httpx_async_client=self.http_client,
            ),
        )
        self._config = self._types.GenerateContentConfig(
            max_output_tokens=options.max_tokens,
            media_resolution=RESOLUTIONS.get(options.detail or ""),
            thinking_config=self._least_thinking(),
            should_return_http_response=True,
            automatic_continuation=False,  # each would be another request, and billed
            automatic_function_calling={"disable": True},
        )

    def _least_thinking(self) -> Any:
        """Return the least thinking a model accepts; a caption needs none."""
        model = self.model or ""
        if model.startswith("gemini-2.5-flash"):
            return self._types.ThinkingConfig(thinking_budget=0)
        if model.startswith(("gemini-3", "gemini-4")):
            level = "LOW" if "-pro" in model else "MINIMAL"
            return self._types.ThinkingConfig(thinking_level=level)
        return None

    @classmethod
    def image_tokens(cls, options: Options, width: int, height: int) -> int | None:
        """Return the tokens of a picture by Google's rule for the model."""
        model = cls.model_for(options)
        return image_tokens.gemini(model or "", width, height, options.detail or "auto")

    def prepare(self, picture: Picture) -> Any:
        """Return the parts of a request, with the picture first, as the vendor advises."""
        image = self._types.Part.from_bytes(data=picture.data, mime_type="image/jpeg")
        return [image, self._types.Part.from_text(text=self.options.prompt)]

    async def call(self, prepared: Any) -> bytes:
        """Make one request and return the body of the answer; see `ApiCaptioner.call`."""
        try:
            answer = await self._client.aio.models.generate_content(
                model=self.model or "", contents=prepared, config=self._config
            )
        except self._errors.APIError as error:
            raise self.status_error(error.response) from None
        body: str = answer.sdk_http_response.body
        return body.encode("utf-8", "surrogatepass")

    def read(self, answer: Any) -> Caption:
        """Return what an answer says, or why the model declined."""
        usage = at(answer, "usageMetadata")
        thoughts = count(at(usage, "thoughtsTokenCount"))
        tokens_in = count(at(usage, "promptTokenCount"))
        tokens_out = total(count(at(usage, "candidatesTokenCount")), thoughts)
        if tokens_in is not None and "candidatesTokenCount" not in usage:
            tokens_out = thoughts or 0  # there was no answer to count
        if blocked := text(at(answer, "promptFeedback", "blockReason")):
            return self.billed(blocked, tokens_in, tokens_out, ended="refused")
        candidate = at(answer, "candidates", 0)
        reason = text(at(candidate, "finishReason"))
        parts = at(candidate, "content", "parts")
        if not (isinstance(parts, list) or reason):
            raise LookupError("there is no candidate in it, or no content")
        said = "".join(text(at(part, "text")) for part in items(parts) if not at(part, "thought"))
        if reason in BLOCKED:
            return self.billed(said or reason, tokens_in, tokens_out, ended="refused")
        ended: Ended = "length" if reason == "MAX_TOKENS" else "whole"
        return self.billed(said, tokens_in, tokens_out, ended=ended)

    def refusal(self, status: int, content: bytes) -> ErrorDetails:
        """Return what the body of an error says; its details tell of waits, quotas and keys."""
        try:
            error = at(parse(content), "error")
        except ValueError:
            return ErrorDetails.in_no_shape(content)
        details = items(at(error, "details"))
        quotas = [quota for detail in details for quota in items(at(detail, "violations"))]
        waits = [_seconds(text(at(detail, "retryDelay"))) for detail in details]
        message = text(error) or text(at(error, "message"))
        if not message:
            return ErrorDetails.in_no_shape(content)
        return ErrorDetails(
            message=message,
            wrong_key=any(at(detail, "reason") == "API_KEY_INVALID" for detail in details),
            quota_spent=any("PerDay" in text(at(quota, "quotaId")) for quota in quotas),
            wait=next((wait for wait in waits if wait is not None), None),
        )


def _seconds(duration: str) -> float | None:
    """Return the seconds of a duration such as `45.8s`."""
    try:
        return float(duration.removesuffix("s"))
    except ValueError:
        return None
