"""Figures in words, for the screens and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from backends.base import Loading
from pipeline.jobs.progress import Snapshot

EXTENSIONS_NAMED = 6


def tidy(path: Path) -> str:
    """Return an absolute path as people write it, with `~` for the home directory."""
    full, home = path.expanduser().absolute(), Path.home()
    return f"~/{full.relative_to(home)}" if full.is_relative_to(home) else str(full)


def duration(seconds: float) -> str:
    """Return a time as `1:02:03`, or `2 d 1:02:03`."""
    whole = round(seconds)
    days, rest = divmod(whole, 86_400)
    clock = f"{rest // 3600}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"{days} d {clock}" if days else clock


def about(seconds: float) -> str:
    """Return a time as people say it: `40 s`, `24 min`, `3 h 20 min`, `2 d 4 h`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {rest} min"
    days, rest = divmod(round(minutes / 60), 24)
    return f"{days} d {rest} h"


def dollars(sum_: float) -> str:
    """Return a sum of US dollars: to the cent, or with the digits that a small sum needs."""
    return f"${sum_:,.2f}" if sum_ == round(sum_, 2) else f"${sum_:,.6f}"


def rate(per_second: float) -> str:
    """Return a rate as `2.5/s`, or `1,200/s` where decimals say nothing."""
    return f"{per_second:,.0f}/s" if per_second >= 100 else f"{per_second:.1f}/s"


def data_size(count: float) -> str:
    """Return an amount of data as people say it: `512 kB`, `23.4 GB`."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count / 1e3:,.0f} kB"


def is_of_one_piece(shot: Snapshot) -> bool:
    """Tell whether a job works on all photos at once; `loading` then says how far the job is."""
    return shot.loading is not None and shot.stage in ("cluster", "write", "verify")


def loading_words(loading: Loading) -> str:
    """Return how far a backend has got with loading, or a job that works on all photos at once."""
    if loading.total is None or not loading.total:
        return loading.what
    share = f"{loading.done / loading.total:.0%}"
    if loading.unit == "bytes":
        done, total = loading.done / 1e9, loading.total / 1e9
        return f"{loading.what}: {done:.2f} of {total:.2f} GB ({share})"
    if loading.unit == "percent":
        return f"{loading.what} ({share})"
    return f"{loading.what}: {loading.done:,} of {loading.total:,} ({share})"


def counts(by_status: dict[str, int]) -> str:
    """Return `1,198 success, 42 error_api`, successes first."""
    ordered = sorted(by_status.items(), key=lambda item: (item[0] != "success", item[0]))
    return ", ".join(f"{count:,} {status}" for status, count in ordered if count) or "none"


def by_extension(passed_over: Mapping[str, int]) -> str:
    """Return `1,204 .mov, 31 .xmp, 2 without an extension and 7 others`, the most first."""
    ordered = sorted(passed_over.items(), key=lambda item: (-item[1], item[0]))
    words = [
        f"{count:,} .{extension}" if extension else f"{count:,} without an extension"
        for extension, count in ordered[:EXTENSIONS_NAMED]
    ]
    others = sum(count for _, count in ordered[EXTENSIONS_NAMED:])
    return ", ".join(words) + (f" and {counted(others, 'other', 'others')}" if others else "")


def counted(count: int, one: str, many: str) -> str:
    """Return a number with what it counts, in the singular or the plural."""
    return f"{count:,} {one if count == 1 else many}"
