"""What a DINO's own files say of it: known before any heavy library is imported."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from backends.errors import SetupError, causes, first_line
from backends.hub import about_the_hub, set_environment
from backends.plugins import explained

DEFAULT_MODEL = "facebook/dinov3-vitl16-pretrain-lvd1689m"

OPEN_MODEL = "facebook/dinov2-large"
"""A model whose page asks nobody to accept a licence."""

DEFAULTS: dict[str, dict[str, int]] = {
    "dinov2": {"patch_size": 14, "hidden_size": 768},
    "dinov2_with_registers": {"patch_size": 16, "hidden_size": 768, "num_register_tokens": 4},
    "dinov3_vit": {"patch_size": 16, "hidden_size": 384, "num_register_tokens": 0},
}
"""What Transformers takes where `config.json` is silent, by model type."""

LARGEST_FILE = 1 << 20
"""The most bytes of a JSON file; the files of real models have some hundreds."""


class DinoConfig(msgspec.Struct, frozen=True):
    """What must be known of a DINO to give it pictures and to read its answer.

    Attributes:
        model: Id on the hub, or a directory.
        model_type: A key of `DEFAULTS`.
        patch_size: Side of a patch, in pixels.
        width: Numbers in a feature.
        leading_tokens: Tokens before those of the patches: one class token, and registers.
    """

    model: str
    model_type: str
    patch_size: int
    width: int
    leading_tokens: int


PatchSize = Annotated[int, Meta(ge=1, le=1024)]


class _Settings(msgspec.Struct):
    """What is read of `config.json`."""

    patch_size: PatchSize | Annotated[list[PatchSize], Meta(min_length=2, max_length=2)]
    hidden_size: Annotated[int, Meta(ge=1, le=1 << 16)]
    num_register_tokens: Annotated[int, Meta(ge=0, le=1024)] = 0
    num_channels: Annotated[int, Meta(ge=3, le=3)] = 3


def read_config(model: str, revision: str | None = None) -> DinoConfig:
    """Return what a model's `config.json` says; nothing else of the model is read.

    Args:
        model: A directory, or an id on the hub; the hub is asked where its cache lacks the file.
        revision: Commit, tag or branch on the hub, None for its main branch.

    Raises:
        SetupError: there is no such file, or the file is not that of a DINO with patches.
    """
    settings = read_settings(model, "config.json", revision)
    if settings is None:
        raise SetupError(f"{model} has no config.json; download it anew, with all its files")
    return config_from(model, settings)


def config_from(model: str, settings: dict[str, Any]) -> DinoConfig:
    """Return what the contents of a model's `config.json` mean.

    Raises:
        SetupError: the contents are not those of a DINO with patches.
    """
    kind = settings.get("model_type")
    if not isinstance(kind, str) or kind not in DEFAULTS:
        *some, last = DEFAULTS
        what = f"is of the type {kind[:60]!r}" if isinstance(kind, str) else "names no model type"
        raise SetupError(
            f"the config.json of {model} {what}; {', '.join(some)} and {last} work, "
            f"such as --dino-model {OPEN_MODEL}"
        )
    try:
        found = msgspec.convert({**DEFAULTS[kind], **settings}, _Settings)
    except msgspec.ValidationError as error:
        raise SetupError(f"the config.json of {model} is broken: {error}") from None
    sides = found.patch_size if isinstance(found.patch_size, list) else [found.patch_size]
    if len({*sides}) > 1:
        raise SetupError(f"the patches of {model} are not square: {sides[0]} x {sides[1]} pixels")
    # A plain DINOv2 has no registers, whatever its file says.
    registers = found.num_register_tokens if "num_register_tokens" in DEFAULTS[kind] else 0
    return DinoConfig(model, kind, sides[0], found.hidden_size, 1 + registers)


def read_settings(model: str, name: str, revision: str | None = None) -> dict[str, Any] | None:
    """Return what one of a model's JSON files holds, None where the model has no such file.

    Raises:
        SetupError: the file cannot be had or read; the message says what mends that.
    """
    with explained(model, "datasets", lambda error: why_not_loaded(model, error)):
        path = _find_file(model, name, revision)
        if path is None:
            return None
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise SetupError(f"the {name} of {model} is too large to be one")
    try:
        settings = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise SetupError(f"the {name} of {model} is broken: {first_line(error)}") from None
    if not isinstance(settings, dict):
        raise SetupError(f"the {name} of {model} is broken: it holds no settings")
    return settings


def _find_file(model: str, name: str, revision: str | None) -> Path | None:
    """Return where a model's file is, None if there is no such file; the hub is asked last."""
    if Path(model).is_dir():
        path = Path(model, name)
        return path if path.is_file() else None
    set_environment()
    from huggingface_hub import errors, hf_hub_download, try_to_load_from_cache
    from huggingface_hub.utils.tqdm import disable_progress_bars

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # else it asks for a token
    cached = try_to_load_from_cache(model, name, revision=revision)
    if cached is not None:  # else it is a mark that the model has no such file
        return Path(cached) if isinstance(cached, str) else None
    try:
        with disable_progress_bars():
            return Path(hf_hub_download(model, name, revision=revision))
    except errors.RemoteEntryNotFoundError:
        return None


def why_not_loaded(model: str, error: Exception) -> str:
    """Return why a DINO cannot be loaded, and what mends it."""
    from huggingface_hub import errors

    if any(isinstance(cause, errors.GatedRepoError) for cause in causes(error)):
        return (
            f"{model} is gated: accept its licence on https://huggingface.co/{model} and log in "
            f"with `hf auth login`, or take --dino-model {OPEN_MODEL}, which is open"
        )
    reason = about_the_hub(error) or f"{type(error).__name__}: {first_line(error)}"
    return f"{model} cannot be loaded: {reason}; --dino-model takes another, such as {OPEN_MODEL}"
