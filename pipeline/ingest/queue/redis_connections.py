"""Connections to a Redis server over which one answer takes bounded time and bounded memory.

The client library has a limit for each piece of an answer, and none for an answer that comes in
drops, or without end. What answers need not be a Redis server.
"""

from __future__ import annotations

import time
from typing import Any

from redis import Connection, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import InvalidResponse

MOST_SECONDS = 10.0
"""How long an answer may take from its request on; a step takes hundredths of a second."""

MOST_BYTES = 16 << 20
"""Bytes of an answer; a page of items whose paths are as long as paths can be takes ten million."""


class BoundedSocket:
    """A socket that gives so many bytes, for so long, after each request.

    Args:
        connected: The socket, or a TLS socket.
    """

    def __init__(self, connected: Any) -> None:
        self._connected = connected
        self._begin()

    def __getattr__(self, name: str) -> Any:
        """Return everything else that a socket has."""
        return getattr(self._connected, name)

    def _begin(self) -> None:
        self._left = MOST_BYTES
        self._deadline = time.monotonic() + MOST_SECONDS

    def sendall(self, data: bytes) -> None:
        """Send a request."""
        self._begin()
        self._connected.sendall(data)

    def recv(self, most: int) -> bytes:
        """Return a piece of an answer.

        Raises:
            TimeoutError: the answer takes too long.
            InvalidResponse: the answer is too long.
        """
        if time.monotonic() > self._deadline:
            raise TimeoutError
        data: bytes = self._connected.recv(most)
        self._left -= len(data)
        if self._left < 0:
            raise InvalidResponse(f"an answer of more than {MOST_BYTES:,} bytes")
        return data


class _Bounded:
    """What a connection becomes bounded by, in front of the class of the connection."""

    def _connect(self) -> BoundedSocket:
        return BoundedSocket(super()._connect())  # type: ignore[misc]


class _BoundedConnection(_Bounded, Connection):
    pass


class _BoundedSSLConnection(_Bounded, SSLConnection):
    pass


class _BoundedUnixConnection(_Bounded, UnixDomainSocketConnection):
    pass


CONNECTIONS = {
    "redis": _BoundedConnection,
    "rediss": _BoundedSSLConnection,
    "unix": _BoundedUnixConnection,
}
"""The class of a connection, by the scheme of the server's address."""
