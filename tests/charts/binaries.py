"""Where the programs are that the tests of the chart run."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.lacking import lacking

CACHE = Path(os.environ.get("GRAFT_CLUSTER_CACHE", "~/.cache/graft-cluster")).expanduser()


def binary(name: str) -> Path:
    """The program; the test is skipped, or fails in CI, where there is none."""
    built = CACHE / "bin" / name
    found = str(built) if built.is_file() else shutil.which(name)
    if not found:
        lacking(
            f"{name} not found in {built.parent} or on PATH: run `python -m tests.cluster build`"
        )
    return Path(found)


def run(
    name: str, *arguments: str, stdin: str = "", **environ: str
) -> subprocess.CompletedProcess[str]:
    """What the program said, and how it ended."""
    return subprocess.run(
        [str(binary(name)), *arguments],
        env={**os.environ, **environ},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
