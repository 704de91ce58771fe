"""Decoding photos in separate processes, from asyncio."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import deque
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import TracebackType

from backends.base import PictureSpec
from backends.helper import Helper, HelperDied, HelperHung
from pipeline.photos.errors import DecoderUnavailable
from pipeline.photos.memory import LEAST_BYTES, memory_limit
from pipeline.photos.messages import DecodeReply, DecodeRequest, StorageQuestion
from pipeline.photos.photo import LoadedPhoto

DECODE_SECONDS = 60.0
"""Most seconds that one photo may take. A progressive JPEG of 200 megapixels takes about 10."""

WORKER_MODULE = "pipeline.photos.decode_worker"

FEW_ARENAS = {"MALLOC_ARENA_MAX": "2"}
"""What keeps each thread of a decoder library from reserving 64 MB, for a HEIC more than half of
the address space; for glibc, ignored elsewhere."""

START_SECONDS = 60.0
"""How long a process may take to start, on a machine that is very busy."""

STORAGE_SECONDS = 10.0
"""How long a disk or a share may take to say how large it is, before it counts as gone."""

MOST_WAITED_IN_A_ROW = 10
"""Photos that are waited for in vain, one after the other, before no further photo is tried."""

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


class _Worker(Helper[DecodeRequest | StorageQuestion, DecodeReply]):
    """One decoding process and the requests it has not answered, oldest first.

    Args:
        seconds: Most seconds that one photo may take.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(
            WORKER_MODULE,
            DecodeReply,
            environment=FEW_ARENAS,
            patience=START_SECONDS,
            keeps_words=False,
        )
        self.unanswered: deque[_Asked] = deque()
        self._seconds = seconds
        self._is_asked = asyncio.Event()

    async def start(self) -> None:
        try:
            await super().start()
            await self.receive()
        except HelperDied as died:
            reason = "does not start; `pcc doctor` tells what is missing" if self.started else died
            hint = memory_limit().hint
            raise DecoderUnavailable(f"a decoding process {reason}{hint}") from None
        self.patience = self._seconds

    def ask(self, asked: _Asked) -> None:
        self.unanswered.append(asked)
        self.send(asked.request)
        self._is_asked.set()

    async def storage_answers(self, path: bytes) -> bool:
        """Tell whether the disk or share that holds a file answers; a process that waits is ended.

        To be asked before there are requests.
        """
        self.patience = STORAGE_SECONDS
        self.send(StorageQuestion(os.path.dirname(path)))
        try:
            await self.receive()
        except HelperDied:
            return False
        self.patience = self._seconds
        return True

    async def next_answer(self) -> tuple[_Asked, DecodeReply]:
        """Return the oldest request with its reply; no clock runs while there is no request."""
        await self._is_asked.wait()
        reply = await self.receive()
        asked = self.unanswered.popleft()
        if not self.unanswered:
            self._is_asked.clear()
        return asked, reply


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

    A process that neither works nor answers most likely waits for a disk or a share. The file is
    to blame if the disk or share answers otherwise. If not, or if file after file is waited for
    in vain, no file is to blame, and the pool is of no more use.

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
        self._waited_in_a_row = 0

    async def __aenter__(self) -> DecoderPool:
        limit = memory_limit()
        if limit.bytes < LEAST_BYTES:
            need = f"no photo can be decoded with less than {LEAST_BYTES / 1e9:.2g} GB"
            raise DecoderUnavailable(f"{need}{limit.hint}")
        self._workers = [_Worker(self._seconds) for _ in range(self.processes)]
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
        self._fail(DecoderUnavailable("the decoding processes have ended"))
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
            return await self._ask(DecodeRequest(self._root, full_path, spec, self._seconds))

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
                asked, reply = await worker.next_answer()
            except HelperDied as died:
                worker = await self._replace(worker, died)
            else:
                self._waited_in_a_row = 0
                asked.answer(reply)

    async def _replace(self, dead: _Worker, died: HelperDied) -> _Worker:
        """Give the unanswered requests of a dead process to a new one, except the guilty photo."""
        worker = _Worker(self._seconds)
        try:
            await worker.start()
            if isinstance(died, HelperHung) and died.waited and dead.unanswered:
                await self._make_sure_of_storage(worker, dead.unanswered[0].request.path)
        except BaseException as error:
            self._workers.append(worker)  # so that the process is ended with the pool
            if isinstance(error, DecoderUnavailable):
                self._fail(error)
            raise
        if dead.unanswered and self._is_guilty(dead.unanswered[0], died):
            dead.unanswered.popleft().answer(DecodeReply(cause=self._cause_of(died)))
        for asked in dead.unanswered:
            worker.ask(asked)
        self._workers[self._workers.index(dead)] = worker
        return worker

    async def _make_sure_of_storage(self, worker: _Worker, path: bytes) -> None:
        """Find out whether a photo was waited for in vain, or its disk or share.

        Raises:
            DecoderUnavailable: the storage is to blame.
        """
        self._waited_in_a_row += 1
        may_be_photo = self._waited_in_a_row < MOST_WAITED_IN_A_ROW
        if may_be_photo and await worker.storage_answers(path):
            return
        raise DecoderUnavailable(
            f"the photos cannot be read from {os.fsdecode(self._root)}: its disk or share has not "
            f"answered for {self._seconds:g} s; the photos are left as they were: start the same "
            "command again once the storage answers"
        )

    def _is_guilty(self, suspect: _Asked, died: HelperDied) -> bool:
        """Tell whether a process died of its oldest request.

        The system may kill a process for other reasons, so one death proves nothing.
        """
        suspect.deaths += 1
        return suspect.deaths > 1 or self._is_too_late(died)

    def _is_too_late(self, died: HelperDied) -> bool:
        return isinstance(died, HelperHung) or died.status == -signal.SIGALRM

    def _cause_of(self, died: HelperDied) -> str:
        if self._is_too_late(died):
            return f"TimeoutError: decoding took longer than {self._seconds:g} s"
        return f"DecoderDied: the decoder {died}"

    def _fail(self, error: DecoderUnavailable) -> None:
        """Let every request end, those that a process has and those that wait for their turn."""
        self._failure = self._failure or error
        for asked in chain.from_iterable(worker.unanswered for worker in self._workers):
            asked.fail(error)
