"""Batches of pictures to captions, in as large batches as memory allows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from PIL import Image

from backends.answers.marks import tells
from backends.base import MOST_TOKENS_OUT
from backends.hardware import (
    PeakMemory,
    free_memory,
    is_fatal,
    is_out_of_memory,
    release_memory,
)
from backends.local_captioner.families import Family
from backends.local_captioner.messages import Answer

LARGEST_BATCH = {"cuda": 32, "mps": 16, "cpu": 16}
"""Larger batches are hardly faster, and lose more when they fail."""

SHARE_OF_MEMORY = 0.8
"""Share of the free memory; pictures differ in shape, and other programs need memory, too."""

MEASURED_TOKENS = 8

BEAT_SECONDS = 1.0


class Generator:
    """Captions pictures with a loaded model.

    Args:
        model: The model.
        processor: The model's processor.
        family: How the model is spoken to.
        device: Device that the model runs on.
        beat: Called about every second while layers are computed: a CPU takes minutes for
            the pictures before the first token comes.
        max_tokens: Most tokens of an answer.

    Attributes:
        batch_size: Pictures in a batch; the number falls when so many do not fit into memory.
    """

    def __init__(
        self,
        model: Any,
        processor: Any,
        family: Family,
        device: str,
        beat: Callable[[], None],
        max_tokens: int = MOST_TOKENS_OUT,
    ) -> None:
        from torch.nn import ModuleList

        self._model = model
        self._decode = processor.decode
        self._silent = _silent_tokens(processor)
        self._family = family
        self._device = device
        self._beat = beat
        self._max_tokens = max_tokens
        self._last_beat = 0.0
        self.batch_size = 1
        for layers in model.modules():
            if isinstance(layers, ModuleList):
                for layer in layers:
                    layer.register_forward_hook(self._passed)
        # What a checkpoint recommends for chats: captions are greedy.
        model.generation_config.update(
            do_sample=False, num_beams=1, temperature=None, top_p=None, top_k=None
        )

    def choose_batch_size(self, max_edge: int) -> None:
        """Set the batch size by the memory that one picture takes, a grey one of full size."""
        grey = Image.new("RGB", (max_edge, max_edge), "grey")
        with PeakMemory(self._device) as peak:
            self._generate([grey], MEASURED_TOKENS)
        each = peak.bytes + self._max_tokens * self._cache_bytes()
        release_memory(self._device)
        room = SHARE_OF_MEMORY * free_memory(self._device)
        most = LARGEST_BATCH.get(self._device.partition(":")[0], LARGEST_BATCH["cpu"])
        self.batch_size = max(1, min(most, int(room / max(1, each))))

    def _cache_bytes(self) -> int:
        """Return what one token adds to the cache: a key and a value in each layer."""
        text = self._model.config.get_text_config(decoder=True)
        heads = text.num_attention_heads
        shared = getattr(text, "num_key_value_heads", None) or heads
        numbers = 2 * text.num_hidden_layers * text.hidden_size * shared // heads
        return int(numbers * self._model.dtype.itemsize)

    def caption(self, images: Sequence[Image.Image]) -> list[Answer]:
        """Return an answer for each picture; a batch too large for the memory is halved."""
        answers: list[Answer] = []
        while len(answers) < len(images):
            some = images[len(answers) : len(answers) + self.batch_size]
            try:
                answers += self._generate(some, self._max_tokens)
                continue
            except Exception as error:
                if is_fatal(error):
                    raise
                if not is_out_of_memory(error):
                    answers += self._one_by_one(some, error)
                    continue
                reason = str(error).partition("\n")[0]
            release_memory(self._device)  # outside the handler, which holds the failed batch
            if len(some) == 1:
                answers.append(Answer(error=f"OutOfMemoryError: {reason}"))
            else:
                self.batch_size = max(1, len(some) // 2)
        return answers

    def _one_by_one(self, images: Sequence[Image.Image], error: Exception) -> list[Answer]:
        """Find the picture that makes a batch fail."""
        if len(images) == 1:
            return [Answer(error=f"{type(error).__name__}: {error}")]
        return [answer for image in images for answer in self.caption([image])]

    def _generate(self, images: Sequence[Image.Image], most_tokens: int) -> list[Answer]:
        import torch

        inputs = self._family.encode(images).to(self._device, dtype=self._model.dtype)
        with torch.inference_mode():
            output = self._model.generate(**inputs, max_new_tokens=most_tokens)
        # A decoder's output begins with the prompt; beside an encoder, with a start token.
        skipped = 1 if self._model.config.is_encoder_decoder else inputs["input_ids"].shape[1]
        lengths = inputs["attention_mask"].sum(dim=1).tolist()
        return [
            self._answer(row, length)
            for row, length in zip(output[:, skipped:].cpu(), lengths, strict=True)
        ]

    def _passed(self, *_: object) -> None:
        """Beat, when a layer has been computed and the last time is long enough ago."""
        now = time.monotonic()
        if now - self._last_beat >= BEAT_SECONDS:
            self._last_beat = now
            self._beat()

    def _answer(self, row: Any, tokens_in: int) -> Answer:
        """Read one row of tokens, which padding follows where others are longer."""
        ends = self._model.generation_config.eos_token_id
        ends = set(ends if isinstance(ends, list) else [ends])
        tokens = row.tolist()
        end = next((place for place, token in enumerate(tokens) if token in ends), None)
        said = [token for token in tokens[:end] if token not in self._silent]
        return Answer(
            text=self._decode(said, skip_special_tokens=False),
            tokens_in=tokens_in,
            tokens_out=len(tokens) if end is None else end + 1,
            ended="length" if end is None else "whole",
        )


def _silent_tokens(processor: Any) -> frozenset[int]:
    """Return the special tokens that mean nothing to the judge of answers, such as padding.

    The others are kept: without the tokens around it, reasoning looks like a caption.
    """
    tokenizer = getattr(processor, "tokenizer", processor)
    return frozenset(
        number
        for number, token in tokenizer.added_tokens_decoder.items()
        if token.special and not tells(token.content)
    )
