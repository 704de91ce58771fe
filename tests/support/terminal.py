"""A real terminal for the app: tmux, with a separate tmux server."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.programs import needed

SECONDS = 30.0


class Terminal:
    """One window of tmux with a command in it.

    Args:
        command: The command that runs in the window.
        directory: Working directory of the command.
        environment: The complete environment of the command.
        size: Columns and lines of the window.
    """

    def __init__(
        self,
        command: Sequence[str],
        directory: Path,
        environment: Mapping[str, str],
        size: tuple[int, int] = (100, 30),
    ) -> None:
        needed("tmux")
        self.socket = f"pcc-{uuid4().hex[:12]}"
        given = {**environment, "TERM": "screen-256color", "COLORTERM": "truecolor"}
        unwanted = ("TMUX", "SSH_CONNECTION", "COLORFGBG", "COLUMNS", "LINES", "NO_COLOR")
        setting = [f"{name}={value}" for name, value in given.items() if name not in unwanted]
        line = shlex.join(["env", "-i", *setting, *command])
        # the window stays when the command ends, so that the last output can be read
        self.tmux(
            "-f",
            os.devnull,
            "new-session",
            "-d",
            "-x",
            str(size[0]),
            "-y",
            str(size[1]),
            "-c",
            str(directory),
            f"TMUX_SOCKET={self.socket} {line}; echo EXIT=$?; exec sleep 1000",
        )

    def tmux(self, *arguments: str) -> str:
        """Run a tmux command, and return the output."""
        done = subprocess.run(
            ["tmux", "-L", self.socket, *arguments], capture_output=True, text=True, check=True
        )
        return done.stdout

    def press(self, *keys: str) -> None:
        """Press keys, by their names in tmux."""
        self.tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type a text literally."""
        self.tmux("send-keys", "-l", text)

    def screen(self) -> str:
        """Return the visible text."""
        return self.tmux("capture-pane", "-p")

    def raw(self) -> str:
        """Return the visible text with its escape sequences."""
        return self.tmux("capture-pane", "-p", "-e")

    def resize(self, columns: int, lines: int) -> None:
        """Change the size of the window."""
        self.tmux("resize-window", "-x", str(columns), "-y", str(lines))

    def wait_for(self, *texts: str, seconds: float = SECONDS) -> str:
        """Wait until all texts are visible, and return the visible text."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            screen = self.screen()
            if all(text in screen for text in texts):
                return screen
            time.sleep(0.02)
        pytest.fail(f"{texts} never came; the screen:\n{self.screen()}")

    def pid(self) -> int:
        """Return the process id of the command."""
        shell = int(self.tmux("display-message", "-p", "#{pane_pid}"))
        return int(Path(f"/proc/{shell}/task/{shell}/children").read_text().split()[0])

    def close(self) -> None:
        """End tmux and the command."""
        subprocess.run(["tmux", "-L", self.socket, "kill-server"], capture_output=True, check=False)


@contextmanager
def terminal(
    command: Sequence[str],
    directory: Path,
    environment: Mapping[str, str],
    size: tuple[int, int] = (100, 30),
) -> Iterator[Terminal]:
    """Run a command in a separate terminal while the block runs."""
    running = Terminal(command, directory, environment, size)
    try:
        yield running
    finally:
        running.close()
