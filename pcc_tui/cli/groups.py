"""Options that belong together are declared once, as a dataclass that commands take.

Every command goes through here, so this is also the one place that expands `~` in a path. Shells
do that at the beginning of a word alone: not in `--photos-dir=~/Pictures`, and not for `make`.
It is the one place, too, that tells `origin` which command runs and what stands on its line, and
that protects the photos from whatever the command writes.
"""

from __future__ import annotations

import dataclasses
import inspect
import os
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import Any, get_type_hints

import typer

from journal import named_directory, protect
from pcc_tui.cli.origin import begin
from pcc_tui.settings import photos_dirs_of

CommandFunction = Callable[..., Any]

_CONTEXT = inspect.Parameter(
    "typer_context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context
)
"""What Typer tells a command of its line, for commands that do not ask themselves."""


def takes_groups(command: CommandFunction) -> CommandFunction:
    """Let parameters of a Typer command be dataclasses, each standing for its fields.

    Typer reads the signature of a function, so the fields are put there in place
    of their dataclass; when the command is called, the fields are gathered again.
    """
    signature = inspect.signature(command, eval_str=True)
    annotations: dict[str, Any] = {
        parameter.name: parameter.annotation for parameter in signature.parameters.values()
    }
    groups: dict[str, Any] = {
        name: kind for name, kind in annotations.items() if dataclasses.is_dataclass(kind)
    }
    flat: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        if parameter.name in groups:
            flat += _fields_of(groups[parameter.name])
        else:
            flat.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))

    has_context = any(kind is typer.Context for kind in annotations.values())
    if not has_context:
        flat.append(_CONTEXT)

    @wraps(command)
    def gathered(**values: Any) -> Any:
        begin(values["context"] if has_context else values.pop(_CONTEXT.name))
        for name, value in values.items():
            if isinstance(value, Path):
                # A home that is not there stays as it was written, to be named in the error.
                path = Path(os.path.expanduser(value))  # noqa: PTH111
                values[name] = path if name == "photos_dir" else named_directory(path)
        _protect_photos(values)
        for name, group in groups.items():
            fields = dataclasses.fields(group)
            values[name] = group(**{field.name: values.pop(field.name) for field in fields})
        return command(**values)

    gathered.__signature__ = signature.replace(parameters=flat)  # type: ignore[attr-defined]
    gathered.__annotations__ = {parameter.name: parameter.annotation for parameter in flat}
    return gathered


def _protect_photos(values: dict[str, Any]) -> None:
    """Have this process write nothing where a flag, the environment or a file says photos are."""
    workspace = values.get("workspace") or values.get("directory") or Path()
    flag = values.get("photos_dir")
    for directory in filter(None, (flag, *photos_dirs_of(workspace))):
        protect(directory)


def show_help(context: typer.Context) -> None:
    """Show the help of a group of commands when none of them is given."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@cache  # most groups are taken by many commands
def _fields_of(group: Any) -> list[inspect.Parameter]:
    """Return the fields as parameters, under the group's own heading in the help."""
    hints = get_type_hints(group, include_extras=True)
    heading = group.__doc__.partition(".")[0]
    for hint in hints.values():
        for info in getattr(hint, "__metadata__", ()):
            info.rich_help_panel = heading
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=(
                inspect.Parameter.empty if field.default is dataclasses.MISSING else field.default
            ),
            annotation=hints[field.name],
        )
        for field in dataclasses.fields(group)
    ]
