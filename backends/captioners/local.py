"""`local`: models of the Hugging Face hub in this machine, in a process of their own."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import msgspec

from backends import image_tokens
from backends.base import (
    DEFAULT_EDGE,
    LARGEST_EDGE,
    Caption,
    Captioner,
    Loading,
    Options,
    PhotoInput,
    PictureSpec,
)
from backends.errors import BackendLost, ModelError, SetupError
from backends.helper import HelperDied
from backends.keys import scrub
from backends.local_captioner.messages import Answer, Load, Ready
from backends.local_captioner.model_process import ModelProcess
from backends.local_captioner.models import (
    BITS,
    DEFAULT_MODEL,
    FLORENCE_TASKS,
    MODELS,
    find_model,
    native_id,
)
from backends.offers import Offer
from backends.plugins import require_modules
from backends.prompts import DEFAULT_PROMPT

PATIENCE_SECONDS = 300.0
"""Seconds without a sign of life after which a model hangs; a CPU may take minutes for a token."""

LOADINGS = 2
"""How often a model is loaded in the place of a dead one before it counts as lost."""

DEATHS_IN_A_ROW = 3
"""When so many photos in a row kill the model, the model is to blame and not the photos."""

log = logging.getLogger("pcc.model")
log.addHandler(logging.NullHandler())  # outside a job nobody keeps a log; remarks are shown


class LocalCaptioner(Captioner):
    """A model in this machine: nothing leaves it.

    Batches go to the model process one after the other. If the process dies, a new
    process gets the same batch once more, and then the pictures of the batch one by
    one, so that the photo to blame is found and recorded.

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
        require_modules("torch", "transformers", "accelerate")
        if options.quantize in ("int4", "int8"):
            require_modules("bitsandbytes")
        _refuse_remote_code(options)
        _refuse_revision_of_another(options)
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
            max_tokens=options.max_tokens,
        )
        self._process: ModelProcess | None = None
        self._deaths = 0

    @classmethod
    def model_for(cls, options: Options) -> str | None:
        """Return the model, or the twin that loads natively."""
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
        known_prompts = (DEFAULT_PROMPT, *FLORENCE_TASKS)
        if "florence-2" in model.lower() and options.prompt not in known_prompts:
            found.append(f"Florence-2 follows task prompts alone: {', '.join(FLORENCE_TASKS)}")
        if (options.workers or 1) > 1:
            found.append("local works with 1 worker, whatever --max-workers says: it batches")
        return found

    async def open(self) -> None:
        """Start the model process and wait until the model is loaded.

        Raises:
            SetupError: the model cannot be loaded.
        """
        try:
            ready = await self._load_model()
        except HelperDied as died:
            killed = "; memory that runs out does that" if died.killed else ""
            raise SetupError(
                f"{self.model} cannot be loaded: the process {died}{killed}. "
                f"Its last words: {died.last_words or 'none'}"
            ) from None
        self.batch_size = ready.batch_size
        for notice in ready.notices:
            self._remark(notice)
        log.info("model", {"model": self.model, "batch_size": ready.batch_size})

    async def close(self) -> None:
        """End the model process."""
        if self._process is not None:
            await self._process.stop()

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
            except HelperDied as error:
                died = error
                await self._start_again(died)
        if len(photos) == 1:
            return [self._blame(died)]
        if died.killed:  # as a system does that is out of memory: it says nothing
            self._lower(len(photos) // 2)
        return await self._one_by_one(photos)

    async def _one_by_one(self, photos: Sequence[PhotoInput]) -> list[Caption | Exception]:
        """Caption the photos of a batch that has killed the model process twice."""
        outcomes: list[Caption | Exception] = []
        for photo in photos:
            try:
                outcomes.append(await self._caption_alone(photo))
            except BackendLost as lost:  # what the others have is kept
                outcomes += [lost] * (len(photos) - len(outcomes))
                break
        return outcomes

    async def _caption_alone(self, photo: PhotoInput) -> Caption | Exception:
        try:
            [outcome] = await self._ask([photo])
        except HelperDied as died:
            await self._start_again(died)
            return self._blame(died)
        return outcome

    def _blame(self, died: HelperDied) -> Exception:
        """Return the error of a photo that the model process died of.

        Raises:
            BackendLost: the process died of the photos before this one as well.
        """
        self._deaths += 1
        if self._deaths >= DEATHS_IN_A_ROW:
            words = f"; its last words: {died.last_line}" if died.last_line else ""
            raise BackendLost(f"the model process dies of every photo ({died}){words}")
        return ModelError(f"the model process {died} over this photo")

    async def _ask(self, photos: Sequence[PhotoInput]) -> list[Caption | Exception]:
        """Send a batch and wait for its answers.

        Raises:
            HelperDied: the model process died before it answered.
        """
        assert self._process is not None
        reply = await self._process.ask([photo.picture for photo in photos])
        self._deaths = 0
        if reply.batch_size < self.batch_size:
            self._remark(f"{self.batch_size} photos at once did not fit into memory")
            self._lower(reply.batch_size)
        return [_outcome(answer) for answer in reply.answers]

    async def _load_model(self) -> Ready:
        """Start a model process and load the model, telling how far it is."""
        self._process = ModelProcess(self.options.request_timeout or PATIENCE_SECONDS)

        def tell(loading: Loading) -> None:
            self.loading = loading

        try:
            return await self._process.load(self._load, tell)
        finally:
            self.loading = None

    async def _start_again(self, died: HelperDied) -> None:
        """Load the model anew in the place of a dead process.

        Raises:
            BackendLost: the new process does not get as far as the last one did.
        """
        self._remark(f"the model process {died} and was started again")
        log.warning("model process", {"last_words": died.last_words})
        for attempt in range(LOADINGS):
            try:
                ready = await self._load_model()
                break
            except SetupError as error:
                raise BackendLost(f"the model cannot be loaded again: {error}") from None
            except HelperDied as error:
                if attempt == LOADINGS - 1:
                    raise BackendLost(
                        f"the model cannot be loaded again: the process {error}"
                    ) from None
        self.batch_size = min(self.batch_size, ready.batch_size)

    def _lower(self, batch_size: int) -> None:
        """Take fewer photos at once from now on, also with a model process to come."""
        self.batch_size = max(1, min(self.batch_size, batch_size))
        self._load = msgspec.structs.replace(self._load, batch_size=self.batch_size)
        self._remark(f"photos at once from now on: {self.batch_size}")

    def _remark(self, sentence: str) -> None:
        log.warning("model", {"reason": sentence})
        self.remarks.append(sentence)


def _outcome(answer: Answer) -> Caption | Exception:
    if answer.error is not None:
        return ModelError(scrub(answer.error))
    return Caption(
        text=answer.text,
        ended=answer.ended,
        tokens_in=answer.tokens_in,
        tokens_out=answer.tokens_out,
    )


def _refuse_remote_code(options: Options) -> None:
    """Refuse a model that is code of its own, unless the user asks to run that code.

    Raises:
        SetupError: the user has not asked for that.
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


def _refuse_revision_of_another(options: Options) -> None:
    """Refuse a revision of a model in whose place a twin with other commits is loaded.

    Raises:
        SetupError: such a revision is asked for.
    """
    twin = native_id(options.model or "")
    if options.revision and twin != (options.model or ""):
        raise SetupError(
            f"{options.model} does not load natively, and --revision is one of its own; "
            f"give --model {twin} with a revision of that"
        )
