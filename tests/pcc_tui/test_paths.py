"""Paths on the command line: `~` is the home directory, and a workspace is made where it is not."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pcc_tui.cli.main import app
from tests.conftest import CLEAN_ENVIRONMENT, PCC, Pcc
from tests.support.commands import every_command

CALLS = [
    (("journal", "check", "--captions-jsonl", "~/none.jsonl"), "none.jsonl"),
    (("plan", "--photos-dir=~/none"), "none"),
    (("plan", "--photos-dir", ".", "--retry-list", "~/none"), "none"),
    (("dataset", "verify", "~/none"), "none"),
    (("ingest", "status", "--cache", "~/none"), "none"),
    (("ingest", "import", "~/none", "--db", "~/none.sqlite"), "none"),
    (("synth", "validate", "~/none"), "none"),
]


@pytest.mark.parametrize(("arguments", "name"), CALLS, ids=lambda value: str(value))
def test_a_leading_tilde_is_the_home_directory(
    arguments: tuple[str, ...], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "my home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(app, arguments, prog_name="pcc")
    told = " ".join(f"{shown.output} {shown.exception}".split())

    assert shown.exit_code != 0
    assert str(home / name) in told
    assert "~" not in told


def test_the_demo_goes_to_the_home_directory(tmp_path: Path) -> None:
    (tmp_path / "Pictures").mkdir()
    done = subprocess.run(
        [*PCC, "demo", "~/demo", "--photos-dir=~/Pictures"],
        cwd=tmp_path,
        env={**CLEAN_ENVIRONMENT, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "demo").is_dir()


def test_a_home_that_is_not_there_is_named_as_it_was_written() -> None:
    shown = CliRunner().invoke(app, ["plan", "--photos-dir", "~nobody-of-this-name/x"])

    assert shown.exit_code != 0
    assert "~nobody-of-this-name/x" in shown.output


def wrappers(function: Any) -> Iterator[str]:
    while function is not None:
        yield function.__code__.co_name
        function = getattr(function, "__wrapped__", None)


def test_every_command_with_a_path_goes_through_the_one_place() -> None:
    with_paths = {
        name: set(wrappers(command.callback))
        for name, command in every_command().items()
        if any("Path" in type(option.type).__name__ for option in command.params)
    }
    assert len(with_paths) > 30
    assert [name for name, passed in with_paths.items() if "gathered" not in passed] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--backend", "mock"),
        ("cluster", "--embedder", "tfidf"),
        ("report", "--out", "elsewhere"),
        ("dataset", "enrich", "--pass-filter", "migrate,dimensions"),
        ("dataset", "enrich", "--pass-filter", "migrate", "--output-jsonl", "set.jsonl"),
        ("ingest", "run", "--stages", "ocr", "--cache", "elsewhere"),
        ("synth", "generate", "--num-images", "5", "--output-dir", "elsewhere", "--yes"),
    ],
    ids=" ".join,
)
def test_a_command_that_writes_into_a_workspace_makes_it(
    arguments: tuple[str, ...], pcc: Pcc, photos: Callable[..., Path], workspace: Path
) -> None:
    done = pcc(*arguments, "--workspace", "not/there", "--photos-dir", photos(2))

    assert done.returncode == 0, done.stderr
    assert (workspace / "not" / "there").is_dir()
