"""One writer at a time: an OS lock on the journal itself, which dies with its holder."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from journal.errors import JournalLocked, JournalLost, LocksMissing, NotOurs
from journal.file_kinds import FileKind
from journal.foreign_files import read_whole
from journal.lines import UNREADABLE
from journal.own_files import open_own, remove

PATIENCE_SECONDS = 2.0
"""Seconds to wait for another process that is just writing a line by hand."""

HELD = (errno.EWOULDBLOCK, errno.EACCES)
"""How the system says that another process holds a lock."""

NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
"""How a file system says that it has no locks."""


class Holder(msgspec.Struct):
    """Who writes a journal. A note for people; the lock itself is the kernel's."""

    pid: int
    host: str
    command: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} ({self.command})"


def holder_path(journal: Path) -> Path:
    """Return where the holder of a journal's lock leaves its name."""
    return journal.with_name(journal.name + ".lock")


def take_lock(descriptor: int, path: Path, *, shared: bool = False, wait: bool = False) -> bool:
    """Lock an open file or directory; tell whether that succeeded.

    Args:
        descriptor: The open file.
        path: The path of the file, for errors.
        shared: Whether others may hold the lock as well, if they share it too.
        wait: Whether to wait for others to give the lock back.

    Raises:
        LocksMissing: the file system has no locks.
    """
    operation = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, operation if wait else operation | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in HELD:
            return False
        if error.errno in NO_LOCKS:
            raise LocksMissing(path, error) from None
        raise
    return True


class WriterLock:
    """An exclusive lock on a journal, held through an open descriptor of it.

    The lock is on the file, not on its name, so a hard link to the file is locked
    as well. A symbolic link is refused, since a journal may come from elsewhere and its link
    lead anywhere.

    Args:
        path: The journal; created, readable by its owner alone, if absent.
        command: What the holder does, shown to whoever is refused.
        kind: What the journal must be if it holds anything; None for a file that is only locked.

    Raises:
        JournalLocked: another process holds the lock.
        LocksMissing: the file system has no locks.
        FileRefused: the journal would be inside the photos directory, or is no such journal.
    """

    def __init__(self, path: Path, command: str, kind: FileKind | None) -> None:
        self.path = path.parent.resolve() / path.name
        self.descriptor = self._open_locked(kind)
        self._held = True
        self._note(command)

    def _open_locked(self, kind: FileKind | None) -> int:
        while True:
            descriptor = open_own(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, kind)
            try:
                locked = take_lock(descriptor, self.path)
            except BaseException:
                os.close(descriptor)
                raise
            if not locked:
                os.close(descriptor)
                raise JournalLocked(self.path, read_holder(self.path))
            if self._still_named(descriptor):
                return descriptor
            os.close(descriptor)

    def _still_named(self, descriptor: int) -> bool:
        try:
            named = os.lstat(self.path)
        except FileNotFoundError:
            return False
        return os.path.samestat(named, os.fstat(descriptor))

    def _note(self, command: str) -> None:
        """Leave a note of who holds the lock; a full disk is no reason to fail here."""
        note = Holder(os.getpid(), socket.gethostname(), command)
        target = holder_path(self.path)
        with suppress(OSError):
            remove(target)  # never written into, whatever it is
            descriptor = open_own(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            with open(descriptor, "wb") as file:
                file.write(msgspec.json.encode(note))

    def verify(self) -> None:
        """Make sure that the path still names the locked file.

        Raises:
            JournalLost: the file was renamed, replaced or removed.
        """
        if not self._still_named(self.descriptor):
            raise JournalLost(self.path)

    def release(self) -> None:
        """Give the lock back; a second call does nothing. The note of the holder goes first."""
        if self._held:
            self._held = False
            with suppress(OSError):
                remove(holder_path(self.path))
            os.close(self.descriptor)


def read_holder(journal: Path) -> str:
    """Return a description of who holds a journal's lock."""
    try:
        return str(msgspec.json.decode(read_whole(holder_path(journal)), type=Holder))
    except (OSError, NotOurs, *UNREADABLE):
        return "another process"


def patient_lock(
    path: Path, command: str, kind: FileKind | None, patience: float = PATIENCE_SECONDS
) -> WriterLock:
    """Return a lock that is only ever held for a moment, such as that on the journal of edits.

    Args:
        path: The journal.
        command: What the holder does.
        kind: What the journal must be if it holds anything.
        patience: Seconds to wait for the lock.

    Raises:
        JournalLocked: another process holds the lock for longer.
        LocksMissing: the file system has no locks.
        FileRefused: the journal would be inside the photos directory, or is no such journal.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            return WriterLock(path, command, kind)
        except JournalLocked:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
