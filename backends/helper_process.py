"""A process of our own that answers over its pipes: both ends of the conversation.

What a library prints, leaks, crashes or hangs stays in there. A message is
bytes, with their length in front.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, BinaryIO

from backends.keys import is_key_name

LENGTH = struct.Struct(">I")

PIPE_BYTES = 1 << 20
"""The most an ordinary user may ask for."""

LARGEST_READ = 64 << 20

# The owner's end


class HelperProcess:
    """One process and its two pipes.

    Two pipes, not a socket: what a process wrote before it died can still be read.
    """

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.process = process
        self._requests = process.stdin
        self._replies = process.stdout

    @classmethod
    async def start(
        cls,
        module: str,
        *,
        stderr: int | IO[bytes] = asyncio.subprocess.DEVNULL,
        environment: dict[str, str] | None = None,
    ) -> HelperProcess:
        """Start a module as a process; it sees no API key and no terminal.

        Args:
            module: Its name.
            stderr: Where its standard error goes.
            environment: Variables over those of this process.

        Raises:
            OSError: no process can be started.
        """
        inherited = {name: value for name, value in os.environ.items() if not is_key_name(name)}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", module),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            limit=LARGEST_READ,
            start_new_session=True,  # Ctrl+C and a closed terminal are for the job to answer
            env=inherited | (environment or {}),
        )
        return cls(process)

    def send(self, message: bytes) -> None:
        """Send a message, without waiting until it is read."""
        self._requests.write(LENGTH.pack(len(message)))
        self._requests.write(message)

    async def receive(self) -> bytes:
        """Return the next message.

        Raises:
            IncompleteReadError: the process has ended.
        """
        (length,) = LENGTH.unpack(await self._replies.readexactly(LENGTH.size))
        return await self._replies.readexactly(length)

    async def stop(self, patience: float = 1.0) -> int:
        """Let the process end, insist after some seconds, and return its exit status."""
        self._requests.close()
        try:
            async with asyncio.timeout(patience):
                return await self.process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):  # it ended just now
                self.process.kill()
        return await self.process.wait()


# The process's own end


@contextmanager
def taken_pipes() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Take standard input and output for messages; what a library prints goes to standard error."""
    replies = os.dup(1)
    os.dup2(2, 1)
    if hasattr(fcntl, "F_SETPIPE_SZ"):  # Linux: a picture in few reads instead of dozens
        with suppress(OSError):  # where a user's pipes are many, they stay small
            fcntl.fcntl(replies, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    with open(0, "rb") as incoming, open(replies, "wb") as outgoing:
        yield incoming, outgoing


def read_messages(incoming: BinaryIO) -> Iterator[bytes]:
    """Yield messages until the owner closes its end, or is gone."""
    while header := incoming.read(LENGTH.size):
        yield incoming.read(*LENGTH.unpack(header))


def write_message(outgoing: BinaryIO, message: bytes) -> None:
    """Write one message with its length in front."""
    outgoing.write(LENGTH.pack(len(message)))
    outgoing.write(message)
    outgoing.flush()
