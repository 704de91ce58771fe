"""The owner's end of the fitting process."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import Callable

import msgspec

from backends.helper_process import HelperProcess
from pipeline.clusters.errors import FitFailed
from pipeline.clusters.messages import Fit, FitPhase, FitReply, FitRequest, Fitted, Unfit, Warm

WORKER_MODULE = "pipeline.clusters.fit_worker"

_replies: msgspec.msgpack.Decoder[FitReply] = msgspec.msgpack.Decoder(FitReply)


class FitProcess:
    """A process that finds clusters; the process can be paused, and stopped at any moment."""

    def __init__(self) -> None:
        self._helper: HelperProcess | None = None
        self._held = False
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`

    async def warm_up(self) -> None:
        """Start the process, and let numba compile the functions that the fit will need.

        Raises:
            FitFailed: no process can be started.
        """
        await self._start()
        self._send(Warm())

    async def _start(self) -> None:
        if self._helper is None:
            try:
                self._helper = await HelperProcess.start(WORKER_MODULE, stderr=self._words)
            except OSError as error:
                raise FitFailed(f"the fitting process does not start: {error}") from None
            if self._held:
                self.hold(True)

    async def fit(self, request: Fit, tell: Callable[[FitPhase], None]) -> Fitted:
        """Find the clusters of a library.

        Raises:
            FitFailed: the process failed or was killed.
        """
        await self._start()
        self._send(request)
        del request  # some 40 MB that are no longer needed
        while True:
            reply = await self._receive()
            if isinstance(reply, FitPhase):
                tell(reply)
            elif isinstance(reply, Unfit):
                raise FitFailed(reply.reason)
            else:
                return reply

    def hold(self, held: bool) -> None:
        """Freeze the process, or let it continue; a process that starts later starts frozen."""
        self._held = held
        if self._helper is not None and self._helper.process.returncode is None:
            self._helper.process.send_signal(signal.SIGSTOP if held else signal.SIGCONT)

    async def stop(self) -> None:
        """End the process at once."""
        if self._helper is not None:
            await self._helper.stop(patience=0)
        self._words.close()

    def _send(self, request: FitRequest) -> None:
        assert self._helper is not None
        self._helper.send(msgspec.msgpack.encode(request))

    async def _receive(self) -> FitReply:
        assert self._helper is not None
        try:
            return _replies.decode(await self._helper.receive())
        except asyncio.IncompleteReadError:
            status = await self._helper.stop()
            if status == -signal.SIGKILL:
                raise FitFailed(
                    "the fitting process was killed, as a system does that runs out of memory; "
                    "--sample takes fewer photos at once"
                ) from None
            raise FitFailed(f"the fitting process died ({status}): {self._last_words()}") from None

    def _last_words(self) -> str:
        end = self._words.seek(0, os.SEEK_END)
        self._words.seek(max(0, end - 2_000))
        lines = self._words.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"
