"""From a model's id to a model that is ready, or to a sentence that says what to do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from backends.base import Loading, Quantization
from backends.errors import SetupError
from backends.local.hardware import (
    choose_device,
    choose_dtype,
    cpu_notice,
    free_memory,
    is_out_of_memory,
    torch_dtype,
)
from backends.local.messages import Load
from backends.local.meters import Tell, meter_class
from backends.local.models import BITS, find_model, native_id
from backends.local.processors import load_processor

ROOM_FOR_ONE_PHOTO = 1 << 30
"""Bytes that a picture and its answer take beside the weights, at the least."""


class LoadedModel(msgspec.Struct):
    """A model with its processor, where it runs, and what the user should know of it."""

    model: Any
    processor: Any
    device: str
    notices: list[str]


def load_model(load: Load, tell: Tell) -> LoadedModel:
    """Load a model as asked for.

    Args:
        load: What was asked for.
        tell: Gets to know how far it is.

    Raises:
        SetupError: it cannot be loaded; the message says what mends it.
    """
    tell(Loading("importing torch"))
    device = choose_device(load.device)
    notices = list(filter(None, [cpu_notice(device) if load.device is None else None]))
    try:
        config = _load_config(load)
        processor = load_processor(
            load.model, revision=load.revision, trust_remote_code=load.trust_remote_code
        )
        quantize = load.quantize or _choose_quantization(load, device, notices)
        model = _load_weights(load, config, device, quantize, tell)
    except SetupError:
        raise
    except Exception as error:
        raise SetupError(explain(error, load, device)) from error
    return LoadedModel(model, processor, device, notices)


def _load_config(load: Load) -> Any:
    """Return the model's configuration, if it is one of an image-text-to-text model."""
    from transformers import AutoConfig
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING

    config = AutoConfig.from_pretrained(
        load.model, revision=load.revision, trust_remote_code=load.trust_remote_code
    )
    if type(config) not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING and not load.trust_remote_code:
        raise SetupError(
            f"{load.model} is a {config.model_type}, which does not caption pictures; "
            "docs/self_hosted_models.md lists models that do"
        )
    return config


def _load_weights(load: Load, config: Any, device: str, quantize: Quantization, tell: Tell) -> Any:
    from transformers import AutoModelForImageTextToText
    from transformers.utils import logging

    meter = meter_class(tell)
    dtype = choose_dtype(load.dtype, device)
    options: dict[str, Any] = {"device_map": {"": device}}
    if quantize != "none":
        options["quantization_config"] = _quantization(config, quantize, torch_dtype(dtype))
    previous = logging.set_tqdm_hook(lambda _, arguments, given: meter(*arguments, **given))
    try:
        model = AutoModelForImageTextToText.from_pretrained(
            load.model,
            revision=load.revision,
            trust_remote_code=load.trust_remote_code,
            dtype=torch_dtype(dtype),
            use_safetensors=True,
            tqdm_class=meter,
            **options,
        )
    finally:
        logging.set_tqdm_hook(previous)
    return model.eval()


def _quantization(config: Any, quantize: Quantization, dtype: Any) -> Any:
    """Return how bitsandbytes packs the weights; what sees the picture stays as it is.

    It saves little to pack the vision tower, and costs detail.
    """
    from transformers import BitsAndBytesConfig

    skipped = [*_vision_modules(config), "lm_head"]
    if quantize == "int8":
        return BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=skipped)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=dtype,
        llm_int8_skip_modules=skipped,
    )


def _vision_modules(config: Any) -> list[str]:
    """Return the full names of all parts but the language model; no weights are made for it."""
    import torch
    from transformers import AutoModelForImageTextToText

    with torch.device("meta"):
        skeleton: Any = AutoModelForImageTextToText.from_config(config)
    parts = [name for name, _ in skeleton.model.named_children()]
    return [f"model.{name}" for name in parts if name != "language_model"]


def _choose_quantization(load: Load, device: str, notices: list[str]) -> Quantization:
    """Return no quantisation where the weights fit, else int4, which needs a CUDA card."""
    size = weight_bytes(load.model)
    if size is None or not device.startswith("cuda"):
        return "none"
    free = free_memory(device)
    if size + ROOM_FOR_ONE_PHOTO <= free:
        return "none"
    notices.append(
        f"{load.model} takes {size / 1e9:.1f} GB and {free / 1e9:.1f} GB are free: "
        "it is loaded in int4; --quantize says otherwise"
    )
    return "int4"


def weight_bytes(model: str) -> int | None:
    """Return the bytes of a model's weights as they were saved, None where that is not known."""
    if Path(model).is_dir():
        return sum(path.stat().st_size for path in Path(model).glob("*.safetensors")) or None
    known = find_model(model)
    return None if known is None else round(known.gigabytes(16) * 1e9)


def explain(error: Exception, load: Load, device: str) -> str:
    """Return what an error means for whoever asked for a model, and what mends it."""
    text = " ".join(str(error).split())
    if is_out_of_memory(error):
        return too_large(load, device)
    if isinstance(error, ImportError):
        return f"{load.model} needs a package that is missing: {text[:300]}"
    if "trust_remote_code" in text:
        return (
            f"{load.model} is code of its own, not native to Transformers. It runs only with "
            "--trust-remote-code and --revision COMMIT, after you have read that code"
        )
    if "safetensors" in text:
        return f"{load.model} has no safetensors, and other weights are not loaded: {text[:200]}"
    if "does not recognize this architecture" in text or "Unrecognized" in text:
        return (
            f"{load.model} is not native to this Transformers; a newer one may know it, and "
            "docs/self_hosted_models.md lists models that load"
        )
    about = _about_the_hub(error) or f"{type(error).__name__}: {text[:300]}"
    return f"{load.model} cannot be loaded: {about}"


def _about_the_hub(error: Exception) -> str | None:
    """Return what went wrong with the hub, None if something else did.

    Transformers wraps what the hub's client raises, so the causes are looked through.
    """
    from huggingface_hub import errors

    causes = list(_causes(error))

    def is_any(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if is_any(errors.GatedRepoError):
        return "its page asks you to accept its licence first; then set HF_TOKEN to your hub token"
    if is_any(errors.RevisionNotFoundError):
        return "the hub has no such --revision of it"
    if is_any(errors.RepositoryNotFoundError, errors.HFValidationError):
        return "there is no such directory and no such model on the hub"
    if is_any(errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, ConnectionError):
        return (
            "the model hub cannot be reached and the model is not in the cache; download it where "
            f"there is a network and copy {os.environ.get('HF_HOME', '~/.cache/huggingface')}"
        )
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, what caused it, what caused that, and so on."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def too_large(load: Load, device: str) -> str:
    """Return what to say when there is too little memory for a model."""
    known = find_model(native_id(load.model))
    needs = ""
    if known is not None:
        sizes = [f"{known.gigabytes(bits):.1f} GB in {name}" for name, bits in BITS.items()]
        needs = f" It takes about {', '.join(sizes)}."
    return (
        f"{load.model} does not fit into the memory of {device}, of which "
        f"{free_memory(device) / 1e9:.1f} GB are free.{needs} "
        "Use --quantize int4, a smaller model, or end what else uses that memory"
    )
