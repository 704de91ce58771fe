"""`local`: models of the Hugging Face hub in this machine, in a process of their own."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from subprocess import DEVNULL
from typing import IO

import msgspec

from backends import image_tokens
from backends.base import (
    DEFAULT_PROMPT,
    Caption,
    Captioner,
    Options,
    PhotoInput,
    PictureSpec,
)
from backends.errors import BackendLost, ModelError, SetupError
from backends.helper_process import HelperProcess
from backends.keys import remember, scrub
from backends.local.messages import (
    Answer,
    Answers,
    Batch,
    Beat,
    Load,
    Progress,
    Ready,
    Reply,
    Request,
    Unusable,
)
from backends.local.models import BITS, DEFAULT_MODEL, MODELS, find_model, native_id
from backends.offers import Offer

WORKER_MODULE = "backends.local.worker"

PATIENCE_SECONDS = 300.0
"""Without a sign of life a model hangs. A CPU may take minutes before the first token."""

LOADINGS = 2
"""How often a model is loaded in the place of a dead one before it counts as lost."""

DEATHS_IN_A_ROW = 3
"""Photos that each kill the model, with none between that it captions: the model is to blame."""

DEFAULT_EDGE, LARGEST_EDGE = 1024, 2048

ENVIRONMENT = {
    "DISABLE_SAFETENSORS_CONVERSION": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
"""What the libraries in the model process shall leave alone."""

WORDS_KEPT = 2_000
"""Bytes of what a dying model process said that go into the log."""

log = logging.getLogger("pcc.model")
log.addHandler(logging.NullHandler())  # outside a job nobody keeps a log; remarks are shown


class ModelDied(Exception):
    """Raised when the model process ends, or hangs, before it has answered."""


class LocalCaptioner(Captioner):
    """A model in this machine: nothing leaves it.

    Batches go to the model process one after the other. If it dies, a new one
    gets the same batch once more, and then its pictures one by one, so that the
    one to blame is found and recorded.

    Args:
        options: What the user asked for.
    """

    name = "local"
    local = True
    default_model = DEFAULT_MODEL
    typical_seconds = 1.0

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.picture = self.picture_for(options)
        _require_packages(options)
        _refuse_remote_code(options)
        self._load = Load(
            model=self.model or "",
            prompt=options.prompt,
            max_edge=self.picture.max_edge,
            batch_size=options.batch_size,
            revision=options.revision,
            quantize=options.quantize,
            dtype=options.dtype,
            device=options.device,
            trust_remote_code=options.trust_remote_code,
        )
        self._patience = options.request_timeout or PATIENCE_SECONDS
        self._helper: HelperProcess | None = None
        self._words: IO[bytes] | None = None
        self._deaths = 0

    @classmethod
    def model_for(cls, options: Options) -> str | None:
        """Return the model, or its native twin."""
        return native_id(options.model or cls.default_model)

    @classmethod
    def workers_for(cls, options: Options) -> int:
        """Return one: the model takes batch after batch."""
        return 1

    @classmethod
    def picture_for(cls, options: Options) -> PictureSpec:
        """Return the form in which pictures go to the model process."""
        return PictureSpec(min(options.max_edge or DEFAULT_EDGE, LARGEST_EDGE))

    @classmethod
    def image_tokens(cls, options: Options, width: int, height: int) -> int | None:
        """Return the tokens of a picture for models whose rule is known."""
        return image_tokens.qwen(cls.model_for(options) or "", width, height)

    @classmethod
    def offers(cls, options: Options) -> list[Offer]:
        """Return the models known, with the memory they need."""
        return [
            Offer(
                backend=cls.name,
                model=model.native or model.id,
                default=model.id == DEFAULT_MODEL,
                gigabytes={name: round(model.gigabytes(bits), 1) for name, bits in BITS.items()},
                licence=model.licence,
                note="; ".join(filter(None, [model.native and f"for {model.id}", model.note])),
            )
            for model in MODELS
        ]

    @classmethod
    def notices(cls, options: Options) -> list[str]:
        """Return what is done otherwise than asked."""
        found = []
        model = cls.model_for(options) or ""
        if options.model and model != options.model:
            found.append(f"{options.model} does not load natively; its twin {model} is used")
        if "florence-2" in model.lower() and options.prompt not in ("", DEFAULT_PROMPT):
            found.append("Florence-2 follows its task prompts alone, such as <CAPTION>")
        if (options.workers or 1) > 1:
            found.append("local works with 1 worker, whatever --max-workers says: it batches")
        return found

    async def open(self) -> None:
        """Start the model process and wait until the model is loaded.

        Raises:
            SetupError: it cannot be loaded.
        """
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        try:
            ready = await self._start()
        except ModelDied as error:
            killed = "; memory that runs out does that" if "SIGKILL" in str(error) else ""
            raise SetupError(
                f"{self.model} cannot be loaded: the process {error}{killed}{self._last_words()}"
            ) from None
        self.batch_size = ready.batch_size
        for notice in ready.notices:
            self._remark(notice)
        log.info("model", {"model": self.model, "batch_size": ready.batch_size})

    async def close(self) -> None:
        """End the model process."""
        if self._helper is not None:
            await self._helper.stop()
        if self._words is not None:
            self._words.close()

    async def caption(self, photo: PhotoInput) -> Caption:
        """Caption one photo, as a batch of one."""
        [outcome] = await self.caption_batch([photo])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def caption_batch(self, photos: Sequence[PhotoInput]) -> list[Caption | Exception]:
        """Return a caption or an error for each photo, whatever happens to the model process."""
        for _ in range(2):
            try:
                return await self._ask(photos)
            except ModelDied as error:
                died = error
                await self._start_again(died)
        if len(photos) > 1:
            return [(await self._caption_alone(photo)) for photo in photos]
        return [self._blame(died)]

    async def _caption_alone(self, photo: PhotoInput) -> Caption | Exception:
        """Caption one photo of a batch that has killed the model process."""
        try:
            [outcome] = await self._ask([photo])
        except ModelDied as died:
            await self._start_again(died)
            return self._blame(died)
        return outcome

    def _blame(self, died: ModelDied) -> Exception:
        """Return the error of a photo that the model process died of.

        Raises:
            BackendLost: so did every one before it.
        """
        self._deaths += 1
        if self._deaths >= DEATHS_IN_A_ROW:
            raise BackendLost(
                f"the model process dies of every photo ({died}); caption.log has its last words"
            )
        return ModelError(f"the model process {died} over this photo")

    async def _ask(self, photos: Sequence[PhotoInput]) -> list[Caption | Exception]:
        """Send a batch and wait for its answers.

        Raises:
            ModelDied: there will be none.
        """
        self._send(Batch([photo.picture for photo in photos]))
        while True:
            reply = await self._receive()
            if isinstance(reply, Answers):
                break
            assert isinstance(reply, Beat)
        self._deaths = 0
        if reply.batch_size < self.batch_size:
            self._remark(
                f"{self.batch_size} photos at once did not fit into memory; "
                f"{reply.batch_size} from now on"
            )
            self.batch_size = reply.batch_size
        return [_outcome(answer) for answer in reply.answers]

    async def _start(self) -> Ready:
        """Start the model process and load the model.

        Raises:
            SetupError: the model cannot be loaded.
            ModelDied: the process ended while it loaded.
        """
        if token := os.environ.get("HF_TOKEN"):
            remember(token)
        try:
            self._helper = await HelperProcess.start(
                WORKER_MODULE, stderr=self._words or DEVNULL, environment=ENVIRONMENT
            )
        except OSError as error:
            raise SetupError(f"the model process does not start: {error}") from None
        self._send(self._load)
        try:
            while True:
                reply = await self._receive()
                if isinstance(reply, Progress):
                    self.loading = reply.loading
                elif isinstance(reply, Ready):
                    return reply
                elif isinstance(reply, Unusable):
                    raise SetupError(reply.reason)
        finally:
            self.loading = None

    async def _start_again(self, died: ModelDied) -> None:
        """Put a new process in the place of a dead one.

        Raises:
            BackendLost: it does not get as far as the last one did.
        """
        self._remark(f"the model process {died} and was started again")
        log.warning("model process", {"last_words": self._last_words()})
        for attempt in range(LOADINGS):
            try:
                ready = await self._start()
                break
            except SetupError as error:
                raise BackendLost(f"the model cannot be loaded again: {error}") from None
            except ModelDied as error:
                if attempt == LOADINGS - 1:
                    raise BackendLost(
                        f"the model cannot be loaded again: the process {error}"
                    ) from None
        self.batch_size = min(self.batch_size, ready.batch_size)

    def _remark(self, sentence: str) -> None:
        log.warning("model", {"reason": sentence})
        self.remarks.append(sentence)

    def _send(self, request: Request) -> None:
        assert self._helper is not None
        self._helper.send(msgspec.msgpack.encode(request))

    async def _receive(self) -> Reply:
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
            raise ModelDied(f"died of {name}") from None

    def _last_words(self) -> str:
        """Return the end of what the process wrote to its standard error."""
        assert self._words is not None
        end = self._words.seek(0, os.SEEK_END)
        self._words.seek(max(0, end - WORDS_KEPT))
        words = scrub(self._words.read().decode("utf-8", "replace").strip())
        return f"; its last words: {words}" if words else ""


_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


def _outcome(answer: Answer) -> Caption | Exception:
    if answer.error is not None:
        return ModelError(scrub(answer.error))
    return Caption(
        text=answer.text,
        ended=answer.ended,
        tokens_in=answer.tokens_in,
        tokens_out=answer.tokens_out,
    )


def _require_packages(options: Options) -> None:
    """Refuse without the packages, which only the model process imports."""
    needed = ["torch", "transformers", "accelerate"]
    if options.quantize in ("int4", "int8"):
        needed.append("bitsandbytes")
    for module in needed:
        if find_spec(module) is None:
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)


def _refuse_remote_code(options: Options) -> None:
    """Refuse a model that is code of its own, unless asked for in so many words.

    Raises:
        SetupError: it is, and was not.
    """
    known = find_model(options.model or "")
    if known is not None and known.remote and not (options.trust_remote_code and options.revision):
        raise SetupError(
            f"{known.id} is code of its own ({known.note}). To run that code here, give "
            "--trust-remote-code and --revision COMMIT; or serve the model with Ollama and use "
            "--backend openai --base-url ollama --model moondream"
        )
    if options.trust_remote_code and not options.revision:
        raise SetupError("--trust-remote-code needs --revision COMMIT, so that the code is pinned")
