"""`python -m graft_cli` is `graft`."""

from __future__ import annotations

import sys

from graft_cli.main import main

if __name__ == "__main__":
    sys.exit(main())
