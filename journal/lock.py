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

from journal.errors import JournalLocked, JournalLost
from journal.lines import UNREADABLE

PATIENCE_SECONDS = 2.0
"""Seconds to wait for another process that is just writing a line by hand."""


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


class WriterLock:
    """An exclusive lock on a journal, held through an open descriptor of it.

    The lock is on the file, not on its name, so a hard link to the file is locked
    as well. A symbolic link is followed first.

    Args:
        path: The journal; created, readable by its owner alone, if absent.
        command: What the holder does, shown to whoever is refused.

    Raises:
        JournalLocked: another process holds the lock.
    """

    def __init__(self, path: Path, command: str) -> None:
        self.path = path.resolve()
        self.descriptor = self._open_locked()
        self._held = True
        self._note(command)

    def _open_locked(self) -> int:
        while True:
            descriptor = os.open(
                self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
            )
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(descriptor)
                if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                    error.filename = str(self.path)
                    raise
                raise JournalLocked(self.path, read_holder(self.path)) from None
            if self._still_named(descriptor):
                return descriptor
            os.close(descriptor)

    def _still_named(self, descriptor: int) -> bool:
        try:
            named = os.stat(self.path)
        except FileNotFoundError:
            return False
        return os.path.samestat(named, os.fstat(descriptor))

    def _note(self, command: str) -> None:
        """Leave a note of who holds the lock; a full disk is no reason to fail here."""
        note = Holder(os.getpid(), socket.gethostname(), command)
        with suppress(OSError):
            target = holder_path(self.path)
            target.touch(mode=0o600)
            target.write_bytes(msgspec.json.encode(note))

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
            holder_path(self.path).unlink(missing_ok=True)
            os.close(self.descriptor)


def read_holder(journal: Path) -> str:
    """Return a description of who holds a journal's lock."""
    try:
        return str(msgspec.json.decode(holder_path(journal).read_bytes(), type=Holder))
    except (OSError, *UNREADABLE):
        return "another process"


def patient_lock(path: Path, command: str, patience: float = PATIENCE_SECONDS) -> WriterLock:
    """Return a lock that is only ever held for a moment, such as that on the journal of edits.

    Args:
        path: The journal.
        command: What the holder does.
        patience: Seconds to wait for the lock.

    Raises:
        JournalLocked: another process holds the lock for longer.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            return WriterLock(path, command)
        except JournalLocked:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
