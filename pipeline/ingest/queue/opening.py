"""From the name of a queue, as a user gives it, to the queue."""

from __future__ import annotations

from pathlib import Path

from backends.errors import SetupError
from pipeline.ingest.queue.base import WorkQueue

SQLITE_FILE = "queue.sqlite"
SCHEMES = ("redis://", "rediss://", "unix://")


def open_queue(where: str, cache: Path, name: str) -> WorkQueue:
    """Open the queue of a cache.

    Args:
        where: `sqlite`, or the URL of a Redis server.
        cache: Directory of the cache; the SQLite file lies in it.
        name: Name of the cache, which tells the queues on one Redis server apart.

    Raises:
        SetupError: `where` is neither of these, or an extra is missing.
        QueueUnusable: the queue cannot be opened as it stands.
    """
    if where == "sqlite":
        from pipeline.ingest.queue.sqlite_queue import SqliteQueue

        return SqliteQueue(cache / SQLITE_FILE)
    if where.startswith(SCHEMES):
        from pipeline.ingest.queue.redis_queue import RedisQueue

        return RedisQueue(where, f"pcc:ingest:{name}:")
    # The text is not repeated: an address with a slip in it may still hold a password.
    raise SetupError(
        "a queue is either sqlite, or an address that starts with redis://, rediss:// or unix://"
    )
