"""A bare pseudo-terminal that keeps every byte the app writes."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

SEQUENCE = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    rb"|\x1b[\]PX^_].*?(?:\x07|\x1b\\)"  # OSC, DCS, SOS, PM, APC
    rb"|\x1b[ -/]*[0-~]",  # everything else
    re.DOTALL,
)
INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)


class PtyApp:
    """A program on a pseudo-terminal, and the bytes that the program wrote."""

    def __init__(
        self, command: Sequence[str], directory: Path, environment: Mapping[str, str]
    ) -> None:
        self._near, far = pty.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.process = subprocess.Popen(
            command,
            cwd=directory,
            env={**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
            stdin=far,
            stdout=far,
            stderr=far,
            start_new_session=True,
        )
        os.close(far)
        self.written = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with suppress(OSError):
            while data := os.read(self._near, 65536):
                self.written += data

    def type(self, keys: str) -> None:
        """Press keys."""
        self.send(keys.encode())

    def send(self, data: bytes) -> None:
        """Send bytes unchanged."""
        os.write(self._near, data)

    def text(self, since: int = 0) -> str:
        """Return the written text, without escape sequences."""
        return SEQUENCE.sub(b"", self.written[since:]).decode("utf-8", "replace")

    def wait_for(self, text: str, since: int = 0) -> None:
        """Wait until a text has been written."""
        deadline = time.monotonic() + 30
        while text not in self.text(since):
            if time.monotonic() > deadline:
                pytest.fail(f"{text!r} never came:\n{self.text(since)[-3000:]}")
            time.sleep(0.02)

    def wait_for_bytes(self, sign: bytes) -> None:
        """Wait until some bytes have been written."""
        deadline = time.monotonic() + 30
        while sign not in self.written:
            if time.monotonic() > deadline:
                pytest.fail(f"{sign!r} never came")
            time.sleep(0.02)

    def settle(self, quiet: float = 0.4) -> None:
        """Wait until nothing has been written for `quiet` seconds."""
        length = -1
        while length != len(self.written):
            length = len(self.written)
            time.sleep(quiet)

    def close(self) -> None:
        """End the program."""
        self.process.terminate()
        self.process.wait(10)
        self._reader.join(5)
        os.close(self._near)


@contextmanager
def pty_app(
    command: Sequence[str], directory: Path, environment: Mapping[str, str]
) -> Iterator[PtyApp]:
    """Run a program on a pseudo-terminal while the block runs."""
    app = PtyApp(command, directory, environment)
    try:
        yield app
    finally:
        app.close()


def kinds(written: bytes) -> set[str]:
    """Return the kinds of escape sequences and invisible characters in what was written.

    A kind is a sequence without its numbers, but with the mode if the sequence sets one.
    The kind of a string to the terminal (OSC and the like) is the beginning of the string.
    """
    found: Counter[str] = Counter()
    for sequence in SEQUENCE.findall(written):
        if sequence[1:2] in b"]PX^_":
            found[repr(sequence[:6])] += 1
        elif b"?" in sequence:
            found[repr(sequence)] += 1
        else:
            found[repr(re.sub(rb"[0-9;:]+", b"", sequence))] += 1
    text = SEQUENCE.sub(b"", written).decode("utf-8", "replace")
    for char in INVISIBLE.findall(text):
        found[repr(char)] += 1
    return set(found)
