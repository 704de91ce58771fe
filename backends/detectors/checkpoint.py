"""The files of a model: which commit they are, what they hash to, how they are loaded."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgspec
from blake3 import blake3

from backends.errors import SetupError, first_line
from backends.hub import (
    about_the_hub,
    hush,
    lacks_safetensors,
    require_sound_torchvision,
    set_environment,
)
from backends.plugins import explained

OWLV2 = "google/owlv2-base-patch16-ensemble"
OWLVIT = "google/owlvit-base-patch32"
GROUNDING_DINO = "IDEA-Research/grounding-dino-tiny"
SIGLIP = "google/siglip-base-patch16-224"

REVISIONS = {
    OWLV2: "cfd3195ba4ea9592eec887ded089f4c08eff231d",
    OWLVIT: "cbc355fb364588351c5d51c7f74465e8e7ec6f72",
    GROUNDING_DINO: "a2bb814dd30d776dcf7e30523b00659f4f141c71",
    SIGLIP: "7fd15f0689c79d79e38b1c2e2e2370a7bf2761ed",
}
"""The commits of the models that are loaded unless others are named, one of each family."""

LETTERS = 256
"""The fewest tokens of a real tokenizer."""

DECISIVE = ("config.json", "preprocessor_config.json", "tokenizer.json")
"""Files beside the weights that decide what a model sees."""

SHORT = 12
"""Digits of a commit or a digest that stand in a version."""


class Checkpoint(msgspec.Struct, frozen=True):
    """A model whose files are here.

    Attributes:
        model: Id on the hub, or a directory.
        model_type: The type that `config.json` names.
        directory: Directory of the model's files.
        revision: The full commit, None for a model in a directory of the user's.
    """

    model: str
    model_type: str
    directory: Path
    revision: str | None

    @property
    def source(self) -> dict[str, Any]:
        """Arguments that make Transformers load these very files, and run no code of theirs."""
        pinned = {} if self.revision is None else {"revision": self.revision}
        return {"trust_remote_code": False, **pinned}

    def digest(self) -> str:
        """Return the hash of what decides what the model sees: 64 hexadecimal digits.

        It is called once the model is loaded. A directory with a copy of the hub's files gets
        the hash that the hub's files get, whatever else lies there.
        """
        whole = self.directory / "model.safetensors"
        parts = sorted(self.directory.glob("model-*-of-*.safetensors"))
        others = (self.directory / name for name in DECISIVE)
        hasher = blake3(max_threads=blake3.AUTO)
        for path in (*filter(Path.is_file, others), *([whole] if whole.is_file() else parts)):
            hasher.update(f"{path.name}\n{path.stat().st_size}\n".encode())
            hasher.update_mmap(path)
        return hasher.hexdigest()

    def version(self, family: str, digest: str) -> str:
        """Return the version that records tell; it names a directory, but not its path."""
        if self.revision is not None:
            return f"{family}:{self.model}@{self.revision[:SHORT]}"
        return f"{family}:{self.directory.resolve().name}@{digest[:SHORT]}"


def find_checkpoint(model: str, revision: str | None = None) -> Checkpoint:
    """Return what a model's `config.json` says; the hub is asked where its cache lacks it.

    Args:
        model: A directory, or an id on the hub.
        revision: Commit, tag or branch on the hub; None for the one in `REVISIONS`, and for
            the main branch where that names none.

    Raises:
        SetupError: the file cannot be had; the message says what mends that.
    """
    set_environment()
    require_sound_torchvision()
    with loading(model):
        from transformers import AutoConfig

        hush()
        directory = Path(model)
        if directory.is_dir():
            config = AutoConfig.from_pretrained(model, trust_remote_code=False)
            return Checkpoint(model, config.model_type, directory, None)
        revision = revision or REVISIONS.get(model) or "main"
        config = AutoConfig.from_pretrained(model, trust_remote_code=False, revision=revision)
        from huggingface_hub import try_to_load_from_cache

        path = try_to_load_from_cache(model, "config.json", revision=revision)
        if not isinstance(path, str):
            raise SetupError(f"{model} is not in the cache of the hub although it was loaded")
        # The cache holds each commit in a directory of that name.
        return Checkpoint(model, config.model_type, Path(path).parent, Path(path).parent.name)


def load_weights(checkpoint: Checkpoint, architecture: Any, dtype: Any) -> Any:
    """Return a model whose weights all come from safetensors.

    Args:
        checkpoint: What to load.
        architecture: The class of Transformers.
        dtype: Number format of the weights, as torch names it.

    Raises:
        SetupError: some weights are not there.
        Exception: the model cannot be loaded; `loading` turns that into a sentence.
    """
    model, loaded = architecture.from_pretrained(
        checkpoint.model,
        use_safetensors=True,
        dtype=dtype,
        output_loading_info=True,
        **checkpoint.source,
    )
    # They are made up where files lack them.
    if loaded["missing_keys"] or loaded["mismatched_keys"]:
        raise SetupError(f"{checkpoint.model} lacks some of its weights; download it anew")
    return model.eval()


def load_tokenizer(checkpoint: Checkpoint) -> Any:
    """Return the tokenizer of a model.

    Raises:
        SetupError: the files of the model hold no tokenizer.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(checkpoint.model, **checkpoint.source)
    if len(tokenizer) < LETTERS:  # one is made up then, to which all words are alike
        raise SetupError(
            f"{checkpoint.model} lacks its tokenizer; download it anew, with all its files"
        )
    return tokenizer


def load_picture_processor(checkpoint: Checkpoint) -> Any:
    """Return what turns pictures into pixels: the same pixels with torchvision and without."""
    from transformers import AutoImageProcessor

    return AutoImageProcessor.from_pretrained(checkpoint.model, backend="pil", **checkpoint.source)


def loading(model: str) -> AbstractContextManager[None]:
    """Turn whatever a library raises while it loads a model into a SetupError with a sentence."""
    return explained(model, "detect", lambda error: f"{model} {_why_not_loaded(error)}")


def _why_not_loaded(error: Exception) -> str:
    from backends.hardware import is_out_of_memory

    reason = first_line(error)
    if is_out_of_memory(error):
        return "does not fit into memory; use --device cpu or a smaller model"
    if lacks_safetensors(reason):
        return "has no safetensors, and other weights are not loaded"
    if reason.startswith("Can't load image processor"):
        return "lacks its preprocessor_config.json; download it anew, with all its files"
    if "backend tokenizer" in reason:
        return "lacks its tokenizer.json; download it anew, with all its files"
    return f"cannot be loaded: {about_the_hub(error) or f'{type(error).__name__}: {reason}'}"
