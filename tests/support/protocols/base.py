"""A request, a reply, and the answers that every vendor's protocol can give."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import responses
from typing import Any

CAPTION = "A dog runs along the beach at sunset."
CUT_CAPTION = "A dog runs along the"


@dataclass
class Request:
    """One request as it arrived; header names are in lower case."""

    number: int
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body, parsed."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


@dataclass
class Reply:
    """What the server does with a request.

    `delay` is the time before the answer in seconds; `hang` never answers; `raw` replaces
    the whole HTTP answer; `cut` is the number of bytes that are sent; `endless` never ends.
    """

    status: int = 200
    body: bytes | str | Mapping[str, Any] = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    hang: bool = False
    raw: bytes | None = None
    cut: int | None = None
    endless: bool = False

    def encode(self) -> bytes:
        """Return the bytes of the HTTP answer."""
        if self.raw is not None:
            return self.raw
        body = self.body
        if isinstance(body, Mapping):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        headers = {"content-type": "application/json", "content-length": str(len(body))}
        headers |= self.headers
        lines = [f"HTTP/1.1 {self.status} {responses.get(self.status, '')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + body


class Protocol(ABC):
    """How one vendor is asked for a caption, and how it answers.

    Attributes:
        name: Name of the backend.
        base_path: Path of `--base-url` after the host.
        caption_path: A pattern of the path that captions are asked from.
    """

    name: str
    base_path = ""
    caption_path: str

    def is_caption(self, path: str) -> bool:
        """Tell whether a request for this path asks for a caption."""
        return re.fullmatch(self.caption_path, path) is not None

    def key(self, request: Request) -> str | None:
        """Return the API key of a request, None if the request has no key."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        return key if scheme == "Bearer" else None

    def no_caption(self) -> Reply:
        """Answer a request that asks for no caption."""
        return self.error(404, "Not found")

    @abstractmethod
    def picture(self, request: Request) -> bytes:
        """Return the bytes of the picture that was sent."""

    @abstractmethod
    def prompt(self, request: Request) -> str:
        """Return the text that was sent beside the picture."""

    @abstractmethod
    def good(self, text: str = CAPTION, tokens: tuple[int, int] = (300, 20)) -> Reply:
        """Answer with a caption."""

    @abstractmethod
    def refused(self) -> Reply:
        """Answer that no caption will be given."""

    @abstractmethod
    def safety(self) -> Reply:
        """Answer with a caption that a filter took away."""

    @abstractmethod
    def cut_off(self) -> Reply:
        """Answer with a caption that was cut off at the token limit."""

    @abstractmethod
    def empty(self) -> Reply:
        """Answer successfully, but with an empty text."""

    @abstractmethod
    def error(self, status: int, message: str, /, **fields: Any) -> Reply:
        """Answer with an error; `fields` join the others of its body."""

    @abstractmethod
    def overloaded(self) -> Reply:
        """Answer that the server is overloaded."""

    @abstractmethod
    def rate_limited(self, seconds: float | None) -> Reply:
        """Answer that calls come too fast, and how long to wait."""

    @abstractmethod
    def wrong_key(self) -> Reply:
        """Answer that the key is not known."""

    @abstractmethod
    def quota_spent(self) -> Reply:
        """Answer that the credit or the daily quota is used up."""


def retry_after(seconds: float | None) -> dict[str, str]:
    """Return the header that asks for a wait; empty for None."""
    return {} if seconds is None else {"retry-after": f"{seconds:g}"}
