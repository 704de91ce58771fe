"""Leaving the app when it is killed, or its terminal is gone; a running job goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.app import App

LEAVING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl+C at the keyboard is a key to the app; this SIGINT comes from elsewhere."""

LAST_WORDS_SECONDS = 5.0
"""How long the app may take to leave; what writes to a lost terminal may wait for ever."""


def leave_on_signals(app: App[int]) -> None:
    """Let signals end the app in order, with the terminal put back as it was."""
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
