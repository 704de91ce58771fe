"""`openai`: OpenAI, and with `--base-url` any server that speaks its protocol."""

from __future__ import annotations

import asyncio
import re
from typing import Any, ClassVar
from urllib.parse import urlsplit

import msgspec

from backends import image_tokens
from backends.base import Caption, Ended, Options
from backends.errors import CallError, SetupError
from backends.http_statuses import ErrorDetails
from backends.json_api import JsonApiCaptioner
from backends.loose_json import at, count, items, parse, text
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

LIMIT_NAMES = ("max_tokens", "max_completion_tokens")
"""The names of the limit of tokens: the old one, which other servers know, and the new one."""

_REFUSED_LIMIT = re.compile(r"HTTP 4\d\d: .*max_(?:completion_)?tokens", re.DOTALL)

_ENDINGS: dict[str, Ended] = {
    "length": "length",
    "max_tokens": "length",
    "content_filter": "refused",
}


class _Model(msgspec.Struct):
    id: str


class _Models(msgspec.Struct):
    data: list[_Model]


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
        self.form = LIMIT_NAMES[0 if self.own_server else 1]
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

    def tokens_out(self, usage: Any) -> int | None:
        """Return the tokens billed for an answer, which include the tokens of reasoning."""
        return count(at(usage, "completion_tokens"))

    def limits(self) -> dict[str, Any]:
        """Return settings that limit the answer and forbid the vendor to keep it."""
        limits: dict[str, Any] = {self.form: self.options.max_tokens}
        if self.own_server:
            return limits
        effort = least_effort(self.model or "")
        limits["store"] = False
        return limits if effort is None else {**limits, "reasoning_effort": effort}

    def adapts_to(self, error: CallError) -> bool:
        """Name the limit of tokens as the server wants it, where the server refuses the name."""
        if not _REFUSED_LIMIT.search(str(error)):
            return False
        self.form = next(form for form in LIMIT_NAMES if form != self.form)
        return True

    def read(self, answer: Any) -> Caption:
        """Return what a chat completion says."""
        message = at(answer, "choices", 0, "message")
        reason = text(at(answer, "choices", 0, "finish_reason"))
        if message is None and reason.lower() not in _ENDINGS:
            raise LookupError("there is no choice in it, or no message")
        content = at(message, "content")
        parts = "".join(text(at(part, "text")) for part in items(content))
        refusal = text(at(message, "refusal"))
        usage = at(answer, "usage")
        return self.billed(
            refusal or text(content) or parts,
            count(at(usage, "prompt_tokens")),
            self.tokens_out(usage),
            ended="refused" if refusal else _ENDINGS.get(reason.lower(), "whole"),
        )

    def refusal(self, status: int, content: bytes) -> ErrorDetails:
        """Return what the body of an error says; its shape differs from server to server."""
        try:
            body = parse(content)
        except ValueError:
            return ErrorDetails.in_no_shape(content)
        detail = at(body, "error") or body
        said = text(detail) or text(at(detail, "message")) or text(at(detail, "detail"))
        if not said:
            return ErrorDetails.in_no_shape(content)
        codes = {text(at(detail, "code")), text(at(detail, "type"))}
        return ErrorDetails(message=said, quota_spent=bool(QUOTA_CODES & codes))

    def hint(self, status: int) -> str:
        """Return that the address lacks the path under which such servers answer."""
        if (
            status not in (404, 405)
            or not self.own_server
            or urlsplit(self.base_url).path.strip("/")
        ):
            return ""
        return f" (the address lacks /v1: --base-url {self.base_url.rstrip('/')}/v1)"

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
                f"Name one with --model{self.hint(404)}"
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
