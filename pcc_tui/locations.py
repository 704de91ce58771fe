"""Every path outside the workspace that the app uses."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_cache_path, user_config_path, user_state_path


def preferences_path() -> Path:
    """Return the file of the user's preferences, the same for every workspace."""
    return user_config_path("pcc") / "config.toml"


def known_servers_path() -> Path:
    """Return the file of the servers that somebody on this machine has named."""
    return user_state_path("pcc") / "servers.json"


def thumbnail_cache() -> Path:
    """Return the directory of thumbnails, which may be deleted at any time."""
    return user_cache_path("pcc") / "thumbnails"


def styles_path() -> Path:
    """Return the folder of style sheets: inside the package, in a checkout beside the package."""
    package = Path(__file__).parent
    inside = package / "styles"
    return inside if inside.is_dir() else package.parent / "styles"
