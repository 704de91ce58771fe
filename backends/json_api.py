"""Captioners whose SDK posts a body of our own, which saves encoding the picture twice."""

from __future__ import annotations

import base64
import secrets
from abc import abstractmethod
from types import ModuleType
from typing import Any, ClassVar

import msgspec

from backends.api import ApiCaptioner
from backends.base import Picture
from backends.errors import TransientError


class JsonApiCaptioner(ApiCaptioner[bytes]):
    """Builds the request as JSON and reads the answer's JSON; the SDK does what lies between.

    A subclass sets `sdk` and `client`, and writes `request`.

    Attributes:
        path: Where requests go, under the base URL.
        sdk: The module `openai` or `anthropic`.
        client: The asynchronous client of that module.
    """

    path: ClassVar[str]
    sdk: ModuleType
    client: Any

    @abstractmethod
    def request(self, picture: str) -> dict[str, Any]:
        """Return the body of a request; `picture` stands for the base64 of a JPEG."""

    def prepare(self, picture: Picture) -> bytes:
        """Return the body, the picture spliced in so that no encoder scans 200 KB of base64."""
        gap = secrets.token_hex(16)  # nothing that a prompt may hold
        before, _, after = msgspec.json.encode(self.request(gap)).partition(gap.encode())
        return b"".join((before, base64.b64encode(picture.data), after))

    async def call(self, prepared: bytes) -> bytes:
        """Post a body and return the answer's; see `ApiCaptioner.call`."""
        import httpx2  # a plan needs the class, and sends nothing

        sdk = self.sdk
        try:
            response: httpx2.Response = await self.client.post(
                self.path,
                cast_to=httpx2.Response,
                content=prepared,
                options={"headers": {"content-type": "application/json"}},
            )
        except sdk.APIConnectionError as error:  # which a time-out is, too
            cause = error.__cause__
            if isinstance(cause, httpx2.TransportError):
                raise cause from cause.__cause__
            raise TransientError(f"connection failed: {error.__cause__ or error}") from None
        except sdk.APIStatusError as error:
            raise self.status_error(error.response) from None
        return response.content
