"""The HTTP client that every vendor's SDK is given: no redirects, bounded answers."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import AsyncIterator
from typing import cast
from urllib.parse import urlsplit

import httpx2
from httpx2 import TransportError

from backends.errors import SetupError, causes

LARGEST_ANSWER = 4 << 20
"""The most bytes of an answer; a caption with its usage block is a thousand times smaller."""

CONNECT_SECONDS = 10.0

LONGEST_REASON = 300

NEVER_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.LocalProtocolError,
)
"""Errors of a request that never reached its server, so that nothing can have been billed."""


class AnswerTooLarge(TransportError):
    """Raised when a server sends more than any caption needs."""


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            if size > LARGEST_ANSWER:
                raise AnswerTooLarge(f"the answer is larger than {LARGEST_ANSWER:,} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


class BoundedTransport(httpx2.AsyncHTTPTransport):
    """Stops reading an answer that is too large, and refuses a compressed one."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request; see AsyncHTTPTransport."""
        request.headers["accept-encoding"] = "identity"
        response = await super().handle_async_request(request)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise AnswerTooLarge("the answer is compressed, although plain text was asked for")
        response.stream = _BoundedStream(cast(httpx2.AsyncByteStream, response.stream))
        return response


def new_client(connections: int, timeout: float) -> httpx2.AsyncClient:
    """Return a client for one provider.

    Args:
        connections: Calls in flight at most.
        timeout: Seconds without a byte; the whole call is limited by its caller.
    """
    limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
    return httpx2.AsyncClient(
        transport=BoundedTransport(limits=limits),
        timeout=httpx2.Timeout(timeout, connect=CONNECT_SECONDS),
        follow_redirects=False,
    )


def no_answer(error: Exception, host: str, seconds: float) -> str:
    """Return in words why a server gave no answer.

    Args:
        error: A TimeoutError, or an error of the transport.
        host: The server, with its port where the address names one.
        seconds: The time limit of the call.
    """
    if isinstance(error, TimeoutError | httpx2.TimeoutException):
        return f"no answer from {host} within {seconds:g} s"
    for cause in causes(error):
        if isinstance(cause, socket.gaierror):
            return f"{host} is not known: no address belongs to that name"
        if isinstance(cause, OSError) and cause.errno == errno.ECONNREFUSED:
            return f"{host} refuses connections"
    return f"the connection to {host} failed: {str(error)[:LONGEST_REASON]}"


def checked_url(url: str) -> str:
    """Return a URL that a request can be sent to.

    Raises:
        SetupError: no request can be sent there.
    """
    try:
        parts = urlsplit(url)
        if parts.username or parts.password:
            raise SetupError("--base-url holds a user or a password; keys stand in config.env")
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        httpx2.URL(url)
    except (ValueError, httpx2.InvalidURL):
        fits = False
    if not fits:
        raise SetupError(f"--base-url {url!r} is no address such as http://127.0.0.1:8000/v1")
    return url


def is_private(url: str) -> bool:
    """Tell whether a URL names this machine or one on a private network; no name is looked up."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith((".localhost", ".local")):
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False
