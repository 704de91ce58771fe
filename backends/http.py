"""The HTTP client that every vendor's SDK is given: no redirects, bounded answers."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import ssl
from collections.abc import AsyncIterator
from typing import cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx2
from httpx2 import TransportError

from backends.errors import SetupError, causes

LARGEST_ANSWER = 4 << 20
"""The most bytes of an answer; a caption with its usage block is a thousand times smaller."""

CONNECT_SECONDS = 10.0

LONGEST_REASON = 300

PRIVATE_SUFFIXES = (
    ".localhost",
    ".local",
    ".lan",
    ".internal",
    ".home.arpa",
    ".ts.net",
)
"""Endings of names that no public server has; a name without a dot is one of a private network."""

SHARED_ADDRESSES = ipaddress.ip_network("100.64.0.0/10")
"""Addresses behind a provider's translation, which overlay networks such as Tailscale use, too."""

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


def new_client(url: str, connections: int, timeout: float) -> httpx2.AsyncClient:
    """Return a client for one provider, which goes through the proxy of the environment.

    Args:
        url: The address of the provider.
        connections: Calls in flight at most.
        timeout: Seconds without a byte; the whole call is limited by its caller.

    Raises:
        SetupError: the proxy or the certificates of the environment cannot be used.
    """
    limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
    proxy = proxy_for(url)
    try:
        transport = BoundedTransport(limits=limits, proxy=proxy)
    except (ValueError, ImportError, httpx2.InvalidURL) as error:
        raise SetupError(f"the proxy {without_password(proxy or '')}: {error}") from None
    except OSError as error:  # ssl.SSLError is one, too
        certificates = os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")
        raise SetupError(f"the certificates of {certificates} cannot be read: {error}") from None
    return httpx2.AsyncClient(
        transport=transport,
        timeout=httpx2.Timeout(timeout, connect=CONNECT_SECONDS),
        follow_redirects=False,
    )


def proxy_for(url: str) -> str | None:
    """Return the proxy that `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` name."""
    parts = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.netloc):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def without_password(url: str) -> str:
    """Return the address of a proxy as people may see it, empty for none."""
    if not url:
        return ""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def no_answer(error: Exception, host: str, seconds: float, proxy: str = "") -> str:
    """Return in words why a server gave no answer.

    Args:
        error: A TimeoutError, or an error of the transport.
        host: The server, with its port where the address names one.
        seconds: How long the call took.
        proxy: The proxy that is connected to in place of the server, empty for none.
    """
    through = f" through the proxy {proxy}" if proxy else ""
    if isinstance(error, TimeoutError | httpx2.TimeoutException):
        return f"no answer from {host}{through} within {round(seconds, 1):g} s"
    reached = f"the proxy {proxy}" if proxy else host
    for cause in causes(error):
        if isinstance(cause, socket.gaierror):
            return f"{reached} is not known: no address belongs to that name"
        if isinstance(cause, OSError) and cause.errno == errno.ECONNREFUSED:
            return f"{reached} refuses connections"
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"the certificate of {host} is not trusted: {cause.verify_message}; "
                "SSL_CERT_FILE names a file with certificates to trust"
            )
    return f"the connection to {host}{through} failed: {str(error)[:LONGEST_REASON]}"


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
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        is_single = "." not in host
        return is_single or host.endswith(PRIVATE_SUFFIXES)
    return address.is_private or address in SHARED_ADDRESSES


def is_in_the_clear(url: str) -> bool:
    """Tell whether what is sent to a URL can be read on its way over public networks."""
    return urlsplit(url).scheme == "http" and not is_private(url)
