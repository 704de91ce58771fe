"""Talking to a running job: a Unix socket with snapshots out and commands in.

Messages are JSON, one a line. The job sends `{"snapshot": {...}}` ten times a
second while anyone listens, and `{"reply": "..."}` to each command. A client
sends `{"command": "pause", "by": "watch"}`; the commands are `pause`, `resume`,
`stop`, `abort` and `retry`, and `by`, which may be left out, says who commands.
The socket's address stands in `run.json` of the workspace.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from journal import UNREADABLE, atomic_rewrite, why_unreadable
from pipeline.jobs.errors import NoJob, WorkspaceBusy
from pipeline.jobs.progress import Snapshot
from pipeline.jobs.run_file import RunFile, read_run_file, run_file_path

SNAPSHOT_SECONDS = 0.1
"""Between two snapshots to a client."""

SILENCE_SECONDS = 10.0
"""A job that sends nothing for this long is stopped or hangs."""

LONGEST_SOCKET_PATH = 100
"""Bytes; Linux takes 107, other systems 103."""

LONGEST_MESSAGE = 1 << 20

Command = Literal["pause", "resume", "stop", "abort", "retry"]


NAMELESS = "client"
"""Who commands, where a client does not say so."""

Client = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class Message(msgspec.Struct, omit_defaults=True):
    """One line between a job and a client: a snapshot, a command or a reply.

    Attributes:
        snapshot: The state of the job, from the job.
        command: What the job is told to do, from a client.
        by: What the client is, such as `app` or `watch`; beside a command alone.
        reply: The answer to a command, from the job.
    """

    snapshot: Snapshot | None = None
    command: Command | None = None
    by: Client = NAMELESS
    reply: str | None = None


_decode = msgspec.json.Decoder(Message).decode


def _line(message: Message) -> bytes:
    return msgspec.json.encode(message) + b"\n"


class ControlServer:
    """Serves the snapshots of one job and passes commands on to the job.

    Args:
        snapshot: Returns the state of the job.
        commands: What each command does, given who commands; a returned value stands in the
            reply.
    """

    def __init__(
        self, snapshot: Callable[[], Snapshot], commands: Mapping[str, Callable[[str], object]]
    ) -> None:
        self._snapshot = snapshot
        self._commands = commands
        self._senders: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def serving(self, workspace: Path, run_file: RunFile) -> AsyncIterator[None]:
        """Listen while the block runs; `run.json` tells clients where."""
        await _clear_stale_socket(workspace)
        folder = tempfile.mkdtemp(prefix="pcc-")  # 0700
        if len(folder) + len("/control.sock") > LONGEST_SOCKET_PATH:
            os.rmdir(folder)  # noqa: PTH106
            folder = tempfile.mkdtemp(prefix="pcc-", dir="/tmp")
        run_file.socket = os.path.join(folder, "control.sock")
        server = await asyncio.start_unix_server(
            self._serve, run_file.socket, limit=LONGEST_MESSAGE
        )
        os.chmod(run_file.socket, 0o600)  # noqa: PTH101
        data = msgspec.json.format(msgspec.json.encode(run_file)) + b"\n"
        with atomic_rewrite(run_file_path(workspace), needed=len(data)) as file:
            file.write(data)
        try:
            yield
        finally:
            await self._say_goodbye()
            server.close()
            run_file_path(workspace).unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)

    async def _say_goodbye(self) -> None:
        """Let every client see the last snapshot."""
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                for sender in self._senders:
                    sender.cancel()
                await asyncio.gather(*self._senders, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender = asyncio.create_task(self._send_snapshots(writer))
        self._senders.add(sender)
        try:
            while line := await reader.readline():
                writer.write(_line(Message(reply=self._obey(line))))
        except (ConnectionError, ValueError):
            pass  # gone, or a line beyond every limit
        finally:
            sender.cancel()
            self._senders.discard(sender)

    async def _send_snapshots(self, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                writer.write(_line(Message(snapshot=self._snapshot())))
                await writer.drain()  # a slow client slows only itself
                await asyncio.sleep(SNAPSHOT_SECONDS)
        except asyncio.CancelledError:
            writer.write(_line(Message(snapshot=self._snapshot())))
        except ConnectionError:
            pass
        finally:
            writer.close()

    def _obey(self, line: bytes) -> str:
        try:
            message = _decode(line)
        except UNREADABLE as error:
            return f"not understood: {why_unreadable(error)}"
        if message.command is None:
            return "not understood: no command"
        answer = self._commands[message.command](message.by)
        return message.command if answer is None else f"{message.command} {answer}"


async def _clear_stale_socket(workspace: Path) -> None:
    """Remove the socket that a killed job of this workspace left behind.

    Raises:
        WorkspaceBusy: the job was not killed, but runs, on another journal.
    """
    stale = read_run_file(workspace)
    if stale is None:
        return
    with suppress(OSError):
        _, writer = await asyncio.open_unix_connection(stale.socket)
        writer.close()
        raise WorkspaceBusy(
            f"run {stale.run} (process {stale.pid}) works in {workspace}, on {stale.journal}; "
            "give another --workspace, or wait for it to end"
        )
    with suppress(OSError):
        os.unlink(stale.socket)  # noqa: PTH108
        os.rmdir(os.path.dirname(stale.socket))  # noqa: PTH106


class ControlClient:
    """One connection to the job of a workspace."""

    def __init__(
        self, run_file: RunFile, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.run_file = run_file
        self._reader = reader
        self._writer = writer

    @classmethod
    @asynccontextmanager
    async def connected(cls, workspace: Path) -> AsyncIterator[ControlClient]:
        """Connect to the job that runs in a workspace.

        Raises:
            NoJob: no job runs there.
        """
        run_file = read_run_file(workspace)
        if run_file is None:
            raise NoJob(f"no job runs in {workspace}")
        try:
            reader, writer = await asyncio.open_unix_connection(
                run_file.socket, limit=LONGEST_MESSAGE
            )
        except OSError:
            raise NoJob(
                f"no job runs in {workspace}; the last one, {run_file.run}, was killed"
            ) from None
        try:
            yield cls(run_file, reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def messages(self) -> AsyncIterator[Message]:
        """Yield what the job sends until the job ends.

        Raises:
            NoJob: the job is there, but sends nothing.
        """
        try:
            while line := await self._next_line():
                yield _decode(line)
        except ConnectionError:
            return
        except TimeoutError:
            raise NoJob(
                f"process {self.run_file.pid} of run {self.run_file.run} does not answer; "
                "is it stopped?"
            ) from None

    async def _next_line(self) -> bytes:
        async with asyncio.timeout(SILENCE_SECONDS):
            return await self._reader.readline()

    async def send(self, command: Command, by: str = NAMELESS) -> None:
        """Send a command, and who gives it; the reply comes among the messages."""
        self._writer.write(_line(Message(command=command, by=by)))
        await self._writer.drain()
