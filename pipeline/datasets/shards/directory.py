"""The directory of shards: refused, left alone, or taken over and locked."""

from __future__ import annotations

import os
import re
from pathlib import Path

from journal import JournalLocked, make_directory, remove, take_lock
from pipeline.datasets.errors import OtherShards
from pipeline.datasets.shards.index import ShardIndex, difference, read_index

_SHARD = re.compile(r"shard-(\d{6,})\.(?:tar|parquet)", re.ASCII)
_LEFTOVER = re.compile(
    r"\.shard-\d{6,}\.(?:tar|parquet)\.partial|\._?index\.json\.\d+\.tmp", re.ASCII
)


class DirectoryLock:
    """The lock of a directory in which this process alone writes; it dies with its holder.

    Raises:
        JournalLocked: another process makes shards there.
    """

    def __init__(self, directory: Path) -> None:
        self._descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            locked = take_lock(self._descriptor, directory)
        except BaseException:
            os.close(self._descriptor)
            raise
        if not locked:
            os.close(self._descriptor)
            raise JournalLocked(directory, "another pcc dataset shards")

    def release(self) -> None:
        """Give the lock back."""
        os.close(self._descriptor)


def look_at(directory: Path, wanted: ShardIndex) -> ShardIndex:
    """Return the index that a directory holds, or an empty one to begin with; touches nothing.

    Args:
        directory: Directory for the shards; it need not exist.
        wanted: An index that says what is to be made; its list of shards is ignored.

    Raises:
        OtherShards: the directory holds shards of something else, or not those of its index.
    """
    found = read_index(directory)
    if found is None or not (found.shards or found.complete):
        # A shard gets its name before the index names it, so one may be there already.
        _refuse_clashes(directory, wanted, behind=0 if found is None else 1)
        return ShardIndex(
            format=wanted.format,
            source=wanted.source,
            options=wanted.options,
            patches=wanted.patches,
        )
    why = difference(found, wanted)
    if why is not None:
        raise OtherShards(directory, why)
    for shard in found.shards:
        if _size_of(directory / shard.name) != shard.bytes:
            raise OtherShards(directory, f"an index, but not {shard.name} as that tells of it")
    if not found.complete:
        _refuse_clashes(directory, wanted, behind=len(found.shards) + 1)
    return found


def take_over(directory: Path, wanted: ShardIndex) -> tuple[ShardIndex, DirectoryLock]:
    """Make a directory ready for the next shard, and lock it.

    What a killed run left behind is removed.

    Raises:
        OtherShards: the directory holds shards of something else.
        JournalLocked: another process makes shards there.
    """
    make_directory(directory)
    lock = DirectoryLock(directory)
    try:
        index = look_at(directory, wanted)
        if not index.complete:
            for name in os.listdir(directory):
                if _LEFTOVER.fullmatch(name):
                    remove(directory / name)
            remove(directory / index.shard_name(len(index.shards)))
            index.write(directory)
    except BaseException:
        lock.release()
        raise
    return index, lock


def _refuse_clashes(directory: Path, wanted: ShardIndex, behind: int) -> None:
    """Refuse a directory with shards from a number on that no index names."""
    names = os.listdir(directory) if directory.is_dir() else []
    for name in sorted(names):
        shard = _SHARD.fullmatch(name)
        if shard and name == wanted.shard_name(int(shard[1])) and int(shard[1]) >= behind:
            raise OtherShards(directory, f"{name}, which no index of ours names")


def _size_of(path: Path) -> int | None:
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None
