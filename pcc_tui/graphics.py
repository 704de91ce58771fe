"""How pictures are drawn, chosen before the app starts.

Importing textual_image asks the terminal questions. That is safe only in the
foreground of a real terminal of a real size, so this is the one module that
imports it.
"""

from __future__ import annotations

import fcntl
import io
import os
import struct
import sys
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from textual_image.widget._base import Image as ImageWidget

    from pcc_tui.preferences import Images

Protocol = Literal["kitty", "sixel", "halfcell", "off"]

KITTY_TERMINALS = ("xterm-kitty", "xterm-ghostty")
SIXEL_TERMINALS = ("foot", "foot-extra", "mlterm")
MULTIPLEXERS = ("TMUX", "STY", "ZELLIJ")
"""Variables set by programs that answer for the terminal outside, and answer wrongly: tmux claims
sixel in any terminal."""


def choose_protocol(wanted: Images, environment: Mapping[str, str] = os.environ) -> Protocol:
    """Return how to draw pictures; a terminal whose environment says nothing is asked."""
    if wanted != "auto":
        return wanted
    if any(name in environment for name in MULTIPLEXERS):
        return "halfcell"
    terminal = environment.get("TERM", "")
    if terminal in KITTY_TERMINALS:
        return "kitty"
    if terminal in SIXEL_TERMINALS:
        return "sixel"
    return _ask_terminal() if may_ask_terminal() else "halfcell"


def may_ask_terminal() -> bool:
    """Tell whether the terminal can answer a question without stopping or disturbing anything."""
    try:
        if not (sys.__stdin__ and sys.__stdout__):
            return False
        if not (sys.__stdin__.isatty() and sys.__stdout__.isatty()):
            return False
        columns, lines = os.get_terminal_size(sys.__stdout__.fileno())
        in_foreground = os.tcgetpgrp(sys.__stdin__.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False
    return columns > 0 and lines > 0 and in_foreground


def image_widget(protocol: Protocol) -> type[ImageWidget] | None:
    """Return the widget that draws pictures by a protocol, None for no pictures."""
    if protocol == "off":
        return None
    with _terminal_out_of_sight():
        from textual_image import widget
    kinds: dict[Protocol, type[ImageWidget]] = {
        "kitty": widget.TGPImage,
        "sixel": widget.SixelImage,
        "halfcell": widget.HalfcellImage,
    }
    return kinds[protocol]


def _ask_terminal() -> Protocol:
    """Let textual_image ask the terminal; if that fails, half cells work everywhere."""
    try:
        from textual_image.renderable import Image, SixelImage, TGPImage
    except Exception:
        return "halfcell"
    return "sixel" if Image is SixelImage else "kitty" if Image is TGPImage else "halfcell"


@contextmanager
def _terminal_out_of_sight() -> Iterator[None]:
    """Keep an import from asking the terminal; the size of a cell comes from the system instead."""
    size = _cell_size()
    if size is not None:
        os.environ["TEXTUAL_CELL_WIDTH"], os.environ["TEXTUAL_CELL_HEIGHT"] = map(str, size)
    shown, sys.__stdout__ = sys.__stdout__, io.StringIO()  # type: ignore[assignment,misc]
    try:
        yield
    finally:
        sys.__stdout__ = shown  # type: ignore[misc]


def _cell_size() -> tuple[int, int] | None:
    """Return width and height of a terminal cell in pixels, None where the system cannot tell."""
    try:
        answer = fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, b"\0" * 8)
    except (OSError, ValueError):
        return None
    lines, columns, width, height = struct.unpack("HHHH", answer)
    if not (lines and columns and width and height):
        return None
    return width // columns, height // lines
