"""Textual's driver for terminals, made to live with bytes that are no text."""

from __future__ import annotations

from textual.drivers.linux_driver import LinuxDriver


class PatientDriver(LinuxDriver):
    """Passes over input that is not UTF-8, such as a key of a Latin-1 terminal."""

    def run_input_thread(self) -> None:
        """Read keys until the app is left; what cannot be read is dropped."""
        while not self.exit_event.is_set():
            try:
                super().run_input_thread()
            except UnicodeDecodeError:
                continue
