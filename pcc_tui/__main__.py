"""The entry point, for `pcc` and for `python -m pcc_tui`."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line; Ctrl+C while it is still being loaded is no error."""
    if sys.getfilesystemencoding() != "utf-8":
        _start_in_utf_8()
    try:
        from pcc_tui.cli.main import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


def _start_in_utf_8() -> NoReturn:
    """Start anew with file names in UTF-8, which a Latin-1 locale would read as something else.

    A photo has one key in every locale, or it would be captioned once in each. What is printed
    keeps the encoding of the locale.
    """
    encoding = sys.stdout.encoding if sys.stdout is not None else "ascii"
    environment = {"PYTHONIOENCODING": encoding, **os.environ, "PYTHONUTF8": "1"}
    python = [sys.executable, "-X", "utf8", *sys.orig_argv[1:]]
    os.execve(sys.executable, python, environment)  # noqa: S606 - the same program


if __name__ == "__main__":
    main()
