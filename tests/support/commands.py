"""The commands of `pcc` with their options, for tests that go through all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from pcc_tui.cli.lazy import ListedCommand
from pcc_tui.cli.main import app


def every_command() -> dict[str, Any]:
    """Return all commands and groups, loaded, by name such as `dataset enrich`; `pcc` is ``."""
    return dict(_below(typer.main.get_command(app), ""))


def _below(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    yield name, command
    for word, listed in getattr(command, "commands", {}).items():
        each = listed.load() if isinstance(listed, ListedCommand) else listed
        yield from _below(each, f"{name} {word}".strip())
