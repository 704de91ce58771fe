"""What every backend that calls a server shares: key, address, time limit, retries, price."""

from __future__ import annotations

import asyncio
import os
from abc import abstractmethod
from time import monotonic
from typing import Any, ClassVar, Generic, TypeVar
from urllib.parse import urlsplit

import msgspec

from backends import loose_json
from backends.base import (
    DEFAULT_EDGE,
    LARGEST_EDGE,
    Caption,
    Captioner,
    Ended,
    Options,
    PhotoInput,
    Picture,
    PictureSpec,
)
from backends.bill import Bill
from backends.errors import CallError, SetupError, TooLargeError, TransientError
from backends.http_statuses import ErrorDetails, error_for_status, names_no_model, quoted
from backends.image_tokens import largest, text_tokens
from backends.keys import remember, scrub
from backends.offers import Offer
from backends.prices import Prices
from backends.retirements import RETIREMENTS, retirement_notice
from backends.retry import DEFAULT_POLICY, RetryPolicy, with_retries
from backends.throttle import Throttle

Prepared = TypeVar("Prepared")

SHRINK = 0.5
LONGEST_REASON = 300
REQUEST_SECONDS = 60.0
OWN_SERVER_SECONDS = 180.0
"""A model on someone's own CPU takes its time."""

LAST_SECONDS = 30.0
"""What a call under way is given when the run is stopped: its answer is paid for."""

SDK_SWITCHES = (
    *("OPENAI_LOG", "ANTHROPIC_LOG"),
    *("OPENAI_CUSTOM_HEADERS", "ANTHROPIC_CUSTOM_HEADERS"),
)
"""Variables that would make the SDKs print pictures, or send more than we say."""

UNTOLD_STATUS = 503
"""The status of an error that came with HTTP 200 and tells no other; the same call may pass."""

UNKNOWN_IMAGE_TOKENS = 8_000
"""Tokens of a picture where no rule is known; 2,048 px square are 5,476 patches of 28 px."""


class ApiCaptioner(Captioner, Generic[Prepared]):
    """Sends one picture in one request, which is repeated by one policy for all vendors.

    A subclass sets the attributes below and writes `prepare`, `call` and `refusal`.

    Args:
        options: What the user asked for.
        policy: How failed calls are repeated.

    Attributes:
        provider: The vendor's id in `genai-prices`.
        default_url: The vendor's address.
        models: Ids worth choosing, the default first.
        form: The dialect of the server's protocol that is spoken.
    """

    key_name: ClassVar[str]
    provider: ClassVar[str]
    default_url: ClassVar[str]
    models: ClassVar[tuple[str, ...]]
    default_workers = 8
    typical_seconds = 2.5
    form = ""

    def __init__(self, options: Options, policy: RetryPolicy = DEFAULT_POLICY) -> None:
        super().__init__(options)
        for name in SDK_SWITCHES:
            os.environ.pop(name, None)
        from backends import http  # which needs httpx2; the SDKs bring it

        url = self.server_url(options)
        self.own_server = url is not None
        self.base_url = http.checked_url(url or self.default_url)
        self._http = http
        self._host = urlsplit(self.base_url).netloc
        self.key = remember(options.keys.get(self.key_name, ""))
        if not self.key and not (self.own_server and http.is_private(self.base_url)):
            raise SetupError(
                f"{self.key_name} is not set; put `{self.key_name}=...` into config.env of the "
                "workspace, or export it"
            )
        if not (self.key.isascii() and self.key.isprintable()):
            raise SetupError(f"{self.key_name} holds characters that no key has; copy it again")
        self.picture = self.picture_for(options)
        self.timeout = options.request_timeout or (
            OWN_SERVER_SECONDS if self.own_server else REQUEST_SECONDS
        )
        self.http_client = http.new_client(self.base_url, self.workers, self.timeout)
        self._proxy = http.without_password(http.proxy_for(self.base_url) or "")
        if self._proxy:
            self.remarks.append(f"calls go through the proxy {self._proxy}")
        if self.key and http.is_in_the_clear(self.base_url):
            self.remarks.append(
                f"{self._host} is asked over plain http: the key and the pictures can be read "
                "on their way; use https"
            )
        self._policy = policy
        self._throttle = Throttle(self.workers)
        self._limits: set[asyncio.Timeout] = set()

    @classmethod
    def server_url(cls, options: Options) -> str | None:
        """Return the address of a server other than the vendor's, None for the vendor's."""
        return options.base_url

    @classmethod
    def picture_for(cls, options: Options) -> PictureSpec:
        """Return the form in which pictures are sent."""
        return PictureSpec(min(options.max_edge or DEFAULT_EDGE, LARGEST_EDGE), "jpeg")

    @classmethod
    def prices(cls, options: Options) -> Prices:
        """Return the prices of the model that would be used."""
        model = cls.model_for(options) or ""
        return Prices(cls.provider, model, options.prices, options.prices_as_of)

    @classmethod
    def offers(cls, options: Options) -> list[Offer]:
        """Return the vendor's models that caption well for little, with their prices."""
        return [cls._offer(model, options) for model in cls.models]

    @classmethod
    def _offer(cls, model: str, options: Options) -> Offer:
        # A request of a thousand tokens: longer ones may cost more a token.
        price = Prices(cls.provider, model, options.prices).price(1000, 1000)
        end = RETIREMENTS.get(model)
        return Offer(
            backend=cls.name,
            model=model,
            default=model == cls.default_model,
            usd_in=None if price is None else round(price.tokens_in * 1000, 6),
            usd_out=None if price is None else round(price.tokens_out * 1000, 6),
            ends=None if end is None else end.ends,
        )

    @classmethod
    def notices(cls, options: Options) -> list[str]:
        """Return when the model is switched off, if the vendor has announced a day."""
        notice = None if cls.server_url(options) else retirement_notice(cls.model_for(options))
        return [notice] if notice else []

    @abstractmethod
    def prepare(self, picture: Picture) -> Prepared:
        """Return what is sent for a picture. It is made once and sent as often as needed."""

    @abstractmethod
    async def call(self, prepared: Prepared) -> bytes:
        """Make one request and return the body of the answer; a time limit stands around it.

        Raises:
            CallError: what the status means; see `status_error`.
            httpx2.TransportError: there was no answer.
        """

    @abstractmethod
    def read(self, answer: Any) -> Caption:
        """Return what the body of an answer says, with its price; see `billed`.

        Args:
            answer: The JSON of the body.

        Raises:
            LookupError: the body is not of the right shape.
        """

    @abstractmethod
    def refusal(self, status: int, content: bytes) -> ErrorDetails:
        """Return what the body of an error says."""

    async def caption(self, photo: PhotoInput) -> Caption:
        """Send the picture, and send a smaller one if the server finds the picture too large.

        The cost of the caption, or of the error, is that of all attempts.
        """
        bill = Bill(self.cost_bound())
        try:
            try:
                caption = await self._caption_picture(photo.picture, bill)
            except TooLargeError:
                smaller = await asyncio.to_thread(photo.picture.shrunk, SHRINK)
                caption = await self._caption_picture(smaller, bill)
        except CallError as error:
            error.cost_usd = bill.usd
            raise
        return msgspec.structs.replace(caption, cost_usd=bill.usd)

    async def _caption_picture(self, picture: Picture, bill: Bill) -> Caption:
        form = self.form
        try:
            return await self._send(picture, bill)
        except CallError as error:
            if self.form == form and not self.adapts_to(error):
                raise
            return await self._send(picture, bill)

    async def _send(self, picture: Picture, bill: Bill) -> Caption:
        prepared = self.prepare(picture)
        return await with_retries(
            lambda: self._attempt(prepared, bill), self._throttle, self._policy
        )

    def adapts_to(self, error: CallError) -> bool:
        """Take on another `form` if the server refused this one; return whether to ask again."""
        return False

    async def _attempt(self, prepared: Prepared, bill: Bill) -> Caption:
        if bill.usd and not self.may_repeat():
            raise CallError("an attempt failed and may have been billed; no budget for another")
        try:
            content = await self._call_in_time(prepared)
            caption = self._read(content)
        except CallError as error:
            if error.may_be_billed:
                bill.add(None)
            raise
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            bill.add(None)
            reason = str(error)[:LONGEST_REASON] + self.hint(404)
            raise TransientError(f"the answer is not of the right shape: {reason}") from None
        bill.add(caption.cost_usd)
        return caption

    def _read(self, content: bytes) -> Caption:
        answer = loose_json.parse(content)
        try:
            return self.read(answer)
        except LookupError:
            if loose_json.at(answer, "error"):
                raise self._error_in_answer(content, answer) from None
            raise

    def _error_in_answer(self, content: bytes, answer: Any) -> CallError:
        """Return what an error means that came with a status of success."""
        code = loose_json.count(loose_json.at(answer, "error", "code"))
        status = code if code and 400 <= code < 600 else UNTOLD_STATUS
        said = self.refusal(status, content)
        said = msgspec.structs.replace(said, message=quoted(said.message) + self.hint(404))
        error = error_for_status(status, said, {}, f"HTTP 200 with error {code or ''}".rstrip())
        error.may_be_billed = True
        return error

    async def _call_in_time(self, prepared: Prepared) -> bytes:
        http, began = self._http, monotonic()
        try:
            async with asyncio.timeout(self.timeout) as limit:
                self._limits.add(limit)
                try:
                    return await self.call(prepared)
                finally:
                    self._limits.discard(limit)
        except (TimeoutError, http.TransportError) as error:
            raise TransientError(
                http.no_answer(error, self._host, monotonic() - began, self._proxy),
                may_be_billed=not isinstance(error, http.NEVER_SENT),
            ) from None

    @property
    def trouble(self) -> str | None:
        """Why calls wait for another attempt, and how many; None while none waits."""
        waiting, reason = self._throttle.waiting, self._throttle.reason
        if reason is None:
            return None
        where = "" if self._host in reason else f"{self._host}: "
        return f"{where}{scrub(reason)}, {waiting} {'call' if waiting == 1 else 'calls'} waiting"

    def stop_waiting(self) -> None:
        """End every wait for a place or another attempt; calls under way get a last time limit."""
        self._throttle.close()
        latest = asyncio.get_running_loop().time() + LAST_SECONDS
        for limit in self._limits:
            limit.reschedule(min(latest, limit.when() or latest))

    async def close(self) -> None:
        """Close the connections."""
        await self.http_client.aclose()

    def status_error(self, response: Any) -> CallError:
        """Return what a response that is no success means."""
        try:
            said = self.refusal(response.status_code, response.content)
        except RecursionError:
            said = ErrorDetails.in_no_shape(response.content)
        if not said.message:
            said = ErrorDetails(message=response.reason_phrase)
        hint = self.hint(response.status_code)
        message = quoted(said.message) + hint
        if response.status_code == 401 and not self.key:
            message += f" ({self.key_name} is not set)"
        no_model = names_no_model(response.status_code, message, response.content)
        if no_model and not hint:
            message = self._no_such_model(message)
        said = msgspec.structs.replace(said, message=message, no_model=no_model)
        return error_for_status(response.status_code, said, response.headers)

    def hint(self, status: int) -> str:
        """Return what to say besides the server's words, such as what mends a wrong address.

        Args:
            status: The status of the answer; 404 for an answer that is no answer at all.
        """
        return ""

    def _no_such_model(self, said: str) -> str:
        """Return what to say of a model that is not there, and how to find another."""
        if self.own_server:
            asks = self.model_for(msgspec.structs.replace(self.options, model=None)) is None
            way = "leave out --model to see what it serves" if asks else "correct one of them"
            return (
                f"{self._host} has no model {self.model}, or --base-url leads elsewhere; "
                f"{way} ({said})"
            )
        return (
            f"{self.name} has no model {self.model}, or no longer; "
            f"`pcc models --backend {self.name}` lists models ({said})"
        )

    def billed(
        self, text: str, tokens_in: int | None, tokens_out: int | None, ended: Ended = "whole"
    ) -> Caption:
        """Return an answer with its price; without both counts of tokens the price is not known."""
        if tokens_in is None or tokens_out is None:
            return Caption(text=text, ended=ended)
        cost = self._cost(tokens_in, tokens_out)
        return Caption(
            text=text, ended=ended, tokens_in=tokens_in, tokens_out=tokens_out, cost_usd=cost
        )

    def cost_bound(self) -> float | None:
        """Return the price of the most tokens a photo can take."""
        edge = self.picture.max_edge
        image = largest(edge, lambda width, height: self.image_tokens(self.options, width, height))
        tokens_in = text_tokens(self.options.prompt) * 4 + (image or UNKNOWN_IMAGE_TOKENS)
        return self._cost(tokens_in, self.options.max_tokens)

    def _cost(self, tokens_in: int, tokens_out: int) -> float | None:
        price = Prices(self.provider, self.model or "", self.options.prices).price(
            tokens_in, tokens_out
        )
        return None if price is None else price.total
