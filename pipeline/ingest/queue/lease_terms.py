"""How long a worker may hold an item of a queue, and how often an item is tried."""

from __future__ import annotations

LEASE_SECONDS = 60.0
"""Time after which an item returns to the queue, unless its worker renews the lease."""

MAX_ATTEMPTS = 3
"""Attempts after which an item is given up: it may be what kills the workers."""
