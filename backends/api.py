"""What every backend that calls a server shares: key, address, time limit, retries, price."""

from __future__ import annotations

import asyncio
import os
from abc import abstractmethod
from typing import Any, ClassVar, Generic, TypeGuard, TypeVar
from urllib.parse import urlsplit

import msgspec

from backends.base import (
    DEFAULT_EDGE,
    LARGEST_EDGE,
    MOST_TOKENS_OUT,
    Caption,
    Captioner,
    Ended,
    Options,
    PhotoInput,
    Picture,
    PictureSpec,
)
from backends.errors import CallError, SetupError, TooLargeError, TransientError
from backends.http_statuses import ErrorDetails, error_for_status, names_no_model
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

SDK_SWITCHES = (
    *("OPENAI_LOG", "ANTHROPIC_LOG"),
    *("OPENAI_CUSTOM_HEADERS", "ANTHROPIC_CUSTOM_HEADERS"),
)
"""Variables that would make the SDKs print pictures, or send more than we say."""

MOST_TOKENS_BELIEVED = 10**9
"""A server that counts more tokens is wrong."""

UNKNOWN_IMAGE_TOKENS = 8_000
"""Tokens of a picture where no rule is known; 2,048 px square are 5,476 patches of 28 px."""


class Bill:
    """What the attempts to caption one photo cost, or may have cost.

    Args:
        most: The most that one attempt can cost in US dollars, None where no price is known.

    Attributes:
        usd: The sum in US dollars, None where no attempt has a price.
    """

    def __init__(self, most: float | None) -> None:
        self._most = most
        self.usd: float | None = None

    def add(self, cost: float | None) -> None:
        """Count an attempt; one whose cost is not told counts as the most it can be."""
        counted = self._most if cost is None else cost
        if counted is not None:
            self.usd = (self.usd or 0.0) + counted


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
    """

    key_name: ClassVar[str]
    provider: ClassVar[str]
    default_url: ClassVar[str]
    models: ClassVar[tuple[str, ...]]
    default_workers = 8
    typical_seconds = 2.5

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
        self.http_client = http.new_client(self.workers, self.timeout)
        self._policy = policy
        self._throttle = Throttle(self.workers)

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
    def read(self, content: bytes) -> Caption:
        """Return what the body of an answer says, with its price; see `billed`.

        Raises:
            CallError: the body tells of an error, whatever the status was.
            ValueError, LookupError, TypeError: the body is not of the right shape.
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
        prepared = self.prepare(picture)
        return await with_retries(
            lambda: self._attempt(prepared, bill), self._throttle, self._policy
        )

    async def _attempt(self, prepared: Prepared, bill: Bill) -> Caption:
        if bill.usd and not self.may_repeat():
            raise CallError("an attempt failed and may have been billed; no budget for another")
        try:
            content = await self._call_in_time(prepared)
        except TransientError as error:
            if error.may_be_billed:
                bill.add(None)
            raise
        try:
            caption = self.read(content)
        except CallError:
            bill.add(None)
            raise
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            bill.add(None)
            reason = str(error)[:LONGEST_REASON]
            raise TransientError(f"the answer is not of the right shape: {reason}") from None
        bill.add(caption.cost_usd)
        return caption

    async def _call_in_time(self, prepared: Prepared) -> bytes:
        http = self._http
        try:
            async with asyncio.timeout(self.timeout):
                return await self.call(prepared)
        except (TimeoutError, http.TransportError) as error:
            raise TransientError(
                http.no_answer(error, self._host, self.timeout),
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
        """End every wait for a place or for another attempt; calls under way are finished."""
        self._throttle.close()

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
        if names_no_model(response.status_code, response.content):
            said = msgspec.structs.replace(said, message=self._no_such_model(said.message))
        return error_for_status(response.status_code, said, response.headers)

    def _no_such_model(self, said: str) -> str:
        """Return what to say of a model that is not there, and how to find another."""
        if self.own_server:
            return (
                f"{self._host} has no model {self.model}, or --base-url leads elsewhere; leave out "
                f"--model to see what it serves ({said})"
            )
        return (
            f"{self.name} has no model {self.model}, or no longer; "
            f"`pcc models --backend {self.name}` lists models ({said})"
        )

    def billed(
        self, text: str, tokens_in: int | None, tokens_out: int | None, ended: Ended = "whole"
    ) -> Caption:
        """Return an answer with its price; impossible counts of tokens are ignored."""
        if not (_is_believed(tokens_in) and _is_believed(tokens_out)):
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
        return self._cost(tokens_in, MOST_TOKENS_OUT)

    def _cost(self, tokens_in: int, tokens_out: int) -> float | None:
        price = Prices(self.provider, self.model or "", self.options.prices).price(
            tokens_in, tokens_out
        )
        return None if price is None else price.total


def _is_believed(tokens: int | None) -> TypeGuard[int]:
    return tokens is not None and 0 <= tokens <= MOST_TOKENS_BELIEVED
