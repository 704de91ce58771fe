"""What a user likes in every workspace: theme, pictures, keys; kept in the user's configuration."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from pcc_tui.toml import read_toml

Images = Literal["auto", "kitty", "sixel", "halfcell", "off"]

SLOW_REFRESH = 3
FAST_REFRESH = 10
"""How often statistics are drawn in a second, over SSH and without SSH."""


class Preferences(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What the user's `config.toml` may hold.

    Attributes:
        theme: Name of a theme, or `auto` for one that fits what the terminal says about itself.
        images: How pictures are drawn.
        animations: Whether things slide and fade.
        refresh: How often statistics are drawn in a second, None for 10, or 3 over SSH.
        keys: Keys by the id of their action; several keys are separated by commas.
    """

    theme: str = "auto"
    images: Images = "auto"
    animations: bool = False
    refresh: Annotated[int, msgspec.Meta(ge=1, le=10)] | None = None
    keys: dict[str, str] = {}

    def refresh_rate(self, environment: Mapping[str, str] = os.environ) -> int:
        """Return how often statistics are drawn in a second; fewer times over SSH."""
        over_ssh = "SSH_CONNECTION" in environment
        return self.refresh or (SLOW_REFRESH if over_ssh else FAST_REFRESH)

    def theme_name(self, environment: Mapping[str, str] = os.environ) -> str:
        """Return the theme to begin with; where none is set, one that fits the terminal."""
        return terminal_theme(environment) if self.theme == "auto" else self.theme


def load_preferences(path: Path) -> Preferences:
    """Read the user's preferences; an absent file gives the defaults.

    Raises:
        SettingsError: the file cannot be read, or holds what it should not.
    """
    return read_toml(path, Preferences) or Preferences()


def terminal_theme(environment: Mapping[str, str]) -> str:
    """Return a theme that fits a terminal's environment: many colours or 16, dark or light."""
    background = environment.get("COLORFGBG", "").rpartition(";")[2]
    light = background in ("7", "15")
    terminal = environment.get("TERM", "")
    many = environment.get("COLORTERM") in ("truecolor", "24bit") or any(
        name in terminal for name in ("256color", "direct", "kitty", "ghostty", "foot", "alacritty")
    )
    return f"{'textual' if many else 'ansi'}-{'light' if light else 'dark'}"
