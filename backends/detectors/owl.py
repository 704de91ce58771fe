"""OWL-ViT and OWLv2: a box for each patch of the picture, compared with each word."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from backends.detectors.base import Detector, Proposal
from backends.detectors.boxes import best_proposals, corners
from backends.detectors.checkpoint import (
    Checkpoint,
    load_picture_processor,
    load_tokenizer,
    load_weights,
)
from backends.detectors.running import rgb_pictures
from backends.detectors.vocabulary import require_fit, some_at_once

if TYPE_CHECKING:
    from PIL.Image import Image

PROMPT = "a photo of a {}"
"""Radford et al. 2021 (CLIP), section 3.1.4, as in the documentation of Transformers."""

GREY = (128, 128, 128)
"""Fills up the square: Minderer et al. 2023 pad with 0.5, where Transformers takes black."""


class OwlDetector(Detector):
    """Runs an OWL-ViT (Minderer et al. 2022) or an OWLv2 (Minderer et al. 2023).

    The model reads the words one by one, at most sixteen tokens of each, so a score does
    not depend on what else is looked for. The weights stay in float32, since a corner in
    bfloat16 is off by pixels.
    """

    model_types: ClassVar[dict[str, str]] = {"owlv2": "owlv2", "owlvit": "owlvit"}
    usual_threshold: ClassVar[float] = 0.1  # as Transformers has it

    def _load(self, checkpoint: Checkpoint) -> Any:
        import torch
        from transformers import Owlv2ForObjectDetection, OwlViTForObjectDetection

        pads = checkpoint.model_type == "owlv2"
        architecture = Owlv2ForObjectDetection if pads else OwlViTForObjectDetection
        self._pads = pads
        self._tokenizer = load_tokenizer(checkpoint)
        self._picture_processor = load_picture_processor(checkpoint)
        return load_weights(checkpoint, architecture, torch.float32)

    def _encode_vocabulary(self) -> Any:
        import torch

        trunk = getattr(self._network, self._network.base_model_prefix)
        longest = self._network.config.text_config.max_position_embeddings
        vectors = []
        for words in some_at_once(self.vocabulary):
            tokens = self._tokenizer(
                [PROMPT.format(word) for word in words],
                padding="max_length",
                max_length=longest,
                split_special_tokens=True,  # a word that spells the end token does not end there
            )
            require_fit(self.model, words, tokens["input_ids"], longest)
            tensors = tokens.convert_to_tensors("pt").to(self._device)
            vectors.append(trunk.get_text_features(**tensors).pooler_output)
        return torch.cat(vectors)

    def detect(self, pictures: Sequence[Image]) -> list[list[Proposal]]:
        """Return what may be in each upright picture, the best first."""
        return self._in_batches(rgb_pictures(pictures), self._detect_batch)

    def _detect_batch(self, pictures: Sequence[Image]) -> list[list[Proposal]]:
        features, _ = self._network.image_embedder(self._prepared(pictures))
        patches = features.flatten(1, 2)
        queries = self._encoded.expand(len(pictures), -1, -1)
        logits, _ = self._network.class_predictor(patches, queries)
        boxes = self._network.box_predictor(patches, features)
        return [
            best_proposals(
                scores,
                corners(places) * self._spanned(picture),
                picture.size,
                self.vocabulary,
                threshold=self.threshold,
                most=self.proposals,
            )
            for picture, scores, places in zip(
                pictures, logits.sigmoid().cpu().numpy(), boxes.cpu().numpy(), strict=True
            )
        ]

    def _prepared(self, pictures: Sequence[Image]) -> Any:
        """Return pixels, shape (pictures, 3, edge, edge)."""
        edge = self._network.config.vision_config.image_size
        if self._pads:
            # The processor would take scipy for it, and thirteen times as long.
            squares = [_squared(picture, edge) for picture in pictures]
            return self._pixels(
                self._picture_processor, squares, do_pad=False, do_resize=False
            ).pixel_values
        return self._pixels(
            self._picture_processor,
            pictures,
            size={"height": edge, "width": edge},
            do_center_crop=False,
        ).pixel_values

    def _spanned(self, picture: Image) -> list[int]:
        """Return how many pixels the model's coordinates from 0 to 1 span: x, y, x, y."""
        side = max(picture.size)
        return [side] * 4 if self._pads else [*picture.size, *picture.size]


def _squared(picture: Image, edge: int) -> Image:
    """Return a square with a picture at its top left, which fills it along its longer side."""
    from PIL import ImageOps
    from PIL.Image import Resampling

    side = max(picture.size)
    below_right = (0, 0, side - picture.width, side - picture.height)
    square = ImageOps.expand(picture, below_right, GREY)
    return square.resize((edge, edge), Resampling.BILINEAR)
