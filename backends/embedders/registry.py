"""Which embedders there are, and which one is the default here."""

from __future__ import annotations

from backends.embedders.base import Embedder, set_environment
from backends.errors import SetupError

NEEDED = {
    "sklearn": "clusters",
    "scipy": "clusters",
    "sentence_transformers": "minilm",
    "torch": "minilm",
    "transformers": "minilm",
    "huggingface_hub": "minilm",
}
"""The extra that brings a module which embedders import."""

BUILT_IN = ("minilm", "tfidf", "clip")


def default_embedder() -> str:
    """Return `minilm` where it can be loaded without a download, else `tfidf`."""
    from backends.embedders.sentence import minilm_is_here

    return "minilm" if minilm_is_here() else "tfidf"


def make_embedder(name: str) -> Embedder:
    """Return an embedder, made but not yet open.

    Args:
        name: `minilm`, `tfidf`, `clip`, or the id of a sentence-transformers model.

    Raises:
        SetupError: there is none of that name, or an extra is missing.
    """
    set_environment()
    try:
        if name == "tfidf":
            from backends.embedders.tfidf import TfidfEmbedder

            return TfidfEmbedder()
        if name == "clip" or name.startswith("clip:"):
            import transformers  # noqa: F401 - named here if it is missing

            from backends.embedders.clip import ClipEmbedder

            return ClipEmbedder(name)
        if name == "minilm" or "/" in name:
            import sentence_transformers  # noqa: F401 - likewise

            from backends.embedders.sentence import SentenceEmbedder

            return SentenceEmbedder(name)
    except ModuleNotFoundError as error:
        extra = NEEDED.get((error.name or "").partition(".")[0], "clusters")
        raise SetupError(
            f"the embedder {name} needs the module {error.name}: pip install 'pcc[{extra}]'"
        ) from None
    raise SetupError(
        f"there is no embedder {name!r}; there are {', '.join(BUILT_IN)}, and any "
        "sentence-transformers model by its id, such as BAAI/bge-small-en-v1.5"
    )
