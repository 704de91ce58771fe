"""`openai`: OpenAI, and with `--base-url` any server that speaks its protocol."""

from __future__ import annotations

import asyncio
import base64
from typing import Any, Literal

import msgspec

from backends.base import Caption, Captioner, Options, PhotoInput, Picture, PictureSpec
from backends.errors import CallError, SetupError, TooLargeError, TransientError
from backends.keys import remember
from backends.prices import Prices
from backends.retry import DEFAULT_POLICY, RetryPolicy, error_for_status, with_retries
from backends.throttle import Throttle

OPENAI_URL = "https://api.openai.com/v1"

PRESETS = {
    "vllm": "http://127.0.0.1:8000/v1",
    "sglang": "http://127.0.0.1:30000/v1",
    "ollama": "http://127.0.0.1:11434/v1",
    "lmstudio": "http://127.0.0.1:1234/v1",
    "llamacpp": "http://127.0.0.1:8080/v1",
}
"""The addresses these servers listen on unless told otherwise."""

MOST_TOKENS_OUT = 300
LARGEST_EDGE = 2048
DEFAULT_EDGE = 1024
SHRINK = 0.5
REQUEST_SECONDS = 60.0
OWN_SERVER_SECONDS = 180.0
"""A model on someone's own CPU takes its time."""

IMAGE_TOKENS_BOUND = {"low": 8_000, "high": 50_000, "auto": 50_000}
"""Tokens no picture of at most 2,048 px exceeds at that detail, for the models known."""

QUOTA_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})


def server_url(options: Options) -> str | None:
    """Return the address of the user's own server, None for the vendor's."""
    return PRESETS.get(options.base_url or "", options.base_url)


_ENDINGS: dict[str, Literal["whole", "length", "refused"]] = {
    "length": "length",
    "content_filter": "refused",
}


class _Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    usage: _Usage | None = None


class _ErrorDetail(msgspec.Struct):
    message: str | None = None
    code: str | int | None = None
    type: str | None = None


class _ErrorBody(msgspec.Struct):
    error: _ErrorDetail


class OpenAICaptioner(Captioner):
    """Sends one picture to one chat completion.

    Args:
        options: What the user asked for.
        policy: How failed calls are made again.
    """

    name = "openai"
    key_name = "OPENAI_API_KEY"
    default_url = OPENAI_URL
    default_model = "gpt-6-luna"
    default_workers = 8

    def __init__(self, options: Options, policy: RetryPolicy = DEFAULT_POLICY) -> None:
        super().__init__(options)
        import openai

        from backends import http

        self._openai, self._http = openai, http
        self._policy = policy
        self.base_url = http.checked_url(server_url(options) or self.default_url)
        own_server = server_url(options) is not None
        key = options.keys.get(self.key_name, "")
        if not key and not (own_server and http.is_private(self.base_url)):
            raise SetupError(
                f"{self.key_name} is not set; put `{self.key_name}=...` into config.env of the "
                "workspace, or export it"
            )
        self.picture = PictureSpec(min(options.max_edge or DEFAULT_EDGE, LARGEST_EDGE), "jpeg")
        self._timeout = options.request_timeout or (
            OWN_SERVER_SECONDS if own_server else REQUEST_SECONDS
        )
        self._throttle = Throttle(self.workers)
        self._own_server = own_server
        self._client = openai.AsyncOpenAI(
            api_key=remember(key) or "none",
            base_url=self.base_url,
            max_retries=0,
            http_client=http.new_client(self.workers, self._timeout),
        )

    @classmethod
    def model_for(cls, options: Options) -> str | None:
        """Return the model; a server of one's own is asked for its model later."""
        return options.model or (None if server_url(options) else cls.default_model)

    async def open(self) -> None:
        """Ask a server of one's own for its model where none was named."""
        if self.model is None:
            self.model = await self._only_model()

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def cost_bound(self) -> float | None:
        """Return the price of the most tokens a photo can take."""
        tokens_in = len(self.options.prompt.encode()) + IMAGE_TOKENS_BOUND[self.options.detail]
        return self._price(tokens_in, MOST_TOKENS_OUT)

    async def caption(self, photo: PhotoInput) -> Caption:
        """Send the picture; once more, smaller, if the server finds it too large."""
        try:
            return await self._caption_picture(photo.picture)
        except TooLargeError:
            smaller = await asyncio.to_thread(photo.picture.shrunk, SHRINK)
            return await self._caption_picture(smaller)

    async def _caption_picture(self, picture: Picture) -> Caption:
        body = self._body(picture)
        return await with_retries(lambda: self._call(body), self._throttle, self._policy)

    def _body(self, picture: Picture) -> bytes:
        """Return the request as JSON, the picture spliced in so that no encoder scans it."""
        before, after = self._envelope()
        return b"".join((before, base64.b64encode(picture.data), after))

    def _envelope(self) -> tuple[bytes, bytes]:
        gap = "<picture>"
        image_url = {"url": f"data:image/jpeg;base64,{gap}", "detail": self.options.detail}
        content = [
            {"type": "text", "text": self.options.prompt},
            {"type": "image_url", "image_url": image_url},
        ]
        request: dict[str, object] = {
            "model": self.model,
            "messages": [{"role": "user", "content": content}],
        }
        if self._own_server:
            request["max_tokens"] = MOST_TOKENS_OUT
        else:
            request |= {"max_completion_tokens": MOST_TOKENS_OUT, "store": False}
            if effort := _reasoning_effort(self.model or ""):
                request["reasoning_effort"] = effort
        before, _, after = msgspec.json.encode(request).rpartition(gap.encode())
        return before, after

    async def _call(self, body: bytes) -> Caption:
        """Make one request and read its answer.

        Raises:
            CallError: what the status, the silence or the shape of the answer means.
        """
        openai = self._openai
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._client.post(
                    "/chat/completions",
                    cast_to=self._http.Response,
                    content=body,
                    options={"headers": {"content-type": "application/json"}},
                )
        except (TimeoutError, openai.APITimeoutError):
            raise TransientError(f"no answer within {self._timeout:g} s") from None
        except openai.APIConnectionError as error:
            raise TransientError(f"connection failed: {error.__cause__ or error}") from None
        except openai.APIStatusError as error:
            raise self._status_error(error.response) from None
        return self._read(response.content)

    def _status_error(self, response: Any) -> CallError:
        detail = _error_detail(response.content)
        message = detail.message or response.reason_phrase
        if response.status_code == 413:
            return TooLargeError(f"HTTP 413: {message}")
        return error_for_status(
            response.status_code,
            message,
            response.headers,
            quota_spent=bool(QUOTA_CODES & {detail.code, detail.type}),
        )

    def _read(self, content: bytes) -> Caption:
        try:
            completion = msgspec.json.decode(content, type=_Completion)
            choice = completion.choices[0]
        except (msgspec.MsgspecError, UnicodeDecodeError, IndexError) as error:
            raise TransientError(f"the answer is no chat completion: {error}") from None
        usage = completion.usage
        return Caption(
            text=choice.message.refusal or choice.message.content or "",
            ended="refused"
            if choice.message.refusal
            else _ENDINGS.get(choice.finish_reason or "", "whole"),
            tokens_in=max(0, usage.prompt_tokens) if usage else None,
            tokens_out=max(0, usage.completion_tokens) if usage else None,
            cost_usd=self._price(usage.prompt_tokens, usage.completion_tokens) if usage else None,
        )

    def _price(self, tokens_in: int, tokens_out: int) -> float | None:
        prices = Prices(self.name, self.model or "", self.options.prices)
        return prices.cost(max(0, tokens_in), max(0, tokens_out))

    async def _only_model(self) -> str:
        """Return the model of a server that serves one.

        Raises:
            SetupError: it serves several, or does not answer.
        """
        try:
            async with asyncio.timeout(self._timeout):
                models = [model.id async for model in self._client.models.list()]
        except (TimeoutError, self._openai.OpenAIError) as error:
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


def _error_detail(content: bytes) -> _ErrorDetail:
    """Return what an error body says; its shape differs from server to server."""
    try:
        return msgspec.json.decode(content, type=_ErrorBody).error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _ErrorDetail(message=content[:200].decode("utf-8", "replace"))


def _reasoning_effort(model: str) -> str | None:
    """Return the least effort a model of OpenAI's accepts: a caption needs no thinking.

    Source: the vendor's model pages, read in October 2026.
    """
    if model.startswith("gpt-5") and model.partition("-")[2].partition("-")[0] == "5":
        return "minimal"
    if model.startswith(("gpt-5", "gpt-6")):
        return "none"
    return None
