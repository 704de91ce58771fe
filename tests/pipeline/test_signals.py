"""Signals: each further one ends a job sooner."""

from __future__ import annotations

import os
import signal

import pytest

from pipeline.jobs.signals import StopOrders


def test_the_third_signal_waits_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that waits for a dead share would hold up every other end."""
    happened: list[object] = []
    monkeypatch.setattr(os, "_exit", happened.append)
    orders = StopOrders(lambda: happened.append("stop"), lambda: happened.append("abort"))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
        orders.on_signal(number)

    assert happened == ["stop", "abort", 130]
