"""The entry point, for `pcc` and for `python -m pcc_tui`."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line; Ctrl+C while it is still being loaded is no error."""
    try:
        from pcc_tui.cli.main import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
