"""The line that installs an extra, or another package, beside this very program.

The name `pcc` on the package registry belongs to somebody else, and a line that is right for
pip is wrong for pipx and for uv. So nothing is guessed: what the installer wrote beside the
packages and into the environment says how the program came here.
"""

from __future__ import annotations

import os
import shlex
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path
from typing import Any

DISTRIBUTION = "picture-captioner-clusterer-chunker"
"""The name of this program on the package registry; the command is called `pcc`."""

_HERE = Path(__file__).parents[1]
"""The checkout that the program runs from, or the directory of installed packages."""


def extra_line(extra: str) -> str:
    """Return the shell command that adds an extra of this program."""
    command = _uv_tool_command(extra)
    if command is None:
        checkout = ["-e", f"{_HERE}[{extra}]"]  # so that a newer pyproject.toml counts
        return _pip_line(checkout if _is_checkout() else [f"{DISTRIBUTION}[{extra}]"])
    return shlex.join(command)


def package_line(package: str) -> str:
    """Return the shell command that installs a package of others beside this program."""
    return _pip_line([package])


def _pip_line(requirement: list[str]) -> str:
    """Return the command that installs into this environment, whoever made that."""
    prefix, python = Path(sys.prefix), sys.executable
    if (prefix / "pipx_metadata.json").is_file():
        # Whether `pipx inject` takes an extra of the main package, and with which flag, differs
        # from version to version; `runpip` takes it in all of them.
        command = shlex.join(["pipx", "runpip", prefix.name, "install", *requirement])
        home = prefix.parents[1]
        return command if home == _pipx_home() else f"PIPX_HOME={shlex.quote(str(home))} {command}"
    consent = ["--break-system-packages"] if _is_externally_managed() else []
    if find_spec("pip") is None and _metadata("INSTALLER") == "uv":
        return shlex.join(["uv", "pip", "install", *consent, "--python", python, *requirement])
    command = shlex.join([python, "-m", "pip", "install", *consent, *requirement])
    if find_spec("pip") is None:
        return f"{shlex.join([python, '-m', 'ensurepip'])} && {command}"
    return command


def _uv_tool_command(extra: str) -> list[str] | None:
    """Return what adds an extra to a tool of uv, None where this is none.

    uv makes a tool anew from its receipt, so the line repeats what the receipt says. One that
    holds more than can be repeated in a line is left alone: what is installed past the receipt
    lasts until the tool is upgraded.
    """
    receipt = Path(sys.prefix, "uv-receipt.toml")
    if not receipt.is_file() or receipt.parents[1] != _uv_tools():
        return None
    import tomllib

    wanted: list[dict[str, Any]] = tomllib.loads(receipt.read_text("utf-8"))["tool"]["requirements"]
    if len(wanted) != 1:
        return None
    extras = ",".join(sorted({*wanted[0].get("extras", ()), extra}))
    if _is_checkout():
        return ["uv", "tool", "install", "-e", f"{_HERE}[{extras}]"]
    source = _source()
    if source.startswith("file:") and not _file_of(source).exists():
        return None
    return ["uv", "tool", "install", f"{DISTRIBUTION}[{extras}]" + (source and f" @ {source}")]


def _source() -> str:
    """Return the URL that the program was installed from, nothing if from the registry."""
    import json

    told = json.loads(_metadata("direct_url.json") or "{}")
    if not told:
        return ""
    url: str = told["url"]
    if version := told.get("vcs_info"):
        revision = version.get("requested_revision")
        return f"{version['vcs']}+{url}" + (f"@{revision}" if revision else "")
    return url


def _file_of(url: str) -> Path:
    from urllib.parse import unquote, urlsplit

    return Path(unquote(urlsplit(url).path))


def _metadata(name: str) -> str:
    """Return a file that the installer wrote beside the packages, empty where it is not."""
    from importlib.metadata import PackageNotFoundError, distribution  # 10 ms

    try:
        return (distribution(DISTRIBUTION).read_text(name) or "").strip()
    except PackageNotFoundError:
        return ""


def _is_checkout() -> bool:
    project = _HERE / "pyproject.toml"  # other packages leave files of that name among packages
    return project.is_file() and f'name = "{DISTRIBUTION}"' in project.read_text("utf-8")


def _is_externally_managed() -> bool:
    """Tell whether this is a system's own Python, which pip changes only when told to."""
    marker = Path(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
    return sys.prefix == sys.base_prefix and marker.is_file()


def _pipx_home() -> Path:
    from platformdirs import user_data_path

    return Path(os.environ.get("PIPX_HOME") or user_data_path("pipx"))


def _uv_tools() -> Path:
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(os.environ.get("UV_TOOL_DIR") or Path(data, "uv", "tools"))
