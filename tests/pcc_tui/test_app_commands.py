"""The commands that the app starts: `pcc` itself must understand each of them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import typer

from pcc_tui.cli.main import app
from pcc_tui.desks.commands import Commands, in_words
from pcc_tui.workspace import Workspace
from pipeline.captions.plan import Selection

Make = Callable[[Commands], list[str]]

EVERYTHING = Selection(frozenset({"error_model", "error_api"}), "openai", stale=True, force=True)

COMMANDS: dict[str, tuple[Make, str, dict[str, Any]]] = {
    "run": (
        lambda commands: commands.run(EVERYTHING, retry_list=Path("a list"), backend="mock"),
        "run",
        {
            "retry_status": "error_api,error_model",
            "retry_backend": "openai",
            "retry_stale": True,
            "force": True,
            "retry_list": Path("a list"),
            "backend": "mock",
            "restart_every": 7,
        },
    ),
    "try_photo": (
        lambda commands: commands.try_photo("local", "m/x", "int4"),
        "try",
        {"backend": "local", "model": "m/x", "quantize": "int4"},
    ),
    "cluster": (Commands.cluster, "cluster", {}),
    "report": (Commands.report, "report", {}),
    "enrich": (
        lambda commands: commands.enrich(["t5", "caption"], dry_run=True),
        "dataset enrich",
        {"pass_filter": "t5,caption", "dry_run": True, "yes": True},
    ),
    "verify": (Commands.verify, "dataset verify", {}),
    "shards": (Commands.shards, "dataset shards", {"with_patches": True}),
    "generate": (
        lambda commands: commands.generate("12"),
        "synth generate",
        {"num_images": 12, "yes": True},
    ),
    "validate": (
        lambda commands: commands.validate(Path("a set")),
        "synth validate",
        {"directory": Path("a set")},
    ),
    "ingest": (
        lambda commands: commands.ingest(("detect", "ocr")),
        "ingest run",
        {"stages": "detect,ocr"},
    ),
    "import_cache": (
        lambda commands: commands.import_cache(Path("a database")),
        "ingest import",
        {"db": Path("a database")},
    ),
}


def parsed(arguments: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Return the command that `pcc` would run, and its parameters."""
    command: Any = typer.main.get_command(app)
    name, rest, above = "pcc", [*arguments], None
    chain: list[str] = []
    while True:
        above = command.make_context(name, rest, parent=above)
        if not hasattr(command, "resolve_command"):
            return " ".join(chain), above.params
        rest = [*above._protected_args, *above.args]
        name, command, rest = command.resolve_command(above, rest)
        chain.append(name)


@pytest.mark.parametrize("method", COMMANDS)
def test_the_parser_takes_what_the_app_writes(workspace: Path, tmp_path: Path, method: str) -> None:
    (workspace / "pcc.toml").write_text("restart_every = 7\n")
    (workspace / "dinov3_patches").mkdir()
    place = Workspace(workspace, tmp_path / "my photos", tmp_path / "my journal.jsonl")
    make, command, expected = COMMANDS[method]
    arguments = make(Commands(place))

    name, parameters = parsed([*arguments, "--json"])

    assert name == command
    assert parameters["json"] is True
    for option, value in expected.items():
        given = parameters[option]
        assert type(value)(given) == value, option
    if "workspace" in parameters and method != "validate":
        assert Path(parameters["workspace"]) == workspace
    if parameters.get("photos_dir") is not None:
        assert Path(parameters["photos_dir"]) == tmp_path / "my photos"
        assert Path(parameters["captions_jsonl"]) == tmp_path / "my journal.jsonl"
    assert shlex.split(in_words(arguments)) == ["pcc", *arguments]


def test_every_command_of_the_app_is_parsed_above() -> None:
    assert {name for name in vars(Commands) if not name.startswith("_")} == COMMANDS.keys()


def test_what_no_flag_and_no_setting_names_is_left_to_the_command(workspace: Path) -> None:
    arguments = Commands(Workspace(workspace)).run()

    assert arguments[:4] == ["run", "--workspace", str(workspace), "--run-id"]
    assert len(arguments) == 5
