"""Programs that some tests need beside Python and make.

A test that needs one that is not there is skipped, and the end of the run says so, with the line
that installs them. With PCC_TEST_REQUIRE_ALL=1, as in `.ci/run`, such a test fails.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable
from functools import cache

import pytest

PACKAGES = {
    "bash": "bash",
    "chromium": "chromium",
    "redis-server": "redis-server",
    "strace": "strace",
    "tmux": "tmux",
    "unshare": "util-linux",
}
"""The package of Debian and its like that brings each program."""

OTHER_NAMES = {"chromium": ("chromium-browser", "google-chrome")}

NAMESPACE = ("--user", "--map-root-user", "--mount")
TRIALS = {"strace": ("-o", os.devnull, "true"), "unshare": (*NAMESPACE, "true")}
"""What a program has to manage: containers and kernels may forbid tracing and namespaces."""


def needed(name: str) -> str:
    """Return the path of a program; without it, the test is skipped or fails."""
    path = find(name)
    why = f"needs {name}, which is not there" if path is None else _refusal(name, path)
    if path is not None and why is None:
        return path
    if os.environ.get("PCC_TEST_REQUIRE_ALL") == "1":
        pytest.fail(f"{why}; PCC_TEST_REQUIRE_ALL asks for it", pytrace=False)
    pytest.skip(why or "")


def with_fault(inject: str, *paths: object, trace: str | None = None) -> list[str]:
    """Return what stands before a command to inject a fault into its calls on some paths.

    Args:
        inject: The fault, as strace words it, such as `write:signal=KILL:when=3`.
        paths: Calls on other files are left alone.
        trace: The only calls that are looked at; all by default.
    """
    watched = [word for path in paths for word in ("-P", str(path))]
    traced = [] if trace is None else ["-e", f"trace={trace}"]
    quiet = ["-f", "-qq", "-o", os.devnull]
    return [needed("strace"), *quiet, *watched, *traced, "-e", f"inject={inject}"]


def as_root_of_its_own(script: str) -> list[str]:
    """Return the command that runs a shell script where it may mount file systems."""
    return [needed("unshare"), *NAMESPACE, "sh", "-c", script]


def find(name: str) -> str | None:
    """Return the path of a program, None where there is none."""
    found = map(shutil.which, (name, *OTHER_NAMES.get(name, ())))
    return next((path for path in found if path is not None), None)


def install_line(names: Iterable[str]) -> str:
    """Return the line that installs programs, or which packages to install."""
    packages = " ".join(sorted({PACKAGES[name] for name in names}))
    return ("apt-get install " if shutil.which("apt-get") else "install ") + packages


def left_out(reasons: Iterable[str]) -> list[str]:
    """Return what to say at the end of a run whose tests were skipped for such reasons."""
    found = (re.match(r"Skipped: needs (\S+), which (.*)", reason) for reason in reasons)
    counted = Counter((match[1], match[2]) for match in found if match)
    if not counted:
        return []
    missing = [name for name, why in counted if why == "is not there"]
    return [
        f"{counted.total()} tests were left out:",
        *(f"    {name} {why}: {count}" for (name, why), count in sorted(counted.items())),
        *([f"To have them run: {install_line(missing)}"] if missing else []),
    ]


@cache
def _refusal(name: str, path: str) -> str | None:
    """Return why a program is of no use here, None where it is."""
    trial = [path, *TRIALS.get(name, ())]
    if len(trial) == 1:
        return None
    done = subprocess.run(trial, capture_output=True, text=True, check=False, timeout=20)
    last = done.stderr.strip().rpartition("\n")[2]
    return f"needs {name}, which is forbidden here ({last})" if done.returncode else None
