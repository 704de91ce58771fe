"""The wheel of this program, and environments to install it into."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import venv
import zipfile
from collections.abc import Mapping
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]

Result = subprocess.CompletedProcess[str]


def build_wheel(directory: Path) -> Path:
    """Build the wheel of this checkout into a directory."""
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    build += ["--no-build-isolation", "--wheel-dir", str(directory), str(ROOT)]
    subprocess.run(build, check=True, timeout=120)
    [wheel] = directory.glob("*.whl")
    return wheel


def pack_again(package: str, directory: Path) -> None:
    """Make a wheel of an installed package, so that nothing need be downloaded."""
    found = distribution(package)
    name = f"{package}-{found.version}-py3-none-any.whl"
    with zipfile.ZipFile(directory / name, "w") as wheel:
        for file in found.files or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                wheel.write(str(found.locate_file(file)), str(file))


def borrowing_environment(directory: Path) -> Path:
    """Make an environment that borrows, from the one of the tests, pip and what we depend on.

    Returns:
        Its directory of executables.
    """
    venv.create(directory)
    [packages] = (directory / "lib").glob("python*/site-packages")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for found in _needed("pip", *project["dependencies"]).values():
        for name in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
            (packages / name).symlink_to(str(found.locate_file(name)))
    return directory / "bin"


def _needed(*requirements: str) -> dict[str, Distribution]:
    """Return the distributions that some requirements need, all of theirs included."""
    found: dict[str, Distribution] = {}
    todo = [(Requirement(text), "") for text in requirements]
    while todo:
        need, extra = todo.pop()
        if need.marker is not None and not need.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(need.name)  # projects write each other's names in many ways
        if name not in found or need.extras:
            found[name] = distribution(name)
            todo += [
                (Requirement(text), asked)
                for text in found[name].requires or ()
                for asked in ("", *need.extras)
            ]
    return found


def shell(line: str, directory: Path, environment: Mapping[str, str]) -> Result:
    """Run a line as somebody would who copied it from a message."""
    return subprocess.run(
        ["sh", "-c", line],
        cwd=directory,
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def line_of(message: Result) -> str:
    """Return the line that a message of one line tells to run."""
    assert message.returncode == 64, message.stderr
    assert message.stderr.count("\n") == 1
    return message.stderr.strip().partition(": ")[2].partition(": ")[2]
