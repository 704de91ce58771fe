"""What the machine is doing: processor, memory, disk, and each GPU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec
import psutil

from journal import free_bytes


class Gpu(msgspec.Struct, frozen=True):
    """One GPU at one moment; a reading that the card does not give is None.

    Attributes:
        name: Name of the card, as the driver gives it.
        memory_used: Memory in use, in bytes.
        memory_total: Memory of the card, in bytes.
        busy: Share of the time in which the card works, 0 to 1.
        celsius: Temperature in degrees Celsius.
    """

    name: str
    memory_used: int | None = None
    memory_total: int | None = None
    busy: float | None = None
    celsius: float | None = None


class Readings(msgspec.Struct, frozen=True):
    """The machine at one moment.

    Attributes:
        gpus: The state of each card.
        no_gpu: Why there is no card, empty if there is one.
        cpu: Share of all cores in use, 0 to 1.
        memory_used: Memory in use, in bytes.
        memory_total: Memory of the machine, in bytes.
        disk_free: Bytes left on the disk of the workspace.
    """

    gpus: tuple[Gpu, ...]
    no_gpu: str
    cpu: float
    memory_used: int
    memory_total: int
    disk_free: int


def card_bytes(readings: Readings) -> int | None:
    """Return the memory of the largest GPU in bytes, None where there is none."""
    return max((gpu.memory_total or 0 for gpu in readings.gpus), default=0) or None


class GpuProbe(Protocol):
    """Reads the GPUs of a machine."""

    reason: str
    """Why there is no GPU, empty if there is one."""

    def sample(self) -> tuple[Gpu, ...]:
        """Return the state of each GPU."""


class NullProbe:
    """Stands in where no GPU can be read, and says why."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def sample(self) -> tuple[Gpu, ...]:
        """Return no GPU."""
        return ()


class NvmlProbe:
    """Reads NVIDIA's cards through NVIDIA's management library.

    Args:
        nvml: The module `pynvml`, already initialised.
    """

    def __init__(self, nvml: Any) -> None:
        self._nvml = nvml
        self.reason = ""

    def sample(self) -> tuple[Gpu, ...]:
        """Return the state of each card; a card that is lost keeps its place."""
        count = self._ask(self._nvml.nvmlDeviceGetCount) or 0
        self.reason = "" if count else "the driver finds no GPU"
        return tuple(self._read(number) for number in range(count))

    def _read(self, number: int) -> Gpu:
        nvml = self._nvml
        handle = self._ask(nvml.nvmlDeviceGetHandleByIndex, number)
        if handle is None:
            return Gpu(f"GPU {number}, lost")
        memory = self._ask(nvml.nvmlDeviceGetMemoryInfo, handle)
        use = self._ask(nvml.nvmlDeviceGetUtilizationRates, handle)
        name = self._ask(nvml.nvmlDeviceGetName, handle)
        return Gpu(
            name=name.decode() if isinstance(name, bytes) else name or f"GPU {number}",
            memory_used=None if memory is None else int(memory.used),
            memory_total=None if memory is None else int(memory.total),
            busy=None if use is None else use.gpu / 100,
            celsius=self._ask(nvml.nvmlDeviceGetTemperature, handle, nvml.NVML_TEMPERATURE_GPU),
        )

    def _ask(self, question: Callable[..., Any], *arguments: Any) -> Any:
        """Return an answer, None where there is none: with MIG, a lost card or an old driver."""
        try:
            return question(*arguments)
        except self._nvml.NVMLError:
            return None


def find_gpus() -> GpuProbe:
    """Return a probe for this machine's GPUs."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except (pynvml.NVMLError_LibraryNotFound, pynvml.NVMLError_DriverNotLoaded):
        return NullProbe("no NVIDIA driver")
    except pynvml.NVMLError as error:
        return NullProbe(f"cannot be read: {error}")
    return NvmlProbe(pynvml)


class MachineProbe:
    """Reads the whole machine; a reading takes time, so ask off the event loop.

    Args:
        workspace: The directory whose disk is read.
        gpus: Reads the GPUs; found at the first sample if not given.
    """

    def __init__(self, workspace: Path, gpus: GpuProbe | None = None) -> None:
        self._workspace = workspace
        self._gpus = gpus

    def sample(self) -> Readings:
        """Return the state of the machine."""
        if self._gpus is None:
            self._gpus = find_gpus()
        place = self._workspace.absolute()
        while not place.exists():  # the first run makes the workspace
            place = place.parent
        memory = psutil.virtual_memory()
        gpus = self._gpus.sample()
        return Readings(
            gpus=gpus,
            no_gpu=self._gpus.reason,
            cpu=psutil.cpu_percent() / 100,
            memory_used=memory.total - memory.available,
            memory_total=memory.total,
            disk_free=free_bytes(place),
        )
