"""The owner's end of a model process: starts it, loads a model in it, asks it, notices its end."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import Callable, Sequence

import msgspec

from backends.base import Loading, Picture
from backends.errors import SetupError
from backends.helper_process import HelperProcess
from backends.keys import remember, scrub
from backends.local.messages import (
    Answers,
    Batch,
    Load,
    LoadProgress,
    ModelReply,
    ModelRequest,
    Ready,
    Unusable,
)

WORKER_MODULE = "backends.local.worker"

ENVIRONMENT = {
    "DISABLE_SAFETENSORS_CONVERSION": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
"""What the libraries in the model process shall leave alone."""

HUB_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")

WORDS_KEPT = 2_000
"""Bytes of what a dying process said that are told."""

_replies: msgspec.msgpack.Decoder[ModelReply] = msgspec.msgpack.Decoder(ModelReply)


class ModelDied(Exception):
    """Raised when the process ends, or hangs, before it has answered.

    Attributes:
        killed: True when it was killed, as a system does whose memory runs out.
    """

    def __init__(self, message: str, *, killed: bool = False) -> None:
        super().__init__(message)
        self.killed = killed


class ModelProcess:
    """A process that holds a model, and another one after that has died.

    Args:
        patience: Seconds without a sign of life after which it hangs.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._helper: HelperProcess | None = None
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`

    @property
    def pid(self) -> int:
        """The id of the process."""
        assert self._helper is not None
        return self._helper.process.pid

    async def start(self, load: Load, tell: Callable[[Loading], None]) -> Ready:
        """Start a process and load a model in it.

        Args:
            load: Which, and how.
            tell: Gets to know how far it is.

        Raises:
            SetupError: the model cannot be loaded.
            ModelDied: the process ended meanwhile.
        """
        for name in HUB_TOKENS:
            remember(os.environ.get(name, ""))
        try:
            self._helper = await HelperProcess.start(
                WORKER_MODULE, stderr=self._words, environment=ENVIRONMENT
            )
        except OSError as error:
            raise SetupError(f"the model process does not start: {error}") from None
        self._send(load)
        while True:
            reply = await self._receive()
            if isinstance(reply, LoadProgress):
                tell(reply.loading)
            elif isinstance(reply, Ready):
                return reply
            elif isinstance(reply, Unusable):
                raise SetupError(reply.reason)

    async def ask(self, pictures: Sequence[Picture]) -> Answers:
        """Send a batch and wait for its answers.

        Raises:
            ModelDied: there will be none.
        """
        self._send(Batch(list(pictures)))
        while True:
            reply = await self._receive()
            if isinstance(reply, Answers):
                return reply

    async def stop(self) -> None:
        """End the process."""
        if self._helper is not None:
            await self._helper.stop()
        self._words.close()

    def last_words(self) -> str:
        """Return the end of what the processes wrote to their standard error."""
        end = self._words.seek(0, os.SEEK_END)
        self._words.seek(max(0, end - WORDS_KEPT))
        return scrub(self._words.read().decode("utf-8", "replace").strip())

    def _send(self, request: ModelRequest) -> None:
        assert self._helper is not None
        self._helper.send(msgspec.msgpack.encode(request))

    async def _receive(self) -> ModelReply:
        """Return the next reply; end a process that gives no sign of life.

        Raises:
            ModelDied: the process has ended.
        """
        assert self._helper is not None
        try:
            async with asyncio.timeout(self._patience):
                return _replies.decode(await self._helper.receive())
        except TimeoutError:
            await self._helper.stop(patience=0)
            raise ModelDied(f"gave no sign of life for {self._patience:g} s") from None
        except asyncio.IncompleteReadError:
            status = await self._helper.stop()
            name = signal.Signals(-status).name if status < 0 else f"exit status {status}"
            raise ModelDied(f"died of {name}", killed=status == -signal.SIGKILL) from None
