"""Small file systems that fill up or take nothing; only root can have them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A file system in memory at the folder, gone afterwards; skips where none can be had."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    folder.mkdir()
    arguments = ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)]
    made = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"cannot mount here: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def remount(folder: Path, options: str) -> None:
    """The file system takes the new options, such as its size, and keeps its files."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)
