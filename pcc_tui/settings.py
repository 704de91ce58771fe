"""What a user has set: flags beat the environment, the environment beats files.

Files of the workspace: `config.env` for keys and `PHOTOS_DIR`, `pcc.toml` for
choices, `prices.toml` for prices of one's own.
"""

from __future__ import annotations

import difflib
import math
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from backends.base import MOST_TOKENS_OUT, Dtype, Options, Quantization
from backends.keys import KEY_ENDING, KEY_NAMES, is_key_name, remember
from backends.prices import OWN_PRICES
from backends.prompts import DEFAULT_PROMPT
from journal import SETTINGS_BYTES, FileRefused, read_whole, what_failed
from pcc_tui.errors import SettingsError
from pcc_tui.toml import change_toml, read_toml
from pcc_tui.words.commands import NO_SERVER, shell_words
from pipeline.captions.last_captioner import LastCaptioner, last_captioner

MOST_WORKERS = 1024
MOST_TOKENS = 32_768
"""Most calls in flight, or photos of a batch: beyond this number only memory grows."""

UsdPerMillion = Annotated[float, msgspec.Meta(ge=0, le=1_000_000)]

DEFAULT_BACKEND = "basic"
"""What captions where nobody names a backend and nobody has captioned yet."""

OTHER_NAMES = ("PHOTOS_DIR", "PCC_REQUEST_TIMEOUT")


class Choices(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What `pcc.toml` may hold.

    Attributes:
        photos_dir: The photos directory.
        backend: Name of the backend. Empty in a file that names none; `load_settings` puts there
            who captioned the workspace last, or the default.
        model: Model id.
        prompt: The instruction that goes with each picture.
        base_url: Another server for an API backend.
        max_workers: Most calls in flight.
        batch_size: Photos of a batch.
        max_edge: Longest side of a picture that is sent, in pixels.
        max_tokens: Most tokens of an answer.
        detail: How closely an API looks at a picture.
        quantize: Bits of the weights of a local model.
        dtype: Number format of a local model.
        device: Where a local model runs.
        revision: Commit, tag or branch of a local model's repository.
        embedder: Name of the embedder, None for what suits this machine.
        dino_model: Id or directory of the DINO that datasets are enriched with.
        t5_model: Id or directory of the T5 tokenizer.
        restart_every: Photos after which the app lets a new process go on; None or 0 for never.
    """

    photos_dir: str | None = None
    backend: str = ""
    model: str | None = None
    prompt: str = DEFAULT_PROMPT
    base_url: str | None = None
    max_workers: Annotated[int, msgspec.Meta(ge=1, le=MOST_WORKERS)] | None = None
    batch_size: Annotated[int, msgspec.Meta(ge=1, le=MOST_WORKERS)] | None = None
    max_edge: Annotated[int, msgspec.Meta(ge=64, le=2048)] | None = None
    max_tokens: Annotated[int, msgspec.Meta(ge=16, le=MOST_TOKENS)] = MOST_TOKENS_OUT
    detail: Literal["low", "high", "auto"] | None = None
    quantize: Quantization | None = None
    dtype: Dtype | None = None
    device: str | None = None
    revision: str | None = None
    embedder: str | None = None
    dino_model: str | None = None
    t5_model: str | None = None
    restart_every: Annotated[int, msgspec.Meta(ge=0)] | None = None


class Settings(msgspec.Struct, kw_only=True):
    """Everything that flags may still override.

    Attributes:
        choices: What `pcc.toml` holds, and the backend that captioned last where it names none.
        names_backend: Whether `pcc.toml` names the backend.
        recalled: Who captioned the workspace last, where that decides the backend; else None.
        photos_dir: The photos directory, from the environment or a file; None if unset.
        keys: API keys by variable name.
        prices: USD for a million tokens `(in, out)` by model.
        prices_as_of: The day on which the prices were last changed.
        request_timeout: Seconds one request may take, None for the default.
        warnings: Sentences the user should read.
    """

    choices: Choices
    names_backend: bool = False
    recalled: LastCaptioner | None = None
    photos_dir: Path | None
    keys: dict[str, str]
    prices: dict[str, tuple[float, float]]
    prices_as_of: str | None
    request_timeout: float | None
    warnings: list[str]

    def recalled_options(self) -> dict[str, tuple[str, ...]]:
        """Return the options that name who captioned last, where that decides the backend."""
        last = self.recalled
        if last is None:
            return {}
        server = last.base_url if last.server_known else NO_SERVER
        said = {"--backend": last.backend, "--model": last.model, "--base-url": server}
        return {name: (value,) for name, value in said.items() if value}

    def options(self, backend: str | None = None, **given: Any) -> Options:
        """Return what a backend is told; a given value that is not None wins over a setting.

        Args:
            backend: Name of the backend, None for the chosen one. Model, server and revision
                were chosen for the chosen backend, and another is not told of them.
            given: Fields of `Options`.
        """
        choices = self.choices
        if backend not in (None, choices.backend):
            choices = msgspec.structs.replace(choices, model=None, base_url=None, revision=None)
        values: dict[str, Any] = {
            "prompt": choices.prompt,
            "model": choices.model,
            "workers": choices.max_workers,
            "batch_size": choices.batch_size,
            "base_url": choices.base_url,
            "max_edge": choices.max_edge,
            "max_tokens": choices.max_tokens,
            "detail": choices.detail,
            "quantize": choices.quantize,
            "dtype": choices.dtype,
            "device": choices.device,
            "revision": choices.revision,
            "keys": self.keys,
            "prices": self.prices,
            "prices_as_of": self.prices_as_of,
            "request_timeout": self.request_timeout,
        }
        values |= {name: value for name, value in given.items() if value is not None}
        return Options(**values)


def load_settings(
    workspace: Path, environment: Mapping[str, str] = os.environ, journal: Path | None = None
) -> Settings:
    """Read the settings of a workspace.

    Args:
        workspace: The directory of the workspace.
        environment: The variables of the environment.
        journal: The captions journal, None for the usual place.

    Raises:
        SettingsError: a file cannot be read, or holds what it should not.
    """
    warnings: list[str] = []
    choices = read_toml(workspace / "pcc.toml", Choices) or Choices()
    names_backend, recalled = bool(choices.backend), None
    if not names_backend:
        recalled = last_captioner(workspace, journal or workspace / "captions.jsonl")
        choices = _with_backend(choices, recalled)
    values = {**_read_env_file(workspace / "config.env", warnings), **environment}
    warnings += _likely_typos(values)
    photos_dir = values.get("PHOTOS_DIR") or choices.photos_dir
    return Settings(
        choices=choices,
        names_backend=names_backend,
        recalled=recalled,
        photos_dir=Path(photos_dir).expanduser() if photos_dir else None,
        keys={
            name: remember(value.strip())
            for name, value in values.items()
            if value and is_key_name(name)
        },
        prices=_own_prices(workspace / OWN_PRICES),
        prices_as_of=_last_change(workspace / OWN_PRICES),
        request_timeout=_seconds(values.get("PCC_REQUEST_TIMEOUT")),
        warnings=warnings,
    )


def photos_dirs_of(workspace: Path, environment: Mapping[str, str] = os.environ) -> list[Path]:
    """Return every photos directory that a workspace or the environment names.

    A settings file that cannot be read names none; whoever needs the settings is told why.
    """
    found = [environment.get("PHOTOS_DIR")]
    with suppress(SettingsError):
        found.append(_read_env_file(workspace / "config.env", []).get("PHOTOS_DIR"))
    with suppress(SettingsError):
        found.append((read_toml(workspace / "pcc.toml", Choices) or Choices()).photos_dir)
    return [Path(directory).expanduser() for directory in filter(None, found)]


def _with_backend(choices: Choices, recalled: LastCaptioner | None) -> Choices:
    """Return choices with a backend: who captioned last, else the default."""
    if recalled is None:
        return msgspec.structs.replace(choices, backend=DEFAULT_BACKEND)
    return msgspec.structs.replace(
        choices,
        backend=recalled.backend,
        model=choices.model or recalled.model,
        base_url=choices.base_url or recalled.base_url,
    )


def _own_prices(path: Path) -> dict[str, tuple[float, float]]:
    prices = read_toml(path, dict[str, tuple[UsdPerMillion, UsdPerMillion]]) or {}
    for model, pair in prices.items():
        if not all(map(math.isfinite, pair)):
            raise SettingsError(f"{path}: the price of {model} is no number")
    return prices


def _last_change(path: Path) -> str | None:
    try:
        return date.fromtimestamp(path.stat().st_mtime).isoformat()
    except OSError:
        return None


def save_choices(workspace: Path, changes: Mapping[str, object]) -> None:
    """Set some choices in `pcc.toml` of a workspace; None takes a choice back.

    Raises:
        SettingsError: the file cannot be changed, or a value is wrong.
    """
    change_toml(workspace / "pcc.toml", changes, Choices)


def _read_env_file(path: Path, warnings: list[str]) -> dict[str, str]:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return {}
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        mend = shell_words(["chmod", "600", str(path)])
        warnings.append(f"{path} can be read by others; mend it with: {mend}")
    from dotenv import dotenv_values

    try:
        text = read_whole(path, SETTINGS_BYTES).decode("utf-8")
    except OSError as error:
        raise SettingsError(f"the keys cannot be read: {what_failed(error)}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None
    except FileRefused as error:
        raise SettingsError(str(error)) from None
    if "\0" in text:
        raise SettingsError(f"{path} cannot be read: a NUL, which is in no path and in no key")
    # A value may name others, and thirty lines would make a gigabyte of that.
    found = dotenv_values(stream=StringIO(text), interpolate=False)
    values = {name: value for name, value in found.items() if value is not None}
    if "PHOTOS_DIR" in values:
        values["PHOTOS_DIR"] = os.path.expandvars(values["PHOTOS_DIR"])
    return values


def _likely_typos(values: Mapping[str, str]) -> list[str]:
    """Return a hint for each variable whose name looks like a misspelt name of a setting."""
    hints = []
    for name in values:
        if name in (*KEY_NAMES, *OTHER_NAMES) or not name.endswith(("_KEY", "_DIR")):
            continue
        near = _nearest_name(name)
        if near is not None and near not in values:
            hints.append(f"{name} is set and {near} is not; a typo?")
    return hints


def _nearest_name(name: str) -> str | None:
    """Return the name of a setting that a variable may have been meant to have.

    Names of keys are compared without the ending that they all share: every `HOME_API_KEY` of a
    backend of somebody else's would look like one of ours otherwise.
    """
    ending = KEY_ENDING if is_key_name(name) else ""
    names = KEY_NAMES if ending else (*KEY_NAMES, *OTHER_NAMES)
    told = [each.removesuffix(ending) for each in names]
    near = difflib.get_close_matches(name.removesuffix(ending), told, n=1, cutoff=0.75)
    return near[0] + ending if near else None


def _seconds(text: str | None) -> float | None:
    try:
        seconds = float(text) if text else None
    except ValueError:
        seconds = -1.0
    if seconds is not None and not seconds > 0:
        raise SettingsError(f"PCC_REQUEST_TIMEOUT is {text!r}, not a number of seconds above 0")
    return seconds
