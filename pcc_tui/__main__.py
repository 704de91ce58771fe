"""`python -m pcc_tui` is `pcc`."""

from pcc_tui.cli.main import main

if __name__ == "__main__":
    main()
