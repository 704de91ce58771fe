"""How much memory decoding may take: our own limit, the shell's, and the container's."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

MOST_BYTES = 3 << 30
"""Address space of a decoding process in bytes: enough to decode a JPEG of 256 megapixels."""

LEAST_BYTES = 128 << 20
"""Address space below which neither a job nor its decoding processes can be relied on."""

LEAST_IN_CONTAINER = 512 << 20
"""Address space that a container's limit leaves in any case. The container counts memory in use,
and threads reserve much more address space than they use."""

USUAL_BYTES = 256 << 20
"""Memory that a decoding process uses for the photos of usual cameras, at most."""

BYTES_A_PIXEL = 12
"""What decoding takes at most for each pixel: planes, a copy in RGB, and a copy in 8 bits."""

M_ARENA_MAX = -8
"""Number of a setting of glibc's `mallopt`."""

OWN = "pcc's own limit"
SHELL = "the limit of `ulimit -v`"

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")


class MemoryLimit(NamedTuple):
    """The address space that a decoding process may take.

    Attributes:
        bytes: The limit.
        source: What sets the limit.
    """

    bytes: int
    source: str

    @property
    def is_lowered(self) -> bool:
        """True when something else than pcc sets the limit."""
        return self.source != OWN

    @property
    def remedy(self) -> str:
        """What lifts the limit."""
        if self.source == SHELL:
            return "`ulimit -v unlimited` in the shell that starts pcc lifts it"
        return "give the container more memory"

    @property
    def hint(self) -> str:
        """What to add to an error that a lack of memory may explain; empty for our own limit."""
        return f"; memory is limited to {self}: {self.remedy}" if self.is_lowered else ""

    def __str__(self) -> str:
        return f"{self.bytes / 1e9:.2g} GB, {self.source}"


def memory_limit() -> MemoryLimit:
    """Return the lowest of the limits that hold for a decoding process."""
    limits = [MemoryLimit(MOST_BYTES, OWN)]
    soft = resource.getrlimit(resource.RLIMIT_AS)[0]
    if soft != resource.RLIM_INFINITY:
        limits.append(MemoryLimit(soft, SHELL))
    container = container_limit()
    if container is not None:
        lowered = max(container.bytes, LEAST_IN_CONTAINER)
        limits.append(container._replace(bytes=lowered))
    return min(limits, key=lambda limit: limit.bytes)


def limit_memory() -> MemoryLimit:
    """Limit the memory of this process, and return the limit."""
    limit = memory_limit()
    with suppress(ValueError, OSError):  # macOS has no such limit, and refuses to set one
        resource.setrlimit(resource.RLIMIT_AS, (limit.bytes, limit.bytes))
    return limit


def spare_address_space() -> None:
    """Keep each thread of this process from reserving 64 MB where `ulimit -v` counts them.

    For glibc; other systems reserve less, and have no such setting.
    """
    if resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY:
        import ctypes  # nobody else needs it at the start

        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def may_lack_memory(limit: MemoryLimit, pixels: int) -> bool:
    """Tell whether this process may be too small for a picture.

    Libraries tell a lack of memory in words of their own, or call the picture damaged.
    """
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    except (OSError, ValueError):
        return False  # not Linux, where the limit does not hold either
    left = limit.bytes - pages * resource.getpagesize()
    return limit.is_lowered and pixels * BYTES_A_PIXEL > left


def usable_memory() -> int:
    """Return the memory that all processes of this machine or container share, in bytes."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    container = container_limit()
    return machine if container is None else min(machine, container.bytes)


def container_limit() -> MemoryLimit | None:
    """Return the lowest limit of the control groups of this process, None where there is none."""
    found = []
    for file in _limit_files():
        try:
            text = file.read_text("ascii").strip()
        except (OSError, ValueError):
            continue
        if text.isdigit():  # "max" is no limit; neither is version 1's huge number
            found.append(MemoryLimit(int(text), f"the limit of the container ({file})"))
    return min(found, key=lambda limit: limit.bytes, default=None)


def _limit_files() -> Iterator[Path]:
    """Yield where the limits may stand: of this process's group and of all groups above it."""
    try:
        lines = OWN_CGROUPS.read_text("utf-8", "replace").splitlines()
    except OSError:
        return  # not Linux
    for line in lines:
        _, controllers, path = line.split(":", 2)
        version_1 = "memory" in controllers.split(",")
        if controllers and not version_1:
            continue
        top = CGROUPS / "memory" if version_1 else CGROUPS
        name = "memory.limit_in_bytes" if version_1 else "memory.max"
        group = top / path.lstrip("/")
        while True:
            yield group / name
            if group == top:
                break
            group = group.parent
