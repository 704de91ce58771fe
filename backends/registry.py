"""Which captioning backends there are: ours, and those of any installed package."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from backends.base import Captioner, Options
from backends.errors import SetupError
from backends.installation import extra_line

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "pcc.backends"

BUILT_IN = {
    "basic": "backends.captioners.basic:BasicCaptioner",
    "mock": "backends.captioners.mock:MockCaptioner",
    "local": "backends.captioners.local:LocalCaptioner",
    "openai": "backends.captioners.openai:OpenAICaptioner",
    "anthropic": "backends.captioners.anthropic:AnthropicCaptioner",
    "gemini": "backends.captioners.gemini:GeminiCaptioner",
    "xai": "backends.captioners.xai:XaiCaptioner",
}

EXTRAS = {"local": "local", "openai": "api", "anthropic": "api", "gemini": "api", "xai": "api"}
"""The extra of this package that a backend needs."""

EXTRA_PACKAGES = {
    "api": ("anthropic", "genai-prices", "google-genai", "openai", "tenacity"),
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


def backend_names() -> list[str]:
    """Return the names of all backends, ours first."""
    return [*BUILT_IN, *(entry.name for entry in _plugins())]


def backend_class(name: str) -> type[Captioner]:
    """Return the class of a backend by its name.

    Raises:
        SetupError: there is none of that name, or it cannot be imported.
    """
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        with _naming_the_extra(name):
            found: type[Captioner] = getattr(import_module(module), attribute)
        return found
    for entry in _plugins():
        if entry.name == name:
            return _load(entry)
    names = backend_names()
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {near[0]}" if near else ""
    raise SetupError(f"there is no backend {name!r}{hint}? There are: {', '.join(names)}")


def make_backend(name: str, options: Options) -> Captioner:
    """Return a backend, made but not yet opened.

    Raises:
        SetupError: it cannot be made; the message says what mends it.
    """
    kind = backend_class(name)
    with _naming_the_extra(name):
        return kind(options)


def missing_extra(name: str) -> str | None:
    """Return the line that installs what a backend needs, None if it is there."""
    extra = EXTRAS.get(name)
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


@contextmanager
def _naming_the_extra(name: str) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        extra = EXTRAS.get(name)
        mend = extra_line(extra) if extra else "install what that package asks for"
        raise SetupError(f"the backend {name} needs the module {error.name}: {mend}") from None


def _plugins() -> Iterator[EntryPoint]:
    from importlib.metadata import entry_points  # 10 ms, and our own backends need none of it

    return (entry for entry in entry_points(group=GROUP) if entry.name not in BUILT_IN)


def _load(entry: EntryPoint) -> type[Captioner]:
    try:
        loaded = entry.load()
    except Exception as error:
        raise SetupError(
            f"the backend {entry.name} ({entry.value}) does not load: {error}"
        ) from error
    if not (isinstance(loaded, type) and issubclass(loaded, Captioner)):
        raise SetupError(f"the backend {entry.name} ({entry.value}) is no subclass of Captioner")
    return loaded
