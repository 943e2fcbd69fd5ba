"""``python -m digitize``: the command line."""

from __future__ import annotations

import sys

from digitize.cli import main

if __name__ == "__main__":  # reading processes import this module again
    sys.exit(main())
