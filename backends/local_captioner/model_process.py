"""The model process as the captioner sees it: it loads a model, answers, and may die or hang."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from backends.base import Loading, Picture
from backends.errors import SetupError
from backends.helper import Helper
from backends.hub import ENVIRONMENT
from backends.keys import remember
from backends.local_captioner.messages import (
    Answers,
    Batch,
    Load,
    LoadProgress,
    ModelReply,
    ModelRequest,
    Ready,
    Unusable,
)

WORKER_MODULE = "backends.local_captioner.model_worker"

HUB_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")


class ModelProcess(Helper[ModelRequest, ModelReply]):
    """A process that holds a model.

    Args:
        patience: Seconds without a sign of life after which the process hangs.
    """

    def __init__(self, patience: float) -> None:
        for name in HUB_TOKENS:
            remember(os.environ.get(name, ""))
        super().__init__(WORKER_MODULE, ModelReply, environment=ENVIRONMENT, patience=patience)

    async def load(self, load: Load, tell: Callable[[Loading], None]) -> Ready:
        """Start the process and load a model in it.

        Args:
            load: Which model, and in which form.
            tell: Called with how far the loading is.

        Raises:
            SetupError: the model cannot be loaded.
            HelperDied: the process ended meanwhile.
        """
        await self.start()
        self.send(load)
        while not isinstance(reply := await self.receive(), Ready):
            if isinstance(reply, LoadProgress):
                tell(reply.loading)
            elif isinstance(reply, Unusable):
                raise SetupError(reply.reason)
        return reply

    async def ask(self, pictures: Sequence[Picture]) -> Answers:
        """Send a batch and wait for its answers.

        Raises:
            HelperDied: the process died before it answered.
        """
        self.send(Batch(list(pictures)))
        while not isinstance(reply := await self.receive(), Answers):
            pass  # a sign of life
        return reply
