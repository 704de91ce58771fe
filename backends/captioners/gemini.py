"""`gemini`: Google's Gemini, through google-genai; decision record 4 says why that SDK."""

from __future__ import annotations

from typing import Any

import msgspec

from backends import image_tokens
from backends.api import MOST_TOKENS_OUT, ApiCaptioner
from backends.base import Caption, Options, Picture
from backends.errors import TransientError
from backends.retry import DEFAULT_POLICY, RetryPolicy
from backends.status import Refusal

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
"""Reasons, of a prompt or an answer, that mean: the model declines."""

RESOLUTIONS = {"low": "MEDIA_RESOLUTION_LOW", "high": "MEDIA_RESOLUTION_HIGH"}


class _Violation(msgspec.Struct):
    quota_id: str = msgspec.field(name="quotaId", default="")


class _Detail(msgspec.Struct):
    reason: str = ""
    retry_delay: str = msgspec.field(name="retryDelay", default="")
    violations: list[_Violation] = []


class _Error(msgspec.Struct):
    message: str = ""
    details: list[_Detail] = []


class _ErrorBody(msgspec.Struct):
    error: _Error


class GeminiCaptioner(ApiCaptioner[Any]):
    """Google's Gemini."""

    name = "gemini"
    key_name = "GEMINI_API_KEY"
    provider = "google"
    default_url = "https://generativelanguage.googleapis.com"
    default_model = "gemini-2.5-flash-lite"

    def __init__(self, options: Options, policy: RetryPolicy = DEFAULT_POLICY) -> None:
        super().__init__(options, policy)
        import httpx2
        from google import genai
        from google.genai import errors, types

        self._httpx2, self._errors = httpx2, errors
        self._types: Any = types  # whose fields are stricter on paper than in fact
        self._client = genai.Client(
            vertexai=False,
            api_key=self.key or "none",
            http_options=types.HttpOptions(
                base_url=self.base_url,
                timeout=round(1000 * self.timeout),
                httpx_async_client=self.http_client,
            ),
        )
        self._config = self._types.GenerateContentConfig(
            max_output_tokens=MOST_TOKENS_OUT,
            media_resolution=RESOLUTIONS.get(options.detail or ""),
            thinking_config=self._least_thinking(),
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
        """Return the parts of a request: the picture first, as the vendor advises."""
        image = self._types.Part.from_bytes(data=picture.data, mime_type="image/jpeg")
        return [image, self._types.Part.from_text(text=self.options.prompt)]

    async def call(self, prepared: Any) -> Caption:
        """Make one request and read its answer; see `ApiCaptioner.call`."""
        try:
            answer = await self._client.aio.models.generate_content(
                model=self.model or "", contents=prepared, config=self._config
            )
        except self._errors.APIError as error:
            raise self.status_error(error.response) from None
        except self._httpx2.TimeoutException:
            raise TransientError(f"no answer within {self.timeout:g} s") from None
        except self._httpx2.TransportError as error:
            raise TransientError(f"connection failed: {error}") from None
        except ValueError as error:  # pydantic's and json's are both of this kind
            raise TransientError(f"the answer is not of the right shape: {error}") from None
        return self._read(answer)

    def _read(self, answer: Any) -> Caption:
        """Return what an answer says, or why there is none."""
        usage = answer.usage_metadata
        tokens_in = usage.prompt_token_count if usage else None
        feedback = answer.prompt_feedback
        if feedback is not None and feedback.block_reason is not None:
            return self.billed(_reason(feedback.block_reason), tokens_in, 0, ended="refused")
        if not answer.candidates:
            raise TransientError("the answer is not of the right shape: no candidates")
        candidate = answer.candidates[0]
        parts = (candidate.content and candidate.content.parts) or []
        text = "".join(part.text for part in parts if part.text and not part.thought)
        tokens_out = usage and (usage.candidates_token_count or 0) + (
            usage.thoughts_token_count or 0
        )
        reason = _reason(candidate.finish_reason)
        if reason in BLOCKED:
            return self.billed(text or reason, tokens_in, tokens_out, ended="refused")
        ended = "length" if reason == "MAX_TOKENS" else "whole"
        return self.billed(text, tokens_in, tokens_out, ended=ended)

    def refusal(self, status: int, content: bytes) -> Refusal:
        """Return what an error says; Google puts waits, quotas and keys into its details."""
        try:
            error = msgspec.json.decode(content, type=_ErrorBody).error
        except ValueError:
            return Refusal(message=content[:200].decode("utf-8", "replace"))
        quotas = [violation.quota_id for detail in error.details for violation in detail.violations]
        return Refusal(
            message=error.message,
            wrong_key=any(detail.reason == "API_KEY_INVALID" for detail in error.details),
            quota_spent=any("PerDay" in quota for quota in quotas),
            wait=next(
                filter(None, (_seconds(detail.retry_delay) for detail in error.details)), None
            ),
        )


def _reason(value: Any) -> str:
    """Return the name of a reason; the SDK gives an enumeration, or a name it does not know."""
    return str(getattr(value, "name", value) or "")


def _seconds(duration: str) -> float | None:
    """Return the seconds of a duration such as `45.8s`."""
    try:
        return float(duration.removesuffix("s"))
    except ValueError:
        return None
