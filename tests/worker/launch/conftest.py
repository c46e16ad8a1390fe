"""Launchers of gangs, forked from one program that has torch at hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from graft_api.progress import Termination
from graft_worker.report import termination


@dataclass(slots=True)
class Launchers:
    server: subprocess.Popen[str]
    folder: Path = field(default_factory=Path)
    told: dict[str, str] = field(default_factory=dict)

    def start(self, actions: str, **environ: str) -> int:
        """The process id of a launcher of as many workers as there are actions."""
        assert self.server.stdin
        told = {
            "FOLDER": str(self.folder),
            "ACTIONS": actions,
            "PET_NPROC_PER_NODE": str(len(actions.split())),
            "OMP_NUM_THREADS": "1",
            "GRAFT_TERMINATION_FILE": str(self.folder / "termination.json"),
        }
        self.server.stdin.write(json.dumps(told | self.told | environ) + "\n")
        self.server.stdin.flush()
        return self._number()

    def wait(self) -> int:
        """The exit code of the launcher started last."""
        return self._number()

    def words(self) -> Termination | None:
        return termination.read(self.folder / "termination.json")

    def _number(self) -> int:
        assert self.server.stdout
        return int(self.server.stdout.readline())


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[subprocess.Popen[str]]:
    paths = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("launchers.py"))],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        process.kill()


@pytest.fixture
def launchers(server: subprocess.Popen[str], tmp_path: Path) -> Launchers:
    return Launchers(server, tmp_path)
