"""`openai`: OpenAI, and with `--base-url` any server that speaks its protocol."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import msgspec

from backends import image_tokens
from backends.base import MOST_TOKENS_OUT, Caption, Ended, Options
from backends.errors import SetupError
from backends.http_errors import ErrorDetails
from backends.json_api import JsonApiCaptioner
from backends.retry import DEFAULT_POLICY, RetryPolicy

PRESETS = {
    "vllm": "http://127.0.0.1:8000/v1",
    "sglang": "http://127.0.0.1:30000/v1",
    "ollama": "http://127.0.0.1:11434/v1",
    "lmstudio": "http://127.0.0.1:1234/v1",
    "llamacpp": "http://127.0.0.1:8080/v1",
}
"""The addresses these servers listen on unless told otherwise."""

QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})

_ENDINGS: dict[str, Ended] = {
    "length": "length",
    "content_filter": "refused",
}


class _Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _OutDetails(msgspec.Struct):
    reasoning_tokens: int = 0


class _Usage(msgspec.Struct):
    """The tokens of an answer, as the server counts them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    completion_tokens_details: _OutDetails | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    usage: _Usage | None = None


class _Model(msgspec.Struct):
    id: str


class _Models(msgspec.Struct):
    data: list[_Model]


class _ErrorDetail(msgspec.Struct):
    message: str | None = None
    code: str | int | None = None
    type: str | None = None


class _ErrorBody(msgspec.Struct):
    error: _ErrorDetail | str


class OpenAICaptioner(JsonApiCaptioner):
    """OpenAI, or a server of your own that speaks its protocol."""

    name = "openai"
    key_name = "OPENAI_API_KEY"
    provider = "openai"
    default_url = "https://api.openai.com/v1"
    default_model = "gpt-6-luna"
    models: ClassVar[tuple[str, ...]] = (
        "gpt-6-luna",
        "gpt-5.6-luna",
        "gpt-5.4-nano",
        "gpt-5.4-mini",
        "gpt-4o-mini",
    )
    path = "/chat/completions"

    def __init__(self, options: Options, policy: RetryPolicy = DEFAULT_POLICY) -> None:
        super().__init__(options, policy)
        import openai

        self.sdk = openai
        self.client = openai.AsyncOpenAI(
            api_key=self.key or "none",
            base_url=self.base_url,
            max_retries=0,
            http_client=self.http_client,
            default_headers=self._without_account(openai.Omit()),
        )

    def _without_account(self, omit: Any) -> dict[str, Any]:
        """Return headers that keep the user's organisation at OpenAI from other servers."""
        is_openai = self.provider == "openai" and not self.own_server
        return {} if is_openai else {"OpenAI-Organization": omit, "OpenAI-Project": omit}

    @classmethod
    def server_url(cls, options: Options) -> str | None:
        """Return the address of another server, by its URL or its name among `PRESETS`."""
        return PRESETS.get(options.base_url or "", options.base_url)

    @classmethod
    def model_for(cls, options: Options) -> str | None:
        """Return the model; the user's own server is asked for its model later."""
        return options.model or (None if cls.server_url(options) else cls.default_model)

    @classmethod
    def image_tokens(cls, options: Options, width: int, height: int) -> int | None:
        """Return the tokens of a picture by OpenAI's rule for the model."""
        model = cls.model_for(options)
        return image_tokens.openai(model or "", width, height, options.detail or "low")

    async def open(self) -> None:
        """Ask the user's own server for its model where none was named."""
        if self.model is None:
            self.model = await self._only_model()

    def request(self, picture: str) -> dict[str, Any]:
        """Return the body of a request for a chat completion."""
        image_url = {"url": f"data:image/jpeg;base64,{picture}", **self.detail()}
        content = [
            {"type": "text", "text": self.options.prompt},
            {"type": "image_url", "image_url": image_url},
        ]
        return {
            "model": self.model,
            "messages": [{"role": "user", "content": content}],
            **self.limits(),
        }

    def detail(self) -> dict[str, str]:
        """Return how closely to look at the picture."""
        return {"detail": self.options.detail or "low"}

    def tokens_out(self, usage: _Usage) -> int:
        """Return the tokens billed for an answer, which include the tokens of reasoning."""
        return usage.completion_tokens

    def limits(self) -> dict[str, Any]:
        """Return settings that limit the answer and forbid the vendor to keep it."""
        if self.own_server:
            return {"max_tokens": MOST_TOKENS_OUT}
        limits = {"max_completion_tokens": MOST_TOKENS_OUT, "store": False}
        effort = least_effort(self.model or "")
        return limits if effort is None else {**limits, "reasoning_effort": effort}

    def read(self, content: bytes) -> Caption:
        """Return what a chat completion says."""
        completion = msgspec.json.decode(content, type=_Completion)
        choice, usage = completion.choices[0], completion.usage
        message = choice.message
        stopped = _ENDINGS.get(choice.finish_reason or "", "whole")
        return self.billed(
            message.refusal or message.content or "",
            usage.prompt_tokens if usage else None,
            self.tokens_out(usage) if usage else None,
            ended="refused" if message.refusal else stopped,
        )

    def refusal(self, status: int, content: bytes) -> ErrorDetails:
        """Return what the body of an error says; its shape differs from server to server."""
        try:
            detail = msgspec.json.decode(content, type=_ErrorBody).error
        except ValueError:
            return ErrorDetails.in_no_shape(content)
        if isinstance(detail, str):
            return ErrorDetails(message=detail)
        spent = bool(QUOTA_CODES & {detail.code, detail.type})
        return ErrorDetails(message=detail.message or "", quota_spent=spent)

    async def _only_model(self) -> str:
        """Return the model of a server that serves one.

        Raises:
            SetupError: the server serves several models, or does not answer.
        """
        import httpx2

        try:
            async with asyncio.timeout(self.timeout):
                answer = await self.client.get("/models", cast_to=httpx2.Response)
            models = [model.id for model in msgspec.json.decode(answer.content, type=_Models).data]
        except (TimeoutError, ValueError, RecursionError, self.sdk.OpenAIError) as error:
            raise SetupError(
                f"{self.base_url} does not tell its models ({error}); is it running? "
                "Name one with --model"
            ) from None
        if len(models) != 1:
            raise SetupError(
                f"{self.base_url} serves {len(models)} models; choose one with --model: "
                + ", ".join(models[:10])
            )
        return models[0]


def least_effort(model: str) -> str | None:
    """Return the least effort a model of OpenAI's accepts: a caption needs no thinking.

    Source: the vendor's model pages, read in October 2026.
    """
    if model.startswith("gpt-5") and model.partition("-")[2].partition("-")[0] == "5":
        return "minimal"
    if model.startswith(("gpt-5", "gpt-6")):
        return "none"
    return None
