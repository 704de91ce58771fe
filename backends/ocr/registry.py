"""Which OCR engines there are: ours, and those of any installed package."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from backends.embedders.base import first_line
from backends.errors import SetupError
from backends.ocr.base import OcrEngine, OcrOptions

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "pcc.ocr"

BUILT_IN = {"rapidocr": "backends.ocr.rapid:RapidOcr"}

DEFAULT = "rapidocr"


def ocr_names() -> list[str]:
    """Return the names of all engines, ours first."""
    return [*BUILT_IN, *(entry.name for entry in _plugins())]


def make_ocr(name: str = DEFAULT, options: OcrOptions | None = None) -> OcrEngine:
    """Return an engine, made but not yet open.

    Raises:
        SetupError: there is none of that name, or it cannot be imported.
        ValueError: an option is out of range.
    """
    return _ocr_class(name)(options or OcrOptions())


def _ocr_class(name: str) -> type[OcrEngine]:
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        found: type[OcrEngine] = getattr(import_module(module), attribute)
        return found
    for entry in _plugins():
        if entry.name == name:
            return _load(entry)
    raise SetupError(f"there is no OCR engine {name!r}; there are: {', '.join(ocr_names())}")


def _plugins() -> Iterator[EntryPoint]:
    from importlib.metadata import entry_points  # 10 ms, and our own engine needs none of it

    return (entry for entry in entry_points(group=GROUP) if entry.name not in BUILT_IN)


def _load(entry: EntryPoint) -> type[OcrEngine]:
    try:
        loaded = entry.load()
    except Exception as error:
        raise SetupError(
            f"the OCR engine {entry.name} ({entry.value}) does not load: {first_line(error)}"
        ) from error
    if not (isinstance(loaded, type) and issubclass(loaded, OcrEngine)):
        raise SetupError(f"the OCR engine {entry.name} ({entry.value}) is no subclass of OcrEngine")
    return loaded
