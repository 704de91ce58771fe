"""Which queue a user named, and where it is."""

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
        cache: The cache's directory; the file of SQLite lies in it.
        name: Tells the queues on one Redis server apart.

    Raises:
        SetupError: `where` is neither, or an extra is missing.
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
