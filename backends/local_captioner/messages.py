"""What the job and its model process say to each other, in MessagePack."""

from __future__ import annotations

from typing import Literal

import msgspec

from backends.base import MOST_TOKENS_OUT, Dtype, Loading, Picture, Quantization


class Load(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """The first request: get a model ready.

    Attributes:
        model: Directory of the model, or its id on the model hub.
        prompt: The instruction that goes with each picture.
        max_edge: Longest side of the pictures to come, in pixels.
        batch_size: Photos in a batch, None to choose the number by free memory.
        revision: Commit, tag or branch, None for the main branch.
        quantize: Bits of the weights, None to choose them by free memory.
        dtype: Number format, None to choose by the hardware.
        device: Device to run on, None for the best there is.
        trust_remote_code: Whether code that comes with the model may run.
        max_tokens: Most tokens of an answer.
    """

    model: str
    prompt: str
    max_edge: int
    batch_size: int | None = None
    revision: str | None = None
    quantize: Quantization | None = None
    dtype: Dtype | None = None
    device: str | None = None
    trust_remote_code: bool = False
    max_tokens: int = MOST_TOKENS_OUT


class Batch(msgspec.Struct, tag=True, frozen=True):
    """Every further request: caption these pictures."""

    pictures: list[Picture]


ModelRequest = Load | Batch


class LoadProgress(msgspec.Struct, tag=True, frozen=True):
    """The model is still being loaded."""

    loading: Loading


class Ready(msgspec.Struct, tag=True, frozen=True):
    """The model is loaded.

    Attributes:
        batch_size: Photos in a batch.
        notices: What the user should know, a sentence each.
    """

    batch_size: int
    notices: list[str]


class Unusable(msgspec.Struct, tag=True, frozen=True):
    """The model cannot be loaded; the reason says what mends that."""

    reason: str


class Beat(msgspec.Struct, tag=True, frozen=True):
    """The model is alive: another layer has been computed."""


class Answer(msgspec.Struct, frozen=True):
    """What came of one picture: a text, or an error.

    Attributes:
        text: The caption.
        tokens_in: Tokens of picture and prompt.
        tokens_out: Tokens of the caption.
        ended: `length` when the text was cut off.
        error: Why there is no text.
    """

    text: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None
    ended: Literal["whole", "length"] = "whole"
    error: str | None = None


class Answers(msgspec.Struct, tag=True, frozen=True):
    """An answer for each picture of a batch, in their order.

    Attributes:
        answers: The answers.
        batch_size: Photos in a batch from now on; fewer, if so many did not fit into memory.
    """

    answers: list[Answer]
    batch_size: int


ModelReply = LoadProgress | Ready | Unusable | Beat | Answers
