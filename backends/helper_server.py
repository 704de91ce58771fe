"""The helper's end of the pipes: typed requests come in, typed replies go out.

This module stands apart from `helper.py` because a helper needs no event loop, and importing
one would take longer than decoding a photo.
"""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock
from typing import Any, BinaryIO, Generic, TypeVar

import msgspec

LENGTH = struct.Struct(">I")
"""The number of bytes of a message, which stands in front of the message."""

PIPE_BYTES = 1 << 20
"""Bytes of a pipe; an ordinary user may ask for no more."""

PR_SET_PDEATHSIG = 1
"""What Linux calls the signal that a process gets when its parent dies."""

Request = TypeVar("Request")
Reply = TypeVar("Reply")


class Owner(Generic[Request, Reply]):
    """The process that has started this one, as a helper sees it.

    Args:
        incoming: The pipe that requests come from.
        outgoing: The pipe that replies go to.
        requests: The type of the requests; a union where there are several.

    Attributes:
        requests: Yields each request, and ends when the owner closes its pipe or is gone.
    """

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO, requests: Any) -> None:
        decode = msgspec.msgpack.Decoder(requests).decode
        self.requests: Iterator[Request] = map(decode, _messages(incoming))
        self._outgoing = outgoing
        self._sending = Lock()

    def send(self, reply: Reply) -> None:
        """Send a reply. Any thread may.

        Raises:
            BrokenPipeError: the owner is gone.
        """
        message = msgspec.msgpack.encode(reply)
        with self._sending:
            self._outgoing.write(LENGTH.pack(len(message)))
            self._outgoing.write(message)
            self._outgoing.flush()


@contextmanager
def serving(requests: Any, when_orphaned: int = signal.SIGKILL) -> Iterator[Owner[Any, Any]]:
    """Make this process a helper: leave no core dumps, and keep the pipes for messages.

    What a library prints goes to standard error. The block ends quietly when the owner is gone.

    Args:
        requests: The type of the requests; a union where there are several.
        when_orphaned: The signal that this process gets when its owner dies. A process that is
            frozen or busy would not see the pipes close; SIGCONT suffices for one that is to
            finish what is in flight.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _be_told_of_death(when_orphaned)
    replies = os.dup(1)
    os.dup2(2, 1)
    if hasattr(fcntl, "F_SETPIPE_SZ"):  # Linux: a picture in few reads instead of dozens
        with suppress(OSError):  # where a user's pipes are many, they stay small
            fcntl.fcntl(replies, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    with suppress(BrokenPipeError), open(0, "rb") as incoming, open(replies, "wb") as outgoing:
        yield Owner(incoming, outgoing, requests)


def _be_told_of_death(number: int) -> None:
    """Have the kernel send this process a signal when its owner dies; Linux alone can do so."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)


def _messages(incoming: BinaryIO) -> Iterator[bytes]:
    while header := incoming.read(LENGTH.size):
        yield incoming.read(*LENGTH.unpack(header))
