"""The models we know: what they need, and what stands in for those that do not load."""

from __future__ import annotations

import msgspec

BITS = {"int4": 4, "int8": 8, "none": 16}
"""Bits of a weight by the name of the quantisation; models are saved with 16."""


class LocalModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model to choose.

    Attributes:
        id: Id on the model hub.
        parameters: Billions of parameters, as the id or the model card says.
        licence: Licence, as the model card says.
        native: The id to load instead, where this model does not load natively.
        remote: True if the model is code of its own and needs `--trust-remote-code`.
        note: What else the user should know.
    """

    id: str
    parameters: float
    licence: str
    native: str | None = None
    remote: bool = False
    note: str = ""

    def gigabytes(self, bits: int) -> float:
        """Return about how much memory the weights take, in 10^9 bytes.

        With 4 bits, nf4 keeps a scale for each 64 weights (half a bit more), and
        embeddings and the vision tower stay at 16 bits: about a fifth of the weights.
        """
        quantised = 0.8 if bits < 16 else 0.0
        overhead = 0.5 if bits == 4 else 0.0
        return self.parameters * (quantised * (bits + overhead) + (1 - quantised) * 16) / 8


MODELS = (
    LocalModel(id="Qwen/Qwen2.5-VL-3B-Instruct", parameters=3.75, licence="Qwen Research"),
    LocalModel(id="Qwen/Qwen2.5-VL-7B-Instruct", parameters=8.3, licence="Apache-2.0"),
    LocalModel(
        id="vikhyatk/moondream2",
        parameters=1.9,
        licence="see its card",
        remote=True,
        note="reported broken on Transformers 5; a server such as Ollama runs it",
    ),
    LocalModel(
        id="microsoft/Florence-2-large",
        parameters=0.77,
        licence="MIT, not re-confirmed",
        native="florence-community/Florence-2-large",
        note="follows its task prompts, not yours",
    ),
    LocalModel(id="HuggingFaceTB/SmolVLM2-2.2B-Instruct", parameters=2.2, licence="Apache-2.0"),
    LocalModel(
        id="OpenGVLab/InternVL2-8B",
        parameters=8.1,
        licence="see its card",
        native="OpenGVLab/InternVL3-8B-hf",
    ),
    LocalModel(id="Qwen/Qwen3-VL-2B-Instruct", parameters=2.1, licence="Apache-2.0"),
    LocalModel(id="Qwen/Qwen3-VL-4B-Instruct", parameters=4.4, licence="Apache-2.0"),
    LocalModel(id="Qwen/Qwen3-VL-8B-Instruct", parameters=8.8, licence="Apache-2.0"),
    LocalModel(id="Qwen/Qwen3.5-4B", parameters=4.7, licence="Apache-2.0"),
    LocalModel(id="google/gemma-4-E2B-it", parameters=5.7, licence="Apache-2.0"),
    LocalModel(id="google/gemma-4-E4B-it", parameters=8.95, licence="Apache-2.0"),
    LocalModel(id="OpenGVLab/InternVL3_5-8B-HF", parameters=8.55, licence="Apache-2.0"),
    LocalModel(id="LiquidAI/LFM2.5-VL-1.6B", parameters=1.6, licence="LFM1.0"),
)
"""The six that were asked for first, then models of 2026. The parameters of Gemma and InternVL3.5
are half of the gigabytes that their vendors publish for bf16 (ai.google.dev/gemma/docs/core and the
model card, autumn 2026)."""

DEFAULT_MODEL = MODELS[0].id

FLORENCE_TASKS = ("<CAPTION>", "<DETAILED_CAPTION>", "<MORE_DETAILED_CAPTION>")
"""The task prompts of Florence-2 that give a caption, from short to long."""

_NATIVE = {model.id: model.native for model in MODELS if model.native} | {
    "microsoft/Florence-2-base": "florence-community/Florence-2-base",
    "microsoft/Florence-2-base-ft": "florence-community/Florence-2-base-ft",
    "microsoft/Florence-2-large-ft": "florence-community/Florence-2-large-ft",
    "OpenGVLab/InternVL3-1B": "OpenGVLab/InternVL3-1B-hf",
    "OpenGVLab/InternVL3-2B": "OpenGVLab/InternVL3-2B-hf",
    "OpenGVLab/InternVL3-8B": "OpenGVLab/InternVL3-8B-hf",
    "OpenGVLab/InternVL3_5-8B": "OpenGVLab/InternVL3_5-8B-HF",
}


def find_model(model: str) -> LocalModel | None:
    """Return what is known of a model, by its id or by the id of its native twin."""
    return next((known for known in MODELS if model in (known.id, known.native)), None)


def native_id(model: str) -> str:
    """Return the id that loads natively for a model: that of its twin, or its own."""
    return _NATIVE.get(model, model)
