"""Empty environments of each kind: the line of a message makes the command work that told it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import CLEAN_ENVIRONMENT
from tests.support.wheels import ROOT, build_wheel, line_of, shell

pytestmark = pytest.mark.battery

FOLDER = "a folder"
"""Where everything is installed; a space shows whether the line is quoted."""

Install = Callable[[Path, Path, dict[str, str]], Path]
"""Installs a wheel below a directory and returns the command `pcc`."""


def by_pip(wheel: Path, directory: Path, environment: dict[str, str]) -> Path:
    venv.create(directory / "venv", with_pip=True)
    python = directory / "venv" / "bin" / "python"
    run([python, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel], environment)
    return directory / "venv" / "bin" / "pcc"


def by_pip_from_a_checkout(wheel: Path, directory: Path, environment: dict[str, str]) -> Path:
    left_out = shutil.ignore_patterns(".*", "demo")
    shutil.copytree(ROOT, directory / "checkout", ignore=left_out)
    venv.create(directory / "venv", with_pip=True)
    python = directory / "venv" / "bin" / "python"
    run([python, "-m", "pip", "install", "-q", "-e", directory / "checkout"], environment)
    return directory / "venv" / "bin" / "pcc"


def by_pipx(wheel: Path, directory: Path, environment: dict[str, str]) -> Path:
    places = {"PIPX_HOME": directory / "pipx", "PIPX_BIN_DIR": directory / "bin"}
    run(["pipx", "install", wheel], environment, places)  # the line has to name this home itself
    return directory / "bin" / "pcc"


def by_uv_tool(wheel: Path, directory: Path, environment: dict[str, str]) -> Path:
    environment["UV_TOOL_DIR"] = str(directory / "tools")
    environment["UV_TOOL_BIN_DIR"] = str(directory / "bin")
    run(["uv", "tool", "install", "-q", wheel], environment)
    return directory / "bin" / "pcc"


def by_uv(wheel: Path, directory: Path, environment: dict[str, str]) -> Path:
    run(["uv", "venv", "-q", "--python", sys.executable, directory / "venv"], environment)
    python = directory / "venv" / "bin" / "python"
    run(["uv", "pip", "install", "-q", "--python", python, wheel], environment)
    return directory / "venv" / "bin" / "pcc"


def run(
    command: list[str | Path], environment: dict[str, str], more: dict[str, Path] | None = None
) -> None:
    everything = {**environment, **{name: str(path) for name, path in (more or {}).items()}}
    subprocess.run(command, check=True, timeout=600, env=everything)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("a wheel"))


@pytest.mark.parametrize("install", [by_pip, by_pip_from_a_checkout, by_pipx, by_uv_tool, by_uv])
def test_the_line_of_a_message_installs_the_extra(
    install: Install, wheel: Path, tmp_path: Path
) -> None:
    ours = Path(sys.executable).parent  # where pipx and uv are
    environment = {**CLEAN_ENVIRONMENT, "PATH": f"{ours}{os.pathsep}{os.environ['PATH']}"}
    directory = tmp_path / FOLDER
    directory.mkdir()
    pcc = shlex.quote(str(install(wheel, directory, environment)))
    command = f"{pcc} synth generate --num-images 10 --output-dir set --yes"

    line = line_of(shell(command, tmp_path, environment))
    installed = shell(line, tmp_path, environment)
    done = shell(command, tmp_path, environment)

    assert installed.returncode == 0, f"{line}\n{installed.stderr}"
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "set" / "metadata.json").is_file()
