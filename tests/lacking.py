"""What becomes of a test that needs what this machine lacks."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def lacking(why: str) -> NoReturn:
    """Ends the test: skipped, or failed where continuous integration must not skip."""
    if os.environ.get("GRAFT_CI") == "1":
        pytest.fail(why, pytrace=False)
    pytest.skip(why)
