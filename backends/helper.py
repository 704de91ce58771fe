"""A process of our own that answers over pipes, as the owner of the process sees it.

Libraries print, leak, crash and hang. What happens in a helper costs that helper, and the
owner is told in a sentence. A message is MessagePack with its length in front;
`helper_server.py` is the other end.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from contextlib import suppress
from typing import IO, Any, Generic, TypeVar

import msgspec

from backends.helper_server import LENGTH
from backends.keys import is_key_name, scrub
from backends.processes import Activity, end

LARGEST_READ = 64 << 20
"""Bytes that are read ahead; a picture of any usual size comes in one go."""

LARGEST_REPLY = 5 << 28
"""The most bytes of a reply. A photo's file of 1 GiB fits; whatever announces more is broken."""

WORDS_KEPT = 2_000
"""Bytes of what a dying helper wrote that are told."""

Request = TypeVar("Request")
Reply = TypeVar("Reply")


class HelperDied(Exception):
    """Raised when a helper does not start, has ended, or had to be ended.

    The message is a sentence without its subject, such as "died of SIGKILL".

    Attributes:
        status: Exit status, negative for a signal; None where the helper did not end by itself.
        last_words: The end of what the helper wrote to its standard error, without keys.
    """

    def __init__(self, message: str, status: int | None = None, last_words: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.last_words = last_words

    @property
    def killed(self) -> bool:
        """True when the helper died of SIGKILL, which the system sends that runs out of memory.

        Whoever else sends that signal is not known.
        """
        return self.status == -signal.SIGKILL

    @property
    def last_line(self) -> str:
        """The last line of the last words, empty where there are none."""
        return self.last_words.rpartition("\n")[2]


class HelperHung(HelperDied):
    """Raised when a helper had to be ended because it gave no sign of life for too long.

    Attributes:
        waited: True when the helper was neither at work nor stopped by a signal. Most likely it
            waited for a disk or a share.
    """

    def __init__(self, message: str, last_words: str, *, waited: bool) -> None:
        super().__init__(message, last_words=last_words)
        self.waited = waited


class Helper(Generic[Request, Reply]):
    """One process and its two pipes.

    Pipes are better than a socket here: what a process wrote before it died can still be read.

    Args:
        module: The module that runs as the process.
        replies: The type of the replies; a union where there are several.
        environment: Variables for the process, in place of this process's own.
        patience: Seconds without a reply after which the process hangs, None to wait for ever.
        keeps_words: True to keep what the process writes to standard error. What a decoder
            writes about each photo would fill the disk.

    Attributes:
        patience: As above; may change between two replies.
    """

    def __init__(
        self,
        module: str,
        replies: Any,
        *,
        environment: dict[str, str] | None = None,
        patience: float | None = None,
        keeps_words: bool = True,
    ) -> None:
        self._module = module
        self._decode = msgspec.msgpack.Decoder(replies).decode
        self._environment = environment or {}
        self.patience = patience
        self._keeps_words = keeps_words
        self._words: IO[bytes] | None = None
        self._last_words = ""
        self._process: asyncio.subprocess.Process | None = None
        self._released = asyncio.Event()
        self._released.set()
        self._length: int | None = None  # of the reply whose beginning has come

    @property
    def started(self) -> bool:
        """True when there is a process, or was one."""
        return self._process is not None

    @property
    def process(self) -> asyncio.subprocess.Process:
        """The process, which must have been started."""
        assert self._process is not None
        return self._process

    async def start(self) -> None:
        """Start the process, which sees no API key and no terminal; held, it waits for that.

        Raises:
            HelperDied: no process can be started.
        """
        await self._released.wait()
        inherited = {name: value for name, value in os.environ.items() if not is_key_name(name)}
        if self._keeps_words:
            self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it has ended
        try:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", self._module),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=self._words or asyncio.subprocess.DEVNULL,
                limit=LARGEST_READ,
                start_new_session=True,  # Ctrl+C and a closed terminal are for the job to answer
                env=inherited | self._environment,
            )
        except (OSError, RuntimeError) as error:  # RuntimeError: no thread can be started
            self._close_words()
            why = getattr(error, "strerror", None) or error
            raise HelperDied(
                f"does not start: {why}; end other programs, or raise the "
                "limits on open files and processes (ulimit -n, ulimit -u)"
            ) from None
        if not self._released.is_set():
            self.hold(True)

    def send(self, request: Request) -> None:
        """Send a request, without waiting until the process reads it."""
        assert self.process.stdin is not None
        message = msgspec.msgpack.encode(request)
        self.process.stdin.write(LENGTH.pack(len(message)))
        self.process.stdin.write(message)

    async def receive(self) -> Reply:
        """Return the next reply; end a process that hangs or answers with nonsense.

        Raises:
            HelperDied: there is no further reply.
        """
        try:
            return await self._reply_in_time()
        except asyncio.IncompleteReadError:
            status = await self.stop()
            raise HelperDied(_death(status), status, self._last_words) from None
        except msgspec.DecodeError as error:
            await self.stop(patience=0)
            fault = f"sent what cannot be read: {error}"
            raise HelperDied(fault, last_words=self._last_words) from None

    async def _reply_in_time(self) -> Reply:
        """Return the next reply, or end the process when the time is over.

        The time has two halves. An owner that was stopped itself (Ctrl+Z) gets the second half
        to read what came meanwhile; and what the process does in the second half tells why it
        hangs.
        """
        half = None if self.patience is None else self.patience / 2
        with suppress(TimeoutError):
            async with asyncio.timeout(half):
                return await self._next_reply()
        before = Activity.of(self.process.pid)
        with suppress(TimeoutError):
            async with asyncio.timeout(half):
                return await self._next_reply()
        waited = Activity.of(self.process.pid).is_waiting_since(before)
        await self.stop(patience=0)
        fault = f"gave no sign of life for {self.patience:g} s"
        raise HelperHung(fault, self._last_words, waited=waited)

    async def _next_reply(self) -> Reply:
        """Read the next reply. Whoever cancels the reading may begin it again."""
        replies = self.process.stdout
        assert replies is not None
        if self._length is None:
            (self._length,) = LENGTH.unpack(await replies.readexactly(LENGTH.size))
        if self._length > LARGEST_REPLY:
            raise msgspec.DecodeError(f"a reply of {self._length:,} bytes")
        message = await replies.readexactly(self._length)
        self._length = None
        reply: Reply = self._decode(message)
        return reply

    def hold(self, held: bool) -> None:
        """Freeze the process, or let it go on; a process that is held is not started."""
        (self._released.clear if held else self._released.set)()
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGSTOP if held else signal.SIGCONT)

    def kill(self) -> None:
        """Kill the process, without waiting for its end."""
        if self._process is not None:
            with suppress(ProcessLookupError):  # it ended just now
                self._process.kill()

    async def stop(self, patience: float = 1.0) -> int | None:
        """Let the process end, kill it after some seconds, and return its exit status.

        Returns:
            None for a process that cannot be killed, and is left behind.
        """
        if self._process is None:
            self._close_words()
            return 0
        assert self._process.stdin is not None
        self._process.stdin.close()
        status = await end(self._process, patience)
        self._close_words()
        return status

    def _close_words(self) -> None:
        if self._words is not None:
            with self._words as words:
                words.seek(max(0, words.seek(0, os.SEEK_END) - WORDS_KEPT))
                self._last_words = scrub(words.read().decode("utf-8", "replace").strip())
            self._words = None


def _death(status: int | None) -> str:
    """Return how a process ended, as a sentence without its subject."""
    if status is None:
        return "closed its pipe and cannot be ended"
    name = signal.Signals(-status).name if status < 0 else f"exit status {status}"
    return f"died of {name}"
