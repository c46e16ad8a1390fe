"""What may be imported without paying for more: help texts need no models."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LIGHT = ("vocabulary", "errors", "plan", "progress", "faults", "kinds")


@pytest.mark.parametrize("module", LIGHT)
def test_the_light_modules_import_no_pydantic_and_no_yaml(module: str) -> None:
    code = f"import sys, graft_api.{module}; print(*({{'pydantic', 'yaml'}} & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == ""


def test_a_kind_is_imported_only_when_it_is_asked_for(root: Path) -> None:
    code = (
        "import sys; from graft_api.decoding import decode; from tests.api.jobs import SERVE;"
        "decode(SERVE); print(*sorted(m for m in sys.modules if m.endswith('job')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == ""
