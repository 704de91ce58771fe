"""Readings of the machine, from real, absent, broken and made-up cards."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pynvml
import pytest
from rich.text import Text

from pcc_tui.probes import Gpu, MachineProbe, NullProbe, NvmlProbe, find_gpus
from pcc_tui.widgets.gauges import gpu_lines
from tests.support.apps import FakeProbe


class Driver:
    """NVIDIA's library with one good card, one in MIG mode and one that is lost."""

    NVMLError = pynvml.NVMLError
    NVML_TEMPERATURE_GPU = 0

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return 3

    def nvmlDeviceGetHandleByIndex(self, number: int) -> int:  # noqa: N802
        if number == 2:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)
        return number

    def nvmlDeviceGetName(self, handle: int) -> bytes:  # noqa: N802
        return b"H200"

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:  # noqa: N802
        return SimpleNamespace(used=1 << 30, total=4 << 30)

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> Any:  # noqa: N802
        if handle == 1:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return SimpleNamespace(gpu=80)

    def nvmlDeviceGetTemperature(self, handle: int, sensor: int) -> int:  # noqa: N802
        if handle == 1:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return 66


def test_a_lost_card_and_one_in_mig_mode_keep_their_place() -> None:
    good, mig, lost = NvmlProbe(Driver()).sample()
    assert good == Gpu("H200", 1 << 30, 4 << 30, 0.8, 66)
    assert mig == Gpu("H200", 1 << 30, 4 << 30, None, None)
    assert lost == Gpu("GPU 2, lost")


def test_no_reading_is_said_not_raised() -> None:
    lines = "\n".join(line.plain for line in gpu_lines(Gpu("GPU 2, lost")))
    assert lines.count("N/A") == 3


def test_without_a_driver_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise pynvml.NVMLError_LibraryNotFound(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", missing)
    probe = find_gpus()
    assert probe.sample() == ()
    assert probe.reason == "no NVIDIA driver"


def test_the_machine_is_read_for_real(tmp_path: Path) -> None:
    readings = MachineProbe(tmp_path).sample()
    assert 0 < readings.memory_used < readings.memory_total
    assert readings.disk_free > 0
    assert bool(readings.gpus) is not bool(readings.no_gpu)


def test_a_made_up_card_is_shown(tmp_path: Path) -> None:
    [gpu] = MachineProbe(tmp_path, FakeProbe()).sample().gpus
    text = Text("\n").join(Text(line.plain) for line in gpu_lines(gpu)).plain
    assert "6.0 of 8.0 GiB" in text
    assert "97%, 71 °C" in text
    assert MachineProbe(tmp_path, NullProbe("none")).sample().no_gpu == "none"
