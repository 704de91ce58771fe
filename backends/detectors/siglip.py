"""SigLIP: how well each word of a vocabulary fits a region."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from backends.detectors.base import Label
from backends.detectors.checkpoint import (
    Checkpoint,
    load_picture_processor,
    load_weights,
)
from backends.detectors.running import VocabularyModel, rgb_pictures
from backends.detectors.vocabulary import require_fit, some_at_once
from backends.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

PROMPT = "this is a photo of {}"
"""As the documentation of Transformers has it, in the lower case that both SigLIPs learnt."""


class Labelled(NamedTuple):
    """What a region may be.

    Attributes:
        labels: The labels, the best first.
        embedding: The region in the space of the model. Shape (width,), float32, of length 1.
    """

    labels: list[Label]
    embedding: NDArray[np.float32]


class RegionLabeller(VocabularyModel):
    """Runs a SigLIP (Zhai et al. 2023) or a SigLIP 2 of fixed size (Tschannen et al. 2025).

    The scores are sigmoids: each score says on its own whether a word fits, and the scores
    do not add up to one. The processor scales each crop straight to the model's square. The
    tokenizer is read from `tokenizer.json`, which takes no further package.

    Args:
        model: Id on the hub, or a directory.
        vocabulary: Plain words, such as "dog" and "traffic light".
        revision: Commit, tag or branch on the hub, None for the one that is pinned.
        device: Device that the model runs on, None for the best there is.
        batch_size: Crops in a batch, None for what suits the device.
    """

    model_types: ClassVar[dict[str, str]] = {"siglip": "siglip"}
    batch_sizes: ClassVar[dict[str, int]] = {"cuda": 128, "mps": 32, "cpu": 8}

    def _load(self, checkpoint: Checkpoint) -> Any:
        import torch
        from transformers import PreTrainedTokenizerFast, SiglipModel

        # AutoTokenizer insists on sentencepiece, even where tokenizer.json lies beside.
        self._tokenizer = PreTrainedTokenizerFast.from_pretrained(
            checkpoint.model, **checkpoint.source
        )
        self._picture_processor = load_picture_processor(checkpoint)
        # bfloat16 is too coarse for cosines as close as its own.
        cuda = self._device.startswith("cuda")
        return load_weights(checkpoint, SiglipModel, torch.float16 if cuda else torch.float32)

    def _encode_vocabulary(self) -> Any:
        import torch

        longest = self._network.config.text_config.max_position_embeddings
        vectors = []
        for words in some_at_once(self.vocabulary):
            # The model has learnt texts that are padded to the full, without a mask.
            tokens = self._tokenizer(
                [PROMPT.format(word).lower() for word in words],
                padding="max_length",
                max_length=longest,
                split_special_tokens=True,
            )["input_ids"]
            require_fit(self.model, words, tokens, longest)
            numbers = torch.tensor(tokens, device=self._device)
            vectors.append(self._network.get_text_features(input_ids=numbers).pooler_output)
        return _unit(torch.cat(vectors))

    def label(self, crops: Sequence[Image], top: int = 5) -> list[Labelled]:
        """Return the words that fit each crop best, and its embedding.

        Args:
            crops: Upright pictures of any size.
            top: The most words for a crop.

        Raises:
            ValueError: a crop has no pixels, or no word is asked for.
            ModelError: the model failed; a call for each crop alone tells at which.
            BackendLost: the device has failed for good.
        """
        if top < 1:
            raise ValueError(f"a region gets at least one label, not {top}")
        most = min(top, len(self.vocabulary))
        return self._in_batches(rgb_pictures(crops), lambda some: self._label_batch(some, most))

    def _label_batch(self, crops: Sequence[Image], top: int) -> list[Labelled]:
        pixels = self._pixels(self._picture_processor, crops).pixel_values
        pixels = pixels.to(self._network.dtype)
        embeddings = _unit(self._network.get_image_features(pixel_values=pixels).pooler_output)
        if not embeddings.isfinite().all():
            raise ModelError(f"{self.model} gave numbers that are not finite")
        scale, bias = self._network.logit_scale, self._network.logit_bias
        logits = embeddings @ self._encoded.T * scale.float().exp() + bias.float()
        best = logits.sigmoid().sort(descending=True, stable=True)
        return [
            Labelled(
                [
                    Label(self.vocabulary[place], score)
                    for score, place in zip(values[:top], places[:top], strict=True)
                ],
                embedding,
            )
            for values, places, embedding in zip(
                best.values.tolist(), best.indices.tolist(), embeddings.cpu().numpy(), strict=True
            )
        ]


def _unit(vectors: Any) -> Any:
    """Return vectors at length 1, in float32."""
    vectors = vectors.float()
    return vectors / vectors.norm(dim=-1, keepdim=True)
