"""From a model's id to a model that is ready, or to a sentence that says what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from backends.base import Dtype, Loading, Quantization
from backends.errors import SetupError
from backends.hardware import (
    choose_device,
    choose_dtype,
    cpu_notice,
    free_memory,
    is_out_of_memory,
    torch_dtype,
)
from backends.hub import about_the_hub, lacks_safetensors
from backends.local_captioner.messages import Load
from backends.local_captioner.meters import Tell, meter_class
from backends.local_captioner.models import BITS, find_model, native_id
from backends.local_captioner.processors import load_processor

INT4_SHARE = 0.45
"""Share of the bytes at 16 bits, with four fifths of the weights in nf4, the rest unchanged."""

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
        load: Which model was asked for, and in which form.
        tell: Called with how far the loading is.

    Raises:
        SetupError: the model cannot be loaded; the message says what mends that.
        Exception: a library cannot load the model; `explain` turns that into a sentence.
    """
    tell(Loading("importing torch"))
    device = choose_device(load.device)
    notices = list(filter(None, [cpu_notice(device) if load.device is None else None]))
    config = _load_config(load)
    processor = load_processor(
        load.model, revision=load.revision, trust_remote_code=load.trust_remote_code
    )
    chosen = _choose_format(load, device, notices)
    model = _load_weights(load, config, device, chosen, tell)
    return LoadedModel(model, processor, device, notices)


def _load_config(load: Load) -> Any:
    """Return the model's configuration; refuse a model that does not caption pictures."""
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


def _load_weights(load: Load, config: Any, device: str, chosen: _Format, tell: Tell) -> Any:
    from transformers import AutoModelForImageTextToText
    from transformers.utils import logging

    meter = meter_class(tell)
    dtype = torch_dtype(chosen.dtype)
    options: dict[str, Any] = {"device_map": {"": device}}
    if chosen.quantize != "none":
        options["quantization_config"] = _quantization(config, chosen.quantize, dtype)
    previous = logging.set_tqdm_hook(lambda _, arguments, given: meter(*arguments, **given))
    try:
        model = AutoModelForImageTextToText.from_pretrained(
            load.model,
            revision=load.revision,
            trust_remote_code=load.trust_remote_code,
            dtype=dtype,
            use_safetensors=True,
            tqdm_class=meter,
            **options,
        )
    finally:
        logging.set_tqdm_hook(previous)
    return model.eval()


def _quantization(config: Any, quantize: Quantization, dtype: Any) -> Any:
    """Return how bitsandbytes packs the weights; what sees the picture stays as it is.

    Packing the vision tower would save little, and cost detail.
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


class _Format(msgspec.Struct, frozen=True):
    """How the weights stand in memory."""

    quantize: Quantization
    dtype: Dtype


def _choose_format(load: Load, device: str, notices: list[str]) -> _Format:
    """Return what was asked for, or else what the hardware does best, or else what fits.

    Raises:
        SetupError: nothing fits into the memory.
    """
    size = weight_bytes(load.model)  # at 16 bits
    best = choose_dtype(load.dtype, device)
    if load.quantize is not None or size is None:
        return _Format(load.quantize or "none", best)
    room = free_memory(device) - ROOM_FOR_ONE_PHOTO
    choices = [_Format("none", best)]
    if load.dtype is None and best == "float32":
        choices.append(_Format("none", "bfloat16"))
    if not device.startswith("mps"):  # bitsandbytes has no kernels for Metal
        choices.append(_Format("int4", choices[-1].dtype))
    for choice in choices:
        if _bytes_of(size, choice) <= room:
            break
    else:
        raise SetupError(too_large(load, device))
    if choice != choices[0]:
        how = choice.quantize if choice.quantize != "none" else choice.dtype
        notices.append(
            f"{load.model} does not fit as it is into the {room / 1e9:.1f} GB that are free; "
            f"it is loaded in {how}"
        )
    return choice


def _bytes_of(size: int, chosen: _Format) -> float:
    if chosen.quantize == "int4":
        return INT4_SHARE * size
    return size * 2 if chosen.dtype == "float32" else size


def weight_bytes(model: str) -> int | None:
    """Return the bytes of a model's weights as they were saved, None where that is not known."""
    if Path(model).is_dir():
        return sum(path.stat().st_size for path in Path(model).glob("*.safetensors")) or None
    known = find_model(model)
    return None if known is None else round(known.gigabytes(16) * 1e9)


def explain(error: Exception, load: Load) -> str:
    """Return what an error means for whoever asked for a model, and what mends it."""
    text = " ".join(str(error).split())
    if isinstance(error, SetupError):
        return text
    if is_out_of_memory(error):
        return too_large(load, load.device or choose_device(None))
    if isinstance(error, ImportError):
        return f"{load.model} needs a package that is missing: {text[:300]}"
    if about := _about_the_model(text):
        return f"{load.model} {about}"
    reason = about_the_hub(error) or f"{type(error).__name__}: {text[:300]}"
    return f"{load.model} cannot be loaded: {reason}"


def _about_the_model(text: str) -> str | None:
    """Return what is wrong with a model by what Transformers says of it, None if that is new."""
    if "trust_remote_code" in text:
        return (
            "is code of its own, not native to Transformers. It runs only with "
            "--trust-remote-code and --revision COMMIT, after you have read that code"
        )
    if lacks_safetensors(text):
        return "has no safetensors, and other weights are not loaded"
    if "does not recognize this architecture" in text or "Unrecognized" in text:
        return (
            "is not native to this Transformers; a newer one may know it, and "
            "docs/self_hosted_models.md lists models that load"
        )
    return None


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
