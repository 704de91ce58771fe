"""The job's end of the control socket: snapshots go out, commands come in.

No client can hold the job up or make the job grow. What is sent to a client waits until the client
has read what was sent before; what comes from a client is read one command at a time. A client
that stays deaf is hung up on, and there are only so many.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from journal import UNREADABLE, bound_socket, why_unreadable
from pipeline.jobs.control_client import ControlClient
from pipeline.jobs.control_messages import LONGEST_COMMAND, Message, decode, line_of
from pipeline.jobs.errors import NoJob, SilentJob, StrangeSocket, WorkspaceBusy
from pipeline.jobs.progress import Snapshot
from pipeline.jobs.run_file import RunFile, read_run_file, remove_run_file, write_run_file
from pipeline.jobs.socket_place import NAME, remove_if_left, socket_directory

SNAPSHOT_SECONDS = 0.1
"""Between two snapshots to a client."""

COMMAND_SECONDS = 0.05
"""Between two commands of a client: whatever one sends, the job has time for its work."""

DEAF_SECONDS = 60.0
"""A client that reads nothing for this long is hung up on."""

GOODBYE_SECONDS = 1.0
"""How long the end of a job waits until its clients have read the last snapshot."""

MOST_CLIENTS = 32


class _Client(NamedTuple):
    """A connection, and the task that sends snapshots over it."""

    writer: asyncio.StreamWriter
    sender: asyncio.Task[None]


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
        self._clients: dict[asyncio.Task[Any], _Client] = {}
        self._job: RunFile | None = None

    @asynccontextmanager
    async def serving(self, workspace: Path, run_file: RunFile) -> AsyncIterator[None]:
        """Listen while the block runs; `run.json` tells clients where.

        Raises:
            WorkspaceBusy: another job runs in the workspace, on another journal.
            FileRefused: `run.json` is no file of ours, or no place for the socket is allowed.
        """
        await _require_free(workspace)
        with socket_directory() as folder:
            run_file.socket = str(folder / NAME)
            self._job = run_file
            server = await asyncio.start_unix_server(
                self._serve, sock=bound_socket(folder / NAME), limit=LONGEST_COMMAND
            )
            try:
                write_run_file(workspace, run_file)
                yield
            finally:
                server.close()
                await self._say_goodbye()
                remove_run_file(workspace, run_file)

    async def _say_goodbye(self) -> None:
        """Let every client see the last snapshot, and hang up."""
        for client in self._clients.values():
            client.sender.cancel()
        for seconds in (GOODBYE_SECONDS, None):
            if self._clients:
                await asyncio.wait(self._clients, timeout=seconds)
            for client in self._clients.values():
                client.writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.current_task()
        assert serving is not None
        if len(self._clients) >= MOST_CLIENTS:
            writer.transport.abort()
            return
        sender = asyncio.create_task(self._send_snapshots(writer))
        self._clients[serving] = _Client(writer, sender)
        try:
            while line := await reader.readline():
                await _send(writer, Message(reply=self._obey(line)))
                await asyncio.sleep(COMMAND_SECONDS)
        except (ConnectionError, ValueError):
            pass  # gone, deaf, or a line beyond every limit
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)
            await _hang_up(writer)
            del self._clients[serving]

    async def _send_snapshots(self, writer: asyncio.StreamWriter) -> None:
        try:
            await _send(writer, Message(job=self._job))
            while True:
                await _send(writer, Message(snapshot=self._snapshot()))
                await asyncio.sleep(SNAPSHOT_SECONDS)
        except asyncio.CancelledError:
            writer.write(line_of(Message(snapshot=self._snapshot())))
        except ConnectionError:
            pass
        finally:
            writer.close()

    def _obey(self, line: bytes) -> str:
        try:
            message = decode(line)
        except UNREADABLE as error:
            return f"not understood: {why_unreadable(error)}"
        if message.command is None:
            return "not understood: no command"
        answer = self._commands[message.command](message.by)
        return message.command if answer is None else f"{message.command} {answer}"


async def _send(writer: asyncio.StreamWriter, message: Message) -> None:
    """Send a message, and wait until there is room for the next.

    Raises:
        ConnectionError: the client is gone, or reads nothing.
    """
    writer.write(line_of(message))
    try:
        async with asyncio.timeout(DEAF_SECONDS):
            await writer.drain()
    except TimeoutError:
        writer.transport.abort()
        raise ConnectionAbortedError from None


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    """Close a connection; a client that does not read the rest is not waited for."""
    try:
        with suppress(OSError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await writer.wait_closed()
    finally:
        writer.transport.abort()


async def _require_free(workspace: Path) -> None:
    """Make sure that no job runs in a workspace, and remove the socket that a killed job left.

    Raises:
        WorkspaceBusy: a job runs there, on another journal.
    """
    with suppress(NoJob):
        found = read_run_file(workspace)
        if found is None:
            return
        remove_if_left(Path(found.socket).parent)
        with suppress(StrangeSocket):
            try:
                async with ControlClient.connected(workspace):
                    pass
            except SilentJob:  # it is there, and stopped by somebody
                pass
            raise WorkspaceBusy(
                f"run {found.run} (process {found.pid}) works in {workspace}, on {found.journal}; "
                "give another --workspace, or wait for it to end"
            )
