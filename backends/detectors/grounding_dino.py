"""Grounding DINO: boxes compared with each token of a prompt that strings words together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from backends.detectors.base import Detector, Proposal
from backends.detectors.boxes import best_proposals, corners
from backends.detectors.checkpoint import (
    Checkpoint,
    load_picture_processor,
    load_tokenizer,
    load_weights,
)
from backends.detectors.running import rgb_pictures
from backends.detectors.vocabulary import require_fit
from backends.errors import SetupError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

DELIMITERS = str.maketrans({".": " ", "?": " "})
"""Signs that end a phrase for the model; in words they become spaces."""


class Prompt(NamedTuple):
    """Words that the model reads at once.

    Attributes:
        tokens: The tokens, delimiters included.
        words: The words, in order.
        spans: Place of the first token of each word, and the place behind its last.
    """

    tokens: list[int]
    words: list[str]
    spans: list[tuple[int, int]]


class GroundingDinoDetector(Detector):
    """Runs a Grounding DINO (Liu et al. 2023).

    The model reads prompts such as "dog. traffic light."; a long vocabulary takes several.
    The words of a prompt influence what the model makes of the picture, so a score depends
    a little on what else is looked for. Pictures of one size go together, since padding
    would change what the model sees. The weights stay in float32, since a corner in
    bfloat16 is off by pixels.
    """

    model_types: ClassVar[dict[str, str]] = {"grounding-dino": "grounding-dino"}
    usual_threshold: ClassVar[float] = 0.25  # as Transformers has it; the authors' demo takes 0.35

    def _load(self, checkpoint: Checkpoint) -> Any:
        import torch
        from transformers import GroundingDinoForObjectDetection

        self._tokenizer = load_tokenizer(checkpoint)
        self._picture_processor = load_picture_processor(checkpoint)
        return load_weights(checkpoint, GroundingDinoForObjectDetection, torch.float32)

    def _encode_vocabulary(self) -> list[Prompt]:
        phrases = self._tokenizer(
            [word.translate(DELIMITERS) for word in self.vocabulary],
            add_special_tokens=False,
            split_special_tokens=True,  # "[SEP]" is four letters in brackets
        )["input_ids"]
        start, stop, end = self._tokenizer.convert_tokens_to_ids(["[CLS]", ".", "[SEP]"])
        config = self._network.config
        longest = min(config.max_text_len, config.text_config.max_position_embeddings)
        alone = [[start, *tokens, stop, end] for tokens in phrases]
        require_fit(self.model, self.vocabulary, alone, longest)
        for word, tokens in zip(self.vocabulary, phrases, strict=True):
            if not tokens or self._tokenizer.unk_token_id in tokens:  # dots, or an emoji
                raise SetupError(f"{self.model} cannot read {word[:60]!r}; name it otherwise")
        return make_prompts(
            self.vocabulary, phrases, start=start, stop=stop, end=end, longest=longest
        )

    def detect(self, pictures: Sequence[Image]) -> list[list[Proposal]]:
        """Return what may be in each upright picture, the best first."""
        ready = rgb_pictures(pictures)
        by_size = dict[tuple[int, int], list[int]]()
        for number, picture in enumerate(ready):
            by_size.setdefault(picture.size, []).append(number)
        found: list[list[Proposal]] = [[] for _ in ready]
        for numbers in by_size.values():
            alike = self._in_batches([ready[number] for number in numbers], self._detect_batch)
            for number, proposals in zip(numbers, alike, strict=True):
                found[number] = proposals
        return found

    def _detect_batch(self, pictures: Sequence[Image]) -> list[list[Proposal]]:
        inputs = self._pixels(self._picture_processor, pictures)
        found: list[list[Proposal]] = [[] for _ in pictures]
        for prompt in self._encoded:
            scores, boxes = self._ask(prompt, inputs, len(pictures))
            for picture, proposals, own, places in zip(pictures, found, scores, boxes, strict=True):
                proposals += best_proposals(
                    word_scores(own, prompt),
                    corners(places) * [*picture.size, *picture.size],
                    picture.size,
                    prompt.words,
                    threshold=self.threshold,
                    most=self.proposals,
                )
        for proposals in found:
            proposals.sort(key=lambda proposal: -proposal.score)
            del proposals[self.proposals :]
        return found

    def _ask(self, prompt: Prompt, inputs: Any, pictures: int) -> tuple[Any, Any]:
        """Return scores (pictures, boxes, tokens) and boxes (pictures, boxes, 4) as arrays."""
        import torch

        tokens = torch.tensor([prompt.tokens] * pictures, device=self._device)
        output = self._network(**inputs, input_ids=tokens)
        return output.logits.sigmoid().cpu().numpy(), output.pred_boxes.cpu().numpy()


def make_prompts(
    words: Sequence[str],
    phrases: Sequence[list[int]],
    *,
    start: int,
    stop: int,
    end: int,
    longest: int,
) -> list[Prompt]:
    """Return the fewest prompts that hold all words in their order.

    Args:
        words: Words of a vocabulary.
        phrases: Tokens of each word.
        start: The token that a prompt begins with.
        stop: The token of the full stop after each word.
        end: The token that a prompt ends with.
        longest: The most tokens that the model reads; each word fits.
    """
    prompts: list[Prompt] = []
    for word, tokens in zip(words, phrases, strict=True):
        if not prompts or len(prompts[-1].tokens) + len(tokens) + 2 > longest:
            prompts.append(Prompt([start], [], []))
        prompt = prompts[-1]
        first = len(prompt.tokens)
        prompt.tokens.extend([*tokens, stop])
        prompt.words.append(word)
        prompt.spans.append((first, first + len(tokens)))
    for prompt in prompts:
        prompt.tokens.append(end)
    return prompts


def word_scores(scores: NDArray[np.floating[Any]], prompt: Prompt) -> NDArray[np.floating[Any]]:
    """Return the score of each word in each box: the mean of the scores of its tokens.

    That is how the authors evaluate on COCO: "traffic light" scores low on a traffic sign,
    where the best of its tokens would not.

    Args:
        scores: Score of each token in each box. Shape (boxes, tokens or more).
        prompt: The prompt with these tokens.

    Returns:
        Shape (boxes, words).
    """
    import numpy as np

    return np.stack([scores[:, first:last].mean(axis=1) for first, last in prompt.spans], axis=1)
