"""How figures are put into words, on screens and in the command line."""

from __future__ import annotations

from pathlib import Path


def tidy(path: Path) -> str:
    """Return an absolute path as people write it, with `~` for their own directory."""
    full, home = path.expanduser().absolute(), Path.home()
    return f"~/{full.relative_to(home)}" if full.is_relative_to(home) else str(full)


def duration(seconds: float) -> str:
    """Return a time as `1:02:03`, or `2 d 1:02:03`."""
    whole = round(seconds)
    days, rest = divmod(whole, 86_400)
    clock = f"{rest // 3600}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"{days} d {clock}" if days else clock


def counts(by_status: dict[str, int]) -> str:
    """Return `1,198 success, 42 error_api`, successes first."""
    ordered = sorted(by_status.items(), key=lambda item: (item[0] != "success", item[0]))
    return ", ".join(f"{count:,} {status}" for status, count in ordered if count) or "none"
