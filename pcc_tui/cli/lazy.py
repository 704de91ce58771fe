"""Groups that import a command when it is called, and not before.

Whoever calls one command, or asks for the help, would otherwise wait for the imports of all. So a
group is made of what `commands` tells of them, which is enough for its help and for suggestions.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from pcc_tui.cli.commands import COMMANDS, Listing


class ListedCommand(TyperCommand):
    """A command as its group lists it: with a name and a line of help, but no options yet."""

    def __init__(self, name: str, listing: Listing) -> None:
        super().__init__(name, help=listing.line)
        self._listing = listing

    def load(self) -> Any:
        """Import the module, and return the command that is called in place of this one."""
        module = import_module(self._listing.module)
        app = typer.Typer(add_completion=False)
        app.command(self.name)(getattr(module, self._listing.function))
        return typer.main.get_command(app)


class LazyGroup(TyperGroup):
    """A group of the commands that `COMMANDS` lists under its name, and of groups below it."""

    def __init__(self, *, name: str, commands: dict[str, Any], **attributes: Any) -> None:
        listed = {word: ListedCommand(word, each) for word, each in COMMANDS[name].items()}
        super().__init__(name=name, commands={**listed, **commands}, **attributes)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command that is called: the one place where a module is imported for it."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, ListedCommand) else command, rest
