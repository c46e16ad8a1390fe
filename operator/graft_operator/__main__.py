"""`python -m graft_operator`."""

from __future__ import annotations

import os
import sys

from graft_operator.shell.start import main

sys.exit(main(os.environ))
