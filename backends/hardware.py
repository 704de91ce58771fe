"""Where a model runs, in which number format, and how much memory there is for it."""

from __future__ import annotations

import gc
import resource
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil

from backends.base import Dtype
from backends.errors import SetupError

DEVICES = ("cuda", "mps", "xpu", "cpu")

BATCH_SIZE = {"cuda": 8, "mps": 4, "cpu": 1}
"""Pictures in a batch by kind of device; a picture already keeps every core of a CPU at work."""


def choose_device(asked: str | None) -> str:
    """Return the device that was asked for, or else the best there is.

    Raises:
        SetupError: the device that was asked for is not there.
    """
    import torch

    if asked is None:
        if torch.cuda.is_available():
            return "cuda:0"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    kind = asked.partition(":")[0]
    if kind not in DEVICES:
        raise SetupError(f"--device {asked} is none of {', '.join(DEVICES)}, or cuda:1")
    if kind == "cuda" and not torch.cuda.is_available():
        raise SetupError(f"--device {asked}: CUDA is not available: {why_no_cuda()}")
    if kind == "mps" and not torch.backends.mps.is_available():
        raise SetupError(f"--device {asked}: this machine or this torch has no Metal")
    try:
        torch.zeros(1, device=asked)
    except (RuntimeError, AssertionError) as error:
        first_line = str(error).partition("\n")[0]
        raise SetupError(f"--device {asked} cannot be used: {first_line}") from None
    return asked


def why_no_cuda() -> str:
    """Return why torch finds no NVIDIA card, and what mends it."""
    import torch

    if torch.version.cuda is None:
        return "the installed torch was built without it; install the CUDA build of torch"
    if not _driver_is_there():
        return "there is no NVIDIA driver; `nvidia-smi` should list your card"
    return f"torch is built for CUDA {torch.version.cuda}; a driver that old needs an older torch"


def _driver_is_there() -> bool:
    if find_spec("pynvml") is None:
        return False
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return False
    return True


def cpu_notice(device: str) -> str | None:
    """Return what to tell a user whose model runs on the CPU, None for any other device."""
    if device != "cpu":
        return None
    if _driver_is_there():
        return f"the model runs on the CPU although there is an NVIDIA card: {why_no_cuda()}"
    return "no GPU was found: the model runs on the CPU, many times slower"


def choose_dtype(asked: Dtype | None, device: str) -> Dtype:
    """Return the number format that was asked for, or else the one that the hardware does best."""
    import torch

    if asked is not None:
        return asked
    if device.startswith("cuda"):
        # Older cards only emulate bfloat16.
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        return "bfloat16" if native else "float16"
    return "float16" if device == "mps" else "float32"


def free_memory(device: str) -> int:
    """Return the bytes that a model or a batch may still take on a device."""
    import torch

    if device.startswith("cuda"):
        free, _ = torch.cuda.mem_get_info(device)
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(free + cached)
    return int(psutil.virtual_memory().available)


class PeakMemory:
    """Measures the most memory that some work takes on top of what is in use.

    Attributes:
        bytes: The most memory, known once the block is left.
    """

    def __init__(self, device: str) -> None:
        self.bytes = 0
        self._device = device

    def __enter__(self) -> PeakMemory:
        if self._device.startswith("cuda"):
            import torch

            torch.cuda.reset_peak_memory_stats(self._device)
        else:
            with suppress(OSError):  # Linux: else the peak is that of loading
                Path("/proc/self/clear_refs").write_text("5")
        self._before = self._now()
        return self

    def __exit__(self, *_: object) -> None:
        self.bytes = max(0, self._peak() - self._before)

    def _now(self) -> int:
        if self._device.startswith("cuda"):
            import torch

            return int(torch.cuda.memory_allocated(self._device))
        return int(psutil.Process().memory_info().rss)

    def _peak(self) -> int:
        if self._device.startswith("cuda"):
            import torch

            return int(torch.cuda.max_memory_allocated(self._device))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error means that there was too little memory, on whichever device."""
    import torch

    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and (
        "DefaultCPUAllocator" in text or "out of memory" in text
    )


def is_fatal(error: BaseException) -> bool:
    """Tell whether an error leaves the device unusable to this process, as CUDA's own do."""
    import torch

    kind = getattr(torch, "AcceleratorError", None)  # since torch 2.8
    if kind is not None and isinstance(error, kind):
        return True
    return isinstance(error, RuntimeError) and str(error).startswith("CUDA error")


def release_memory(device: str) -> None:
    """Give back the memory that a failed batch held."""
    gc.collect()
    import torch

    if device.startswith("cuda"):
        torch.cuda.empty_cache()
    elif device.startswith("mps"):
        torch.mps.empty_cache()


def torch_dtype(dtype: Dtype) -> Any:
    """Return torch's object for a number format."""
    import torch

    return getattr(torch, dtype)
