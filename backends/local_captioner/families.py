"""How pictures and a prompt become a model's input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from PIL import Image

from backends.errors import SetupError
from backends.local_captioner.models import FLORENCE_TASKS

FLORENCE_DEFAULT = "<DETAILED_CAPTION>"


class Family(Protocol):
    """What differs between kinds of models."""

    def encode(self, images: Sequence[Image.Image]) -> Any:
        """Return the model's input for a batch, padded."""


class ChatFamily:
    """Models that chat: a user's turn with a picture and a prompt.

    Args:
        processor: The model's processor.
        prompt: The prompt.

    Raises:
        SetupError: the model does not chat.
    """

    def __init__(self, processor: Any, prompt: str) -> None:
        self._processor = processor
        if getattr(processor, "chat_template", None) is None:
            raise SetupError("the model has no chat template, so it cannot be given a prompt")
        content = [{"type": "image"}, {"type": "text", "text": prompt}]
        can_think = "enable_thinking" in str(processor.chat_template)
        self._text = processor.apply_chat_template(
            [{"role": "user", "content": content}],
            add_generation_prompt=True,
            tokenize=False,
            **({"enable_thinking": False} if can_think else {}),
        )

    def encode(self, images: Sequence[Image.Image]) -> Any:
        """Return the model's input; one list of pictures for each row."""
        return self._processor(
            text=[self._text] * len(images),
            images=[[image] for image in images],
            return_tensors="pt",
            padding=True,
        )


class FlorenceFamily:
    """Florence-2: follows task prompts and no others.

    Args:
        processor: The model's processor.
        prompt: A task prompt; any other prompt stands for the detailed caption.
    """

    def __init__(self, processor: Any, prompt: str) -> None:
        self._processor = processor
        self._task = prompt if prompt in FLORENCE_TASKS else FLORENCE_DEFAULT

    def encode(self, images: Sequence[Image.Image]) -> Any:
        """Return the model's input."""
        return self._processor(
            text=[self._task] * len(images),
            images=list(images),
            return_tensors="pt",
            padding=True,
        )


def family_of(model: Any, processor: Any, prompt: str) -> Family:
    """Return how a loaded model is spoken to."""
    if model.config.model_type == "florence2":
        return FlorenceFamily(processor, prompt)
    return ChatFamily(processor, prompt)
