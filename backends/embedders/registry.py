"""Which embedders there are, and which one is the default here."""

from __future__ import annotations

from importlib.util import find_spec

from backends.embedders.base import Embedder, set_environment
from backends.errors import SetupError
from backends.installation import extra_line

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
    if name == "tfidf":
        _require(name, "clusters", "sklearn")
        from backends.embedders.tfidf import TfidfEmbedder

        return TfidfEmbedder()
    if name == "clip" or name.startswith("clip:"):
        _require(name, "minilm", "torch", "transformers")
        from backends.embedders.clip import ClipEmbedder

        return ClipEmbedder(name)
    if name == "minilm" or "/" in name:
        _require(name, "minilm", "sentence_transformers")
        from backends.embedders.sentence import SentenceEmbedder

        return SentenceEmbedder(name)
    raise SetupError(
        f"there is no embedder {name!r}; there are {', '.join(BUILT_IN)}, and any "
        "sentence-transformers model by its id, such as BAAI/bge-small-en-v1.5"
    )


def _require(name: str, extra: str, *modules: str) -> None:
    """Name the extra that is missing; nothing is imported: torch alone takes seconds."""
    for module in modules:
        if find_spec(module) is None:
            raise SetupError(f"the embedder {name} needs the module {module}: {extra_line(extra)}")
