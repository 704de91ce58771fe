"""Which plug-ins there are: ours in the tables below, others by the entry points of packages.

A new plug-in is one file and one line here; `docs/adding_a_backend.md` says how.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from backends.base import Captioner, Options
from backends.errors import SetupError
from backends.installation import extra_line
from backends.plugins import BuiltIn, PluginKind

if TYPE_CHECKING:
    from backends.detectors.base import Detector
    from backends.embedders.base import Embedder
    from backends.ocr.base import OcrEngine, OcrOptions

CAPTIONERS: PluginKind[Captioner] = PluginKind(
    "backend",
    "pcc.backends",
    "backends.base:Captioner",
    {
        "basic": BuiltIn("backends.captioners.basic:BasicCaptioner"),
        "mock": BuiltIn("backends.captioners.mock:MockCaptioner"),
        "local": BuiltIn("backends.captioners.local:LocalCaptioner", "local"),
        "openai": BuiltIn("backends.captioners.openai:OpenAICaptioner", "api"),
        "anthropic": BuiltIn("backends.captioners.anthropic:AnthropicCaptioner", "api"),
        "gemini": BuiltIn("backends.captioners.gemini:GeminiCaptioner", "api"),
        "xai": BuiltIn("backends.captioners.xai:XaiCaptioner", "api"),
    },
)

EMBEDDERS: PluginKind[Embedder] = PluginKind(
    "embedder",
    "pcc.embedders",
    "backends.embedders.base:Embedder",
    {
        "minilm": BuiltIn("backends.embedders.sentence:SentenceEmbedder", "minilm"),
        "tfidf": BuiltIn("backends.embedders.tfidf:TfidfEmbedder", "clusters"),
        "clip": BuiltIn("backends.embedders.clip:ClipEmbedder", "minilm"),
    },
    ", and any sentence-transformers model by its id, such as BAAI/bge-small-en-v1.5",
)

DETECTORS: PluginKind[Detector] = PluginKind(
    "detector",
    "pcc.detectors",
    "backends.detectors.base:Detector",
    {
        "owlv2": BuiltIn("backends.detectors.owl:OwlDetector", "detect"),
        "owlvit": BuiltIn("backends.detectors.owl:OwlDetector", "detect"),
        "grounding-dino": BuiltIn(
            "backends.detectors.grounding_dino:GroundingDinoDetector", "detect"
        ),
    },
)
"""The names are the model types that a model's `config.json` may hold, or what the user types."""

OCR_ENGINES: PluginKind[OcrEngine] = PluginKind(
    "OCR engine",
    "pcc.ocr",
    "backends.ocr.base:OcrEngine",
    {
        "rapidocr": BuiltIn("backends.ocr.rapid:RapidOcr", "ocr"),
    },
)

DEFAULT_OCR = "rapidocr"

EXTRA_PACKAGES = {
    "api": ("anthropic", "google-genai", "openai", "tenacity"),
    "clusters": ("hdbscan", "scikit-learn", "snowballstemmer", "umap-learn"),
    "datasets": ("numpy", "pyarrow", "torch", "transformers", "webdataset"),
    "detect": ("numpy", "torch", "transformers"),
    "minilm": ("sentence-transformers",),
    "local": ("accelerate", "bitsandbytes", "num2words", "torch", "transformers"),
    "ocr": ("numpy", "onnxruntime", "opencv-python-headless", "rapidocr"),
    "places": ("reverse-geocode",),
    "redis": ("redis",),
    "synth": ("numpy",),
}
"""Packages that show that an extra is installed."""

backend_names = CAPTIONERS.names
backend_class = CAPTIONERS.find


def make_backend(name: str, options: Options) -> Captioner:
    """Return a captioner, made but not yet opened.

    Raises:
        SetupError: the captioner cannot be made; the message says what mends that.
    """
    return CAPTIONERS.make(name, options)


def make_embedder(name: str) -> Embedder:
    """Return an embedder, made but not yet open.

    Args:
        name: The name of an embedder, perhaps with a model behind a colon as in `clip:ID`, or
            the id of a sentence-transformers model.

    Raises:
        SetupError: there is no embedder of that name, or an extra is missing.
    """
    kind = name.partition(":")[0]
    if "/" in name and kind not in EMBEDDERS:
        kind = "minilm"
    return EMBEDDERS.make(kind, name)


def default_embedder() -> str:
    """Return `minilm` where it can be loaded without a download, else `tfidf`."""
    from backends.embedders.sentence import minilm_is_here

    return "minilm" if minilm_is_here() else "tfidf"


def make_detector(
    model: str, vocabulary: Sequence[str], *, revision: str | None = None, **options: Any
) -> Detector:
    """Return a detector, made but not yet open; nothing but the model's `config.json` is read.

    Args:
        model: Id of a model on the hub, or its directory; or the name of a detector, perhaps
            with a model behind a colon.
        vocabulary: Plain words, such as "dog" and "traffic light".
        revision: Commit, tag or branch on the hub, None for the one that is pinned.
        options: What else `Detector` is asked.

    Raises:
        ValueError: the vocabulary is empty, or a number is out of range.
        SetupError: there is no such model, or the model does not look for words.
    """
    from backends.detectors.checkpoint import GROUNDING_DINO, OWLV2, find_checkpoint

    kind = model.partition(":")[0]
    if kind not in DETECTORS:
        kind = find_checkpoint(model, revision).model_type
    if kind not in DETECTORS:
        raise SetupError(
            f"{model} is of the type {kind[:60]!r}, which does not look for words; "
            f"OWL-ViT, OWLv2 and Grounding DINO do, such as {OWLV2} and {GROUNDING_DINO}"
        )
    return DETECTORS.make(kind, model, vocabulary, revision=revision, **options)


def make_ocr(name: str = DEFAULT_OCR, options: OcrOptions | None = None) -> OcrEngine:
    """Return an OCR engine, made but not yet open.

    Raises:
        SetupError: there is no engine of that name, or it cannot be made.
        ValueError: an option is out of range.
    """
    from backends.ocr.base import OcrOptions

    return OCR_ENGINES.make(name, options or OcrOptions())


def missing_extra(name: str) -> str | None:
    """Return the line that installs what a backend needs, None if all of it is there."""
    extra = CAPTIONERS.extra_of(name)
    return None if extra is None or has_extra(extra) else extra_line(extra)


def has_extra(extra: str) -> bool:
    """Tell whether an extra of this package is installed; nothing of it is imported."""
    return all(map(_is_there, EXTRA_PACKAGES[extra]))


def _is_there(package: str) -> bool:
    from importlib.metadata import PackageNotFoundError, version  # 10 ms

    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True
