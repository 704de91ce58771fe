"""What groups list of their commands before they are loaded is what the commands say themselves."""

from __future__ import annotations

import pytest

from pcc_tui.cli.commands import COMMANDS, GROUPS
from tests.conftest import Pcc
from tests.support.commands import every_command


def test_every_group_lists_its_commands() -> None:
    assert [*COMMANDS] == ["pcc", *GROUPS]


def test_every_command_can_be_loaded_and_its_line_is_its_own() -> None:
    loaded = every_command()
    for group, listed in COMMANDS.items():
        for name, listing in listed.items():
            command = loaded[f"{group} {name}".removeprefix("pcc ")]
            assert (command.name, command.help.split("\n\n")[0]) == (name, listing.line)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["repot"], "No such command 'repot'. Did you mean 'report'?"),
        (["dataset", "enrih"], "No such command 'enrih'. Did you mean 'enrich'?"),
        (["journal", "xyz"], "No such command 'xyz'."),
    ],
)
def test_an_unknown_command_is_a_usage_error(arguments: list[str], told: str, pcc: Pcc) -> None:
    done = pcc(*arguments)

    assert done.returncode == 64
    assert done.stderr == f"pcc: {told}; see `pcc --help`\n"
