"""Processors of image-text-to-text models, with torchvision or without.

Transformers reads still pictures with Pillow where torchvision is missing, but its
video processors know torchvision alone, and a processor with one does not load at
all. Photos need none, so a stand-in takes its place.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backends.hub import require_sound_torchvision

VIDEO = "video_processor"


def load_processor(
    model: str, *, revision: str | None = None, trust_remote_code: bool = False
) -> Any:
    """Return the processor of a model, whose tokenizer pads on the left.

    Args:
        model: A directory, or an id on the model hub.
        revision: Commit, tag or branch on the hub, None for its main branch.
        trust_remote_code: Whether code that comes with the model may run.

    Raises:
        SetupError: the installed torchvision is broken.
    """
    require_sound_torchvision()
    from transformers import AutoProcessor
    from transformers.utils.import_utils import is_torchvision_available

    source: dict[str, Any] = {"revision": revision} if revision else {}
    loader: Any = AutoProcessor
    if not is_torchvision_available():
        named = _processor_class(model, source, trust_remote_code)
        if named is not None and VIDEO in named.get_attributes():
            loader = _without_video(named)
    processor = loader.from_pretrained(model, trust_remote_code=trust_remote_code, **source)
    # Text goes on after the last token, which must not be padding.
    getattr(processor, "tokenizer", processor).padding_side = "left"
    return processor


def _processor_class(model: str, source: dict[str, Any], trust_remote_code: bool) -> Any:
    """Return the class that AutoProcessor would load, None if the model brings its own."""
    from transformers import AutoConfig
    from transformers.models.auto.processing_auto import (
        PROCESSOR_MAPPING,
        processor_class_from_name,
    )

    for settings in _saved_settings(model, source):
        if trust_remote_code and "AutoProcessor" in settings.get("auto_map", {}):
            return None
        if name := settings.get("processor_class"):
            return processor_class_from_name(name)
    config = AutoConfig.from_pretrained(model, trust_remote_code=trust_remote_code, **source)
    return PROCESSOR_MAPPING.get(type(config), None)


def _saved_settings(model: str, source: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what the files hold that may name a processor class, in AutoProcessor's order."""
    from transformers.utils import FEATURE_EXTRACTOR_NAME, PROCESSOR_NAME, VIDEO_PROCESSOR_NAME
    from transformers.utils.hub import cached_file

    names = (PROCESSOR_NAME, FEATURE_EXTRACTOR_NAME, VIDEO_PROCESSOR_NAME, "tokenizer_config.json")
    for name in names:
        path = cached_file(
            model,
            name,
            **source,
            _raise_exceptions_for_gated_repo=False,
            _raise_exceptions_for_missing_entries=False,
            _raise_exceptions_for_connection_errors=False,
        )
        if path:
            yield json.loads(Path(path).read_text("utf-8"))


class _NoVideo(dict[str, Any]):
    """Stands in for a video processor: has every setting, each of them None.

    It is a dictionary because processors write themselves out as JSON.
    """

    model_input_names: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)


def _without_video(processor_class: Any) -> Any:
    """Return a processor class that loads without a video processor.

    The attribute stays, with the stand-in in it: constructors want it by position or
    by name, and templates read its settings.
    """
    attributes: list[str] = processor_class.get_attributes()

    def checked(self: Any, name: str, part: Any) -> Any:
        if name == VIDEO:
            return type(part)
        return processor_class.check_argument_for_proper_class(self, name, part)

    def filled(_: Any, parts: list[Any], settings: dict[str, Any], /, **options: Any) -> Any:
        parts.insert(attributes.index(VIDEO), _NoVideo())
        return complete.from_args_and_dict(parts, settings, **options)

    def loaded(_: Any) -> list[str]:
        return [name for name in attributes if name != VIDEO]

    name = processor_class.__name__
    complete: Any = type(name, (processor_class,), {"check_argument_for_proper_class": checked})
    methods = {"get_attributes": classmethod(loaded), "from_args_and_dict": classmethod(filled)}
    return type(name, (processor_class,), methods)
