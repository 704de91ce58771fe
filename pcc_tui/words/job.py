"""How a job is doing and what it has spent, in words, for the screens."""

from __future__ import annotations

from datetime import datetime, timedelta

from pcc_tui.words.figures import about, counts, duration, is_of_one_piece, loading_words, rate
from pipeline.jobs.progress import Snapshot

TEN_YEARS = 10 * 365 * 86_400
"""Seconds; a job that takes longer has no date to finish."""


def pace(shot: Snapshot) -> str:
    """Return count, rates, time left and finishing time, on one line."""
    if shot.loading is not None and is_of_one_piece(shot):
        left = "" if shot.eta_seconds is None else f" · about {about(shot.eta_seconds)} left"
        return f"{loading_words(shot.loading)}, {shot.total:,} photos{left}"
    done = f"{shot.attempted:,} of {shot.total:,}"
    later = f", {shot.later:,} more after a restart" if shot.later else ""
    rates = f"{rate(shot.rate_now)} now, {rate(shot.rate)} on average"
    if shot.eta_seconds is None or shot.state != "running":
        return f"{done}{later} · {rates}"
    finish = datetime.now() + timedelta(seconds=min(shot.eta_seconds, TEN_YEARS))
    clock = f"{finish:%H:%M}" if shot.eta_seconds < 43_200 else f"{finish:%a %d %b %H:%M}"
    return f"{done}{later} · {rates} · {duration(shot.eta_seconds)} left, done at {clock}"


def spent(
    by_status: dict[str, int], before: int, tokens_in: int, tokens_out: int, cost_usd: float
) -> str:
    """Return counts by status, tokens and cost, on one line."""
    parts = [counts(by_status)]
    if before:
        parts.append(f"{before:,} done before")
    if tokens_in or tokens_out:
        parts.append(f"{tokens_in:,} tokens in, {tokens_out:,} out")
    if cost_usd:
        parts.append(f"${cost_usd:,.4f}")
    return " · ".join(parts)
