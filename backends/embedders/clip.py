"""`clip`: texts and pictures in one space, where either finds the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from backends.embedders.base import Embedder, unit_rows
from backends.errors import SetupError, first_line
from backends.hardware import choose_device
from backends.hub import hush, lacks_safetensors, require_sound_torchvision, set_environment
from backends.plugins import explained, require_modules

if TYPE_CHECKING:
    from PIL.Image import Image

    from backends.embedders.base import Vectors

Input = TypeVar("Input")

CLIP = "openai/clip-vit-base-patch32"

REVISIONS = {CLIP: "c237dc49a33fc61debc9276459120b7eac67e7ef"}
"""The main branch holds a pickle alone; in this commit the hub's converter added safetensors."""

WITH_SAFETENSORS = "clip:openai/clip-vit-large-patch14"

LETTERS = 256
"""A tokenizer of a CLIP knows every byte, and more."""


class ClipEmbedder(Embedder):
    """Runs a CLIP (Radford et al. 2021) on a GPU if there is one, else on the CPU.

    Args:
        name: `clip`, or `clip:` before an id on the hub or a directory.
    """

    sees_pictures: ClassVar[bool] = True

    def __init__(self, name: str) -> None:
        require_modules("torch", "transformers")
        super().__init__(name)
        self.model = name.partition(":")[2] or CLIP
        self._model: Any = None
        self._tokenizer: Any = None
        self._picture_processor: Any = None
        self._longest_text = 0  # tokens

    def open(self) -> None:
        """Load the model from safetensors; no code of its repository runs."""
        set_environment()
        require_sound_torchvision()
        with explained(f"the embedder {self.name}", "minilm", self._why_not_loaded):
            self._load()

    def _load(self) -> None:
        import torch
        from transformers import AutoConfig, AutoImageProcessor, AutoModel, AutoTokenizer

        hush()
        source: dict[str, Any] = {"trust_remote_code": False}
        if self.model in REVISIONS:
            source["revision"] = REVISIONS[self.model]

        config = AutoConfig.from_pretrained(self.model, **source)
        if config.model_type != "clip":
            raise SetupError(
                f"{self.model} is a {config.model_type} and no CLIP; "
                "sentence-transformers models are named without `clip:`"
            )
        device = choose_device(None)
        cuda = device.startswith("cuda")
        model, loaded = AutoModel.from_pretrained(
            self.model,
            config=config,
            use_safetensors=True,
            # CLIP was trained in float16; bfloat16 is too coarse for cosines as close as its own.
            dtype=torch.float16 if cuda else torch.float32,
            output_loading_info=True,
            **source,
        )
        tokenizer = AutoTokenizer.from_pretrained(self.model, **source)
        # Both are made up where files lack them, and the vectors would mean nothing.
        if loaded["missing_keys"] or len(tokenizer) < LETTERS:
            raise SetupError(
                self._lacks("some of its weights" if loaded["missing_keys"] else "its tokenizer")
            )
        self._model = model.to(device).eval()
        self._tokenizer = tokenizer
        # Torchvision scales a little differently, and would make vectors depend on the machine.
        self._picture_processor = AutoImageProcessor.from_pretrained(
            self.model, backend="pil", **source
        )
        self._longest_text = config.text_config.max_position_embeddings
        self.dimensions = config.projection_dim
        self.batch_size = 256 if cuda else 32

    def _lacks(self, what: str) -> str:
        return f"{self.model} lacks {what}; download it anew, with all its files"

    def _why_not_loaded(self, error: Exception) -> str:
        reason = first_line(error)
        if reason.startswith("Can't load image processor"):
            return self._lacks("its preprocessor_config.json")
        mend = "name another CLIP by `clip:` and its id or directory"
        if lacks_safetensors(reason):
            reason = "it has no safetensors, and other weights are not loaded"
            mend = f"name a CLIP that has them, such as {WITH_SAFETENSORS}"
        elif "couldn't connect" in reason:
            mend = "load it once where there is a network, or name a directory by `clip:`"
        return f"the embedder {self.name} cannot be loaded: {reason}; {mend}"

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Return a vector for each text; a text longer than the model reads is cut."""
        return self._embed(texts, self._text_features)

    def embed_pictures(self, pictures: Sequence[Image]) -> Vectors:
        """Return a vector for each upright RGB picture; the model sees its central square."""
        return self._embed(pictures, self._picture_features)

    def _embed(self, inputs: Sequence[Input], features: Callable[[list[Input]], Any]) -> Vectors:
        import torch

        vectors: Vectors = np.zeros((len(inputs), self.dimensions), np.float32)
        with torch.inference_mode():
            for start in range(0, len(inputs), self.batch_size):
                batch = list(inputs[start : start + self.batch_size])
                vectors[start : start + len(batch)] = features(batch).float().cpu().numpy()
        return unit_rows(vectors)

    def _text_features(self, texts: list[str]) -> Any:
        tokens = self._tokenizer(
            texts,
            padding=True,
            truncation=True,
            max_length=self._longest_text,
            split_special_tokens=True,  # a caption that spells the end token does not end there
            return_tensors="pt",
        )
        return self._model.get_text_features(**tokens.to(self._model.device)).pooler_output

    def _picture_features(self, pictures: list[Image]) -> Any:
        pixels = self._picture_processor(pictures, return_tensors="pt").pixel_values
        pixels = pixels.to(self._model.device, self._model.dtype)
        return self._model.get_image_features(pixel_values=pixels).pooler_output
