"""Decoding photos in separate processes, from asyncio."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from backends.base import PictureSpec
from backends.helper import Helper, HelperDied
from pipeline.photos.errors import DecoderUnavailable
from pipeline.photos.messages import DecodeReply, DecodeRequest
from pipeline.photos.photo import LoadedPhoto

DECODE_SECONDS = 60.0
"""Most seconds that one photo may take. A progressive JPEG of 200 megapixels takes about 10."""

WORKER_MODULE = "pipeline.photos.decode_worker"

REQUESTS_AHEAD = 2
"""Requests that each process holds, so that no process ever waits for the next request."""


@dataclass
class _Asked:
    """A request, the future that awaits the reply, and how many processes died over the request."""

    request: DecodeRequest
    reply: asyncio.Future[DecodeReply]
    deaths: int = 0

    def answer(self, reply: DecodeReply) -> None:
        if not self.reply.done():
            self.reply.set_result(reply)

    def fail(self, error: Exception) -> None:
        if not self.reply.done():
            self.reply.set_exception(error)


class _Worker(Helper[DecodeRequest, DecodeReply]):
    """One decoding process and the requests it has not answered, oldest first."""

    def __init__(self) -> None:
        super().__init__(WORKER_MODULE, DecodeReply, keeps_words=False)
        self.unanswered: deque[_Asked] = deque()

    async def start(self) -> None:
        try:
            await super().start()
            await self.receive()
        except HelperDied as died:
            reason = "does not start; `pcc doctor` tells what is missing" if self.started else died
            raise DecoderUnavailable(f"a decoding process {reason}") from None

    def ask(self, asked: _Asked) -> None:
        self.unanswered.append(asked)
        self.send(asked.request)


async def why_no_decoder() -> str:
    """Return why no decoding process starts, nothing where one does."""
    helper: Helper[DecodeRequest, DecodeReply] = Helper(WORKER_MODULE, DecodeReply)
    try:
        await helper.start()
        await helper.receive()
    except HelperDied as died:
        return died.last_line or str(died)
    finally:
        await helper.stop()
    return ""


class DecoderPool:
    """Decodes photos in several processes at once.

    A file that crashes or hangs its process ends in CorruptImageError; a new process
    decodes the other files that the dead process had not answered.

    Args:
        root: The photos directory.
        spec: The form of picture wanted.
        processes: Number of processes.
        seconds: Most seconds that one photo may take.
    """

    def __init__(
        self, root: Path, spec: PictureSpec, processes: int, seconds: float = DECODE_SECONDS
    ) -> None:
        self.processes = processes
        self._root = os.fsencode(root)
        self._spec = spec
        self._seconds = seconds
        self._workers: list[_Worker] = []
        self._keepers: list[asyncio.Task[None]] = []
        self._places = asyncio.Semaphore(processes * REQUESTS_AHEAD)
        self._failure: DecoderUnavailable | None = None

    async def __aenter__(self) -> DecoderPool:
        self._workers = [_Worker() for _ in range(self.processes)]
        starts = [worker.start() for worker in self._workers]
        for failure in await asyncio.gather(*starts, return_exceptions=True):
            if failure is not None:
                await self.__aexit__(None, None, None)
                raise failure
        self._keepers = [asyncio.create_task(self._keep(worker)) for worker in self._workers]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await asyncio.gather(*[worker.stop() for worker in self._workers])

    async def decode(self, path: str, spec: PictureSpec | None = None) -> LoadedPhoto:
        """Return the photo at a path relative to the root.

        Args:
            path: The relative path.
            spec: The form of this picture, None for the form that the pool was given.

        Raises:
            CorruptImageError: the photo cannot be decoded.
            StorageError: the file cannot be read now.
            DecoderUnavailable: no decoding process is left.
        """
        reply = await self._request(path, spec or self._spec)
        if reply.loaded is None:
            raise reply.error(path)
        return reply.loaded

    async def size(self, path: str) -> tuple[int, int]:
        """Return width and height in pixels, upright, from the header of a photo alone.

        Raises:
            CorruptImageError: the photo cannot be opened.
            StorageError: the file cannot be read now.
            DecoderUnavailable: no decoding process is left.
        """
        reply = await self._request(path, None)
        if reply.size is None:
            raise reply.error(path)
        return reply.size

    async def _request(self, path: str, spec: PictureSpec | None) -> DecodeReply:
        full_path = os.path.join(self._root, os.fsencode(path))
        async with self._places:
            return await self._ask(DecodeRequest(full_path, spec, self._seconds))

    async def _ask(self, request: DecodeRequest) -> DecodeReply:
        if self._failure is not None:
            raise self._failure
        asked = _Asked(request, asyncio.get_running_loop().create_future())
        min(self._workers, key=lambda worker: len(worker.unanswered)).ask(asked)
        return await asked.reply

    async def _keep(self, worker: _Worker) -> None:
        """Pass on the replies of a process; when the process dies, start another in its place."""
        while True:
            try:
                reply = await worker.receive()
            except HelperDied as died:
                worker = await self._replace(worker, died)
            else:
                worker.unanswered.popleft().answer(reply)

    async def _replace(self, dead: _Worker, died: HelperDied) -> _Worker:
        """Give the unanswered requests of a dead process to a new one, except the guilty photo."""
        suspect = dead.unanswered[0] if dead.unanswered else None
        if suspect is not None:
            suspect.deaths += 1
            # The system may kill a process for other reasons, so one death proves nothing.
            if suspect.deaths > 1 or died.status == -signal.SIGALRM:
                dead.unanswered.popleft().answer(DecodeReply(cause=self._cause_of(died)))
        worker = _Worker()
        try:
            await worker.start()
        except DecoderUnavailable as error:
            self._failure = error
            for asked in dead.unanswered:
                asked.fail(error)
            raise
        for asked in dead.unanswered:
            worker.ask(asked)
        self._workers[self._workers.index(dead)] = worker
        return worker

    def _cause_of(self, died: HelperDied) -> str:
        if died.status == -signal.SIGALRM:
            return f"TimeoutError: decoding took longer than {self._seconds:g} s"
        return f"DecoderDied: the decoder {died}"
