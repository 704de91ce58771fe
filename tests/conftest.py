"""Fixtures every test may use."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from backends.keys import KEY_NAMES
from tests.support.api_server import ApiServer
from tests.support.forking import Forks, shared_imports
from tests.support.in_process import READ_AT_IMPORT, run_in_process
from tests.support.photos import make_photos
from tests.support.programs import left_out
from tests.support.protocols import OPENAI

Pcc = Callable[..., subprocess.CompletedProcess[str]]

STATE = tempfile.TemporaryDirectory(prefix="pcc-state-")
os.environ["XDG_STATE_HOME"] = STATE.name

CLEAN_ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if name not in (*KEY_NAMES, "PHOTOS_DIR", "PCC_REQUEST_TIMEOUT", "PCC_BASE_URL", "PCC_PROMPT")
}

PCC = [sys.executable, "-P", "-m", "pcc_tui"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end which tests were left out for want of a program."""
    skipped = terminalreporter.stats.get("skipped", ())
    for line in left_out(report.longrepr[2] for report in skipped):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session", autouse=True)
def _forks() -> Iterator[Forks]:
    with shared_imports() as forks:
        yield forks


@pytest.fixture
def fresh_processes(_forks: Forks) -> Iterator[None]:
    """Start every process afresh, with imports of its own."""
    _forks.shared = False
    yield
    _forks.shared = True


@pytest.fixture
def photos(tmp_path: Path) -> Callable[..., Path]:
    """Make a folder of so many small photos."""

    def make(count: int, size: tuple[int, int] = (64, 48), name: str = "photos") -> Path:
        make_photos(tmp_path / name, count, size)
        return tmp_path / name

    return make


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Return an empty workspace."""
    path = tmp_path / "workspace"
    path.mkdir()
    return path


@pytest.fixture
def pcc(workspace: Path) -> Pcc:
    """Run `pcc` with arguments in the workspace, in this very process."""

    def run(
        *arguments: str | Path, environment: dict[str, str] | None = None, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        given = environment or {}
        assert not any(name.startswith(READ_AT_IMPORT) for name in {*given} - {"PYTHONPATH"}), (
            "ask `pcc_process`"
        )
        return run_in_process(
            [*map(str, arguments)], workspace, {**CLEAN_ENVIRONMENT, **given}, timeout
        )

    return run


@pytest.fixture
def pcc_process(workspace: Path) -> Pcc:
    """Run `pcc` with arguments in the workspace, in a process of its own."""

    def run(
        *arguments: str | Path, environment: dict[str, str] | None = None, timeout: float = 60
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PCC, *map(str, arguments)],
            cwd=workspace,
            env={**CLEAN_ENVIRONMENT, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    return run


@pytest.fixture
def server() -> Iterator[ApiServer]:
    """Serve OpenAI's protocol on the loopback address."""
    with ApiServer(OPENAI) as running:
        yield running
