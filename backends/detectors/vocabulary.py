"""The words that detectors look for, made fit for a prompt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from backends.errors import SetupError

AT_ONCE = 256
"""Words that a model encodes in one go."""


def clean_vocabulary(words: Sequence[str]) -> tuple[str, ...]:
    """Return the words of a vocabulary, each on one line and each once.

    What cannot be printed becomes a space, several spaces become one, and empty words are
    dropped. Of words that differ in case alone the first stays, since no model here tells
    such words apart.

    Raises:
        TypeError: the vocabulary is a single string.
        ValueError: no word is left.
    """
    if isinstance(words, str):
        raise TypeError("a vocabulary is a list of words, not a string")
    kept = dict[str, str]()
    for word in words:
        line = " ".join("".join(letter if letter.isprintable() else " " for letter in word).split())
        if line:
            kept.setdefault(line.casefold(), line)
    if not kept:
        raise ValueError("the vocabulary is empty: name at least one thing to look for")
    return tuple(kept.values())


def require_fit(
    model: str, words: Sequence[str], tokens: Sequence[Sequence[int]], longest: int
) -> None:
    """Make sure that a model reads each word to its end.

    Args:
        model: The name of the model, for the message.
        words: Words of the vocabulary.
        tokens: Tokens of each word with its prompt.
        longest: The most tokens that the model reads.

    Raises:
        SetupError: a word is too long; the message names the word.
    """
    for word, numbers in zip(words, tokens, strict=True):
        if len(numbers) > longest:
            raise SetupError(
                f"{word[:60]!r} is too long for {model}: with its prompt it takes "
                f"{len(numbers)} tokens, of which the model reads {longest}"
            )


def some_at_once(words: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield words in groups that a model encodes in one go."""
    for start in range(0, len(words), AT_ONCE):
        yield words[start : start + AT_ONCE]
