"""`python -m tui`, and what the frozen app runs: the command `amauta`."""

import sys

from tui.cli import main

if __name__ == "__main__":
    sys.exit(main())
