"""Every file of a workspace with contents that nobody wrote on purpose, and who reads it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.conftest import CLEAN_ENVIRONMENT
from tests.support.hostile_files import CONTENTS, MADE_ANEW, READERS, make_workspace
from tests.support.in_process import run_in_process

CODES = (0, 1, 64)


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace with a file of every kind; only ever copied."""
    root = tmp_path_factory.mktemp("hostile")
    (root / "workspace").mkdir()
    make_workspace(root / "workspace", root / "photos")
    return root / "workspace"


TELLING = ("brackets", "deeply nested", "TOML digits", "object", "no UTF-8")
"""What the suite tries; the battery tries all of it."""


@pytest.mark.parametrize("name", READERS)
def test_damage_is_named_and_is_no_bug(made_once: Path, workspace: Path, name: str) -> None:
    try_contents(made_once, workspace, name, TELLING)


@pytest.mark.battery
@pytest.mark.parametrize("name", READERS)
def test_every_damage_is_named(made_once: Path, workspace: Path, name: str) -> None:
    try_contents(made_once, workspace, name, CONTENTS)


def try_contents(made_once: Path, workspace: Path, name: str, contents: Iterable[str]) -> None:
    """Put each content into a file, and have each command read the file."""
    file, photo = workspace / name, Path(name).stem.replace("__", "/")
    for what in contents:
        content = CONTENTS[what]
        for command in READERS[name]:
            shutil.rmtree(workspace)
            shutil.copytree(made_once, workspace)
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(content)

            done = run_in_process(command, workspace, CLEAN_ENVIRONMENT)

            said = done.stdout + done.stderr
            case = f"{what} in {name}, read by {command}: {done.returncode}, {said}"
            assert done.returncode in CODES, case
            for word in ("Traceback", "bug", "unexpected", "recursion", "[Errno"):
                assert word not in said, case
            if done.returncode and content and name not in MADE_ANEW:
                assert file.name in said or file.parent.name in said or photo in said, case
