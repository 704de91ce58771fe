"""Attention masks of captions, as a text encoder of the T5 family will want them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backends.errors import SetupError, first_line
from backends.hub import about_the_hub, hush, set_environment
from backends.plugins import explained

DEFAULT_TOKENIZER = "t5-large"

MAX_LENGTH = 77
"""Tokens of a caption, and numbers in a mask."""


class T5Tokenizer:
    """Says which of 77 places a caption's tokens take; the rest is padding.

    The methods block. They are called on one thread at a time.

    Args:
        model: A directory, or an id on the hub.
    """

    def __init__(self, model: str = DEFAULT_TOKENIZER) -> None:
        self.model = model
        self._tokenizer: Any = None

    def open(self) -> None:
        """Load the tokenizer; no weights are loaded, and no code of its repository runs.

        Raises:
            SetupError: the tokenizer cannot be loaded; the message says what mends that.
        """
        set_environment()
        with explained(f"the tokenizer {self.model}", "datasets", self._why_not_loaded):
            self._load()

    def _load(self) -> None:
        from transformers import AutoTokenizer

        hush()
        tokenizer = AutoTokenizer.from_pretrained(self.model, trust_remote_code=False)
        letter = tokenizer("a")["input_ids"]
        # One is made up where files lack it, and all words would be alike to it.
        if tokenizer.pad_token is None or not letter or tokenizer.unk_token_id in letter:
            raise SetupError(f"{self.model} lacks its tokenizer; download it anew")
        tokenizer.padding_side = "right"
        self._tokenizer = tokenizer

    def _why_not_loaded(self, error: Exception) -> str:
        reason = about_the_hub(error) or f"{type(error).__name__}: {first_line(error)}"
        return f"the tokenizer {self.model} cannot be loaded: {reason}"

    def masks(self, captions: Sequence[str]) -> list[list[int]]:
        """Return 77 numbers for each caption: 1 where there is a token, then 0.

        A longer caption is cut. What spells a special token counts as that token, as it
        does in Transformers. Some hundreds at a call are fastest.
        """
        if not captions:
            return []
        masks: list[list[int]] = self._tokenizer(
            [_encodable(caption) for caption in captions],
            max_length=MAX_LENGTH,
            padding="max_length",
            truncation=True,
            return_attention_mask=True,
        )["attention_mask"]
        return masks


def _encodable(text: str) -> str:
    """Return a text without lone surrogates, which no tokenizer takes; pairs are joined."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
