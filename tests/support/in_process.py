"""`pcc` in the test's own process: way in, streams and exit code as of a real one, without a start.

What ends with a process is put back here by hand. Where a test is about signals,
kills, pipes or what a fresh interpreter does, it needs a real process instead.
"""

from __future__ import annotations

import importlib.metadata
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, chdir, contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn
from unittest.mock import patch

import pytest

from backends import keys
from journal import own_files

READ_AT_IMPORT = ("HF_", "LANG", "LC_", "NUMBA_", "OMP_", "PYTHON", "TORCH", "TRANSFORMERS_")
"""Variables that mean nothing to an interpreter, or to libraries, that are there already."""

MOST_BYTES = 1 << 30

HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_in_process(
    arguments: Sequence[str],
    directory: Path,
    environment: Mapping[str, str],
    timeout: float = 60,
) -> subprocess.CompletedProcess[str]:
    """Run `pcc` to its end.

    Args:
        arguments: What follows `pcc`.
        directory: The working directory.
        environment: All variables.
        timeout: Seconds after which the command fails.
    """
    done = bytes_in_process(arguments, directory, environment, timeout)
    said, complained = done.stdout.decode(), done.stderr.decode()
    return subprocess.CompletedProcess(done.args, done.returncode, said, complained)


def bytes_in_process(
    arguments: Sequence[str],
    directory: Path,
    environment: Mapping[str, str],
    timeout: float = 60,
) -> subprocess.CompletedProcess[bytes]:
    """Run `pcc` to its end, and return every byte it printed; see `run_in_process`."""
    from pcc_tui.cli.main import main

    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
        with (
            _own_state(),
            chdir(directory),
            patch.dict(os.environ, environment, clear=True),
            patch.object(sys, "path", [*python_path(environment), *sys.path]),
            patch.object(sys, "argv", ["pcc", *arguments]),
            _own_streams(out.fileno(), error.fileno()),
            _time_limit(timeout),
            pytest.raises(SystemExit) as ended,
        ):
            main()
        said, complained = (os.pread(file.fileno(), MOST_BYTES, 0) for file in (out, error))
    code = ended.value.code
    assert isinstance(code, int)
    return subprocess.CompletedProcess(["pcc", *arguments], code, said, complained)


def hide_package(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """Let a package be one that nobody has installed, for commands in this process."""
    version = importlib.metadata.version

    def find(name: str) -> str:
        if name == package:
            raise importlib.metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(importlib.metadata, "version", find)


def python_path(environment: Mapping[str, str]) -> list[str]:
    """Return where Python is told to look for modules before all other places."""
    return [part for part in environment.get("PYTHONPATH", "").split(os.pathsep) if part]


@contextmanager
def _own_state() -> Iterator[None]:
    """Put back what a command changes for its whole process."""
    handlers = {number: signal.getsignal(number) for number in HANDLED}
    mask = os.umask(0)
    os.umask(mask)
    loggers = [logging.getLogger(name) for name in ("pcc", "google_genai", "huggingface_hub")]
    logged = [(logger, logger.level, [*logger.handlers]) for logger in loggers]
    try:
        with (
            patch.object(keys, "_known", set(keys._known)),
            patch.object(own_files, "_protected", {}),
            patch.object(own_files, "_found_outside", set()),
            patch.object(logging, "raiseExceptions", logging.raiseExceptions),
        ):
            yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        os.umask(mask)
        for logger, level, handlers_before in logged:
            logger.setLevel(level)
            logger.handlers[:] = handlers_before


@contextmanager
def _own_streams(out: int, error: int) -> Iterator[None]:
    """Let the three standard descriptors, and Python's streams on them, be those of a process."""
    sys.stdout.flush()
    sys.stderr.flush()
    nothing = os.open(os.devnull, os.O_RDONLY)
    kept = [os.dup(descriptor) for descriptor in range(3)]
    try:
        for descriptor, file in enumerate((nothing, out, error)):
            os.dup2(file, descriptor)
        with ExitStack() as streams:
            for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
                real = getattr(sys, f"__{name}__")
                mode = "w" if descriptor else "r"
                stream = streams.enter_context(
                    open(descriptor, mode, encoding="utf-8", errors=real.errors, closefd=False)
                )
                streams.enter_context(patch.object(sys, name, stream))
            yield
    finally:
        for descriptor, file in enumerate(kept):
            os.dup2(file, descriptor)
            os.close(file)
        os.close(nothing)


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    def give_up(number: int, frame: FrameType | None) -> NoReturn:
        raise TimeoutError(f"pcc has not ended after {seconds:g} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
