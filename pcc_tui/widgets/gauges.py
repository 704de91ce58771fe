"""Gauges for what the machine is doing: bars and figures."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from pcc_tui.probes import Gpu, Readings
from pcc_tui.widgets.text import safe

BAR_CELLS = 10
GB = 1e9
GIB = 1 << 30

BUSY, FULL = 0.75, 0.92
"""Shares from which a bar warns, and from which it alarms."""

LITTLE_DISK = 2 * GB


def bar(share: float) -> Content:
    """Return a bar of a share between 0 and 1, coloured by how full it is."""
    share = max(0.0, min(1.0, share))
    style = "$error" if share >= FULL else "$warning" if share >= BUSY else "$success"
    filled = round(share * BAR_CELLS)
    return Content.assemble(
        ("━" * filled, style), ("━" * (BAR_CELLS - filled), "$surface-lighten-2")
    )


def gauge(name: str, share: float | None, text: str) -> Content:
    """Return one line: name, bar and figures; a share that is not known has no bar."""
    drawn = Content(" " * BAR_CELLS) if share is None else bar(share)
    return Content.assemble((f"{name:<5}", "dim"), drawn, " ", text)


def gpu_lines(gpu: Gpu) -> list[Content]:
    """Return the lines of one card; `N/A` where the card gives no reading."""
    known = gpu.memory_used is not None and gpu.memory_total
    share = gpu.memory_used / gpu.memory_total if known else None  # type: ignore[operator]
    memory = (
        f"{gpu.memory_used / GIB:.1f} of {gpu.memory_total / GIB:.1f} GiB"  # type: ignore[operator]
        if known
        else "N/A"
    )
    heat = "N/A" if gpu.celsius is None else f"{gpu.celsius:.0f} °C"
    busy = "N/A" if gpu.busy is None else f"{gpu.busy:.0%}"
    return [
        safe(gpu.name, "dim"),
        gauge("VRAM", share, memory),
        gauge("GPU", gpu.busy, f"{busy}, {heat}"),
    ]


class Gauges(Static):
    """Shows each GPU, the processor, the memory and the disk."""

    def show(self, readings: Readings) -> None:
        """Show what was read."""
        lines = [line for gpu in readings.gpus for line in gpu_lines(gpu)]
        if not readings.gpus:
            lines.append(Content.assemble(("GPU  ", "dim"), safe(readings.no_gpu)))
        used, total = readings.memory_used / GIB, readings.memory_total / GIB
        disk = f"{readings.disk_free / GB:,.1f} GB left"
        style = "$error" if readings.disk_free < LITTLE_DISK else ""
        lines += [
            gauge("CPU", readings.cpu, f"{readings.cpu:.0%}"),
            gauge("RAM", used / total, f"{used:.1f} of {total:.1f} GiB"),
            Content.assemble(("Disk ", "dim"), (disk, style)),
        ]
        self.update(Content("\n").join(lines))
