"""The terminal misbehaving: text it cannot show, input that is none, signals, a lost line."""

from __future__ import annotations

import asyncio
import codecs
import os
import select
import signal
import sys
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from types import FrameType
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from textual.app import App

LEAVING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that end the app. Ctrl+C at the keyboard is a key; this SIGINT comes from elsewhere."""

LAST_WORDS_SECONDS = 5.0
"""How long the app may take to leave: a write to a terminal that is lost may wait for ever."""


_IN_CELLS = "pcc.in_cells"


class PatientDriver(LinuxDriver):
    """Textual's driver, but input that is not UTF-8 is passed over.

    A terminal set to Latin-1 sends such bytes for an umlaut.
    """

    def run_input_thread(self) -> None:
        """Read keys until the app is left; what cannot be read is dropped."""
        while not self.exit_event.is_set():
            try:
                super().run_input_thread()
            except UnicodeDecodeError:
                continue


@contextmanager
def drawn_in_cells() -> Iterator[None]:
    r"""Let the screen keep its shape on a terminal whose encoding lacks what is drawn.

    What the encoding does not know becomes as many columns of ASCII; an escape such as `\u2502`
    would take six columns in the place of one, and shift all that follows.
    """
    terminal = sys.__stderr__
    if not isinstance(terminal, TextIOWrapper):
        yield
        return
    codecs.register_error(_IN_CELLS, _in_cells)
    before = terminal.errors
    terminal.reconfigure(errors=_IN_CELLS)
    try:
        yield
    finally:
        terminal.reconfigure(errors=before)


def _in_cells(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    unknown = error.object[error.start : error.end]
    return "".join(map(_likeness, unknown)), error.end


def _likeness(char: str) -> str:
    """Return ASCII of the width of a character, and of its form where it is a line or a block."""
    name = unicodedata.name(char, "")
    if name.startswith("BOX DRAWINGS"):
        return "-" if "VERTICAL" not in name else "|" if "HORIZONTAL" not in name else "+"
    return "#" if "BLOCK" in name else "?" * cell_len(char)


def leave_on_signals(app: App[int]) -> None:
    """Let signals end the app in order, with the terminal put back as it was; a job goes on."""
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()

    def leave(number: int, frame: FrameType | None) -> None:
        # A lost terminal sends SIGCONT along, on which Textual would start to draw anew.
        signal.signal(signal.SIGCONT, signal.SIG_IGN)
        watchdog = threading.Timer(LAST_WORDS_SECONDS, os._exit, [128 + number])
        watchdog.daemon = True
        watchdog.start()
        loop.call_soon_threadsafe(app.exit, 128 + number)

    for number in LEAVING:
        signal.signal(number, leave)
    if sys.__stdin__ is not None and sys.__stdin__.isatty():
        threading.Thread(target=_await_hangup, args=(sys.__stdin__.fileno(),), daemon=True).start()


def _await_hangup(descriptor: int) -> None:
    """Wait until the terminal is gone, and end the app as SIGHUP does.

    Only the processes of the terminal's own session get that signal. Without the signal, reads
    return nothing at once, and the thread that reads keys would take a whole core for ever.
    """
    poll = select.poll()
    poll.register(descriptor, 0)  # hanging up is told without being asked for
    [(_, event)] = poll.poll()
    if event & select.POLLHUP:  # macOS cannot poll terminals, and says so with another event
        os.kill(os.getpid(), signal.SIGHUP)
