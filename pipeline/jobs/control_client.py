"""A client's end of the control socket.

What listens at the socket need not be a job: a client takes nothing for granted, waits for
nothing longer than some seconds, and says in a sentence what is wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from journal import UNREADABLE
from pipeline.jobs.control_messages import (
    LONGEST_MESSAGE,
    NAMELESS,
    SILENCE_SECONDS,
    Command,
    Message,
    decode,
    line_of,
)
from pipeline.jobs.errors import NoJob, SilentJob, StrangeSocket
from pipeline.jobs.run_file import RunFile, read_run_file, run_file_path
from pipeline.jobs.socket_place import is_ours


class ControlClient:
    """One connection to the job of a workspace.

    Attributes:
        run_file: Which job this is.
    """

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
            NoJob: no job runs there, or the job says nothing (`SilentJob`).
            StrangeSocket: what listens there is no job.
        """
        run_file = read_run_file(workspace)
        if run_file is None:
            raise NoJob(f"no job runs in {workspace}")
        reader, writer = await _opened(workspace, run_file)
        try:
            client = cls(run_file, reader, writer)
            await client._make_sure(workspace)
            yield client
        finally:
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()

    async def _make_sure(self, workspace: Path) -> None:
        """Have the other end say which job it is."""
        message = await self._next()
        if message is None:
            raise NoJob(
                f"run {self.run_file.run} in {workspace} hung up; it is about to end, or has "
                "too many clients"
            )
        if message.job is None:
            raise self._strange("it does not say which job it is")
        if message.job != self.run_file:
            raise NoJob(
                f"no job runs in {workspace}: its run.json leads to run {message.job.run} "
                f"in {message.job.workspace}"
            )

    async def messages(self) -> AsyncIterator[Message]:
        """Yield what the job sends until the job ends.

        Raises:
            SilentJob: the job is there, but sends nothing.
            StrangeSocket: this is no job.
        """
        while (message := await self._next()) is not None:
            yield message
            await asyncio.sleep(0)  # whoever sends without a pause is not all there is to do

    async def _next(self) -> Message | None:
        """Return the next message, None at the end."""
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                line = await self._reader.readline()
            return decode(line) if line.endswith(b"\n") else None
        except ConnectionError:
            return None
        except (TimeoutError, OSError):  # OSError: too many wait in front of the socket
            raise SilentJob(
                f"process {self.run_file.pid} of run {self.run_file.run} does not answer; "
                "is it stopped?"
            ) from None
        except UNREADABLE as error:
            raise self._strange(str(error)) from None
        except ValueError:
            raise self._strange(f"a line of more than {LONGEST_MESSAGE:,} bytes") from None

    def _strange(self, reason: str) -> StrangeSocket:
        return StrangeSocket(
            f"what listens at {self.run_file.socket} does not talk as a job does: {reason}; "
            "end the process, or remove the run.json that leads there"
        )

    async def send(self, command: Command, by: str = NAMELESS) -> None:
        """Send a command, and who gives it; the reply comes among the messages."""
        self._writer.write(line_of(Message(command=command, by=by)))
        await self._writer.drain()

    async def ask(self, command: Command, by: str = NAMELESS) -> str:
        """Send a command and return the reply.

        Raises:
            NoJob: the job ended before it answered, or does not answer (`SilentJob`).
            StrangeSocket: this is no job.
        """
        run = self.run_file.run
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                await self.send(command, by)
                async for message in self.messages():
                    if message.reply is not None:
                        return message.reply
        except TimeoutError:
            raise SilentJob(f"run {run} does not answer to {command}") from None
        except ConnectionError:
            pass
        raise NoJob(f"run {run} ended before it answered")


async def _opened(
    workspace: Path, run_file: RunFile
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to a socket, if it is one of ours."""
    killed = NoJob(f"no job runs in {workspace}; the last one, {run_file.run}, was killed")
    try:
        if not is_ours(Path(run_file.socket)):
            raise NoJob(
                f"no job runs in {workspace}: {run_file_path(workspace)} names no socket of a job"
            )
        return await asyncio.open_unix_connection(run_file.socket, limit=LONGEST_MESSAGE)
    except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
        raise killed from None
    except OSError as error:
        raise NoJob(f"the job of {workspace} cannot be reached: {error}") from None
