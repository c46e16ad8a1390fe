"""A machine that cannot run the cluster gets one reason, and tests skip or fail by it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TEST = "tests/cluster/test_nodes.py::test_two_real_nodes_are_ready"
REASON = (
    "no test cluster: its programs are built with Go, which is not on PATH. "
    "Run the tests as root on Linux with Go installed, "
    "or set GRAFT_TEST_KUBECONFIG to the kubeconfig of a cluster of yours"
)


@pytest.mark.parametrize(("ci", "outcome"), [("0", "skipped"), ("1", "error")])
def test_without_go_every_test_of_the_cluster_says_how_to_get_one(
    root: Path, tmp_path: Path, ci: str, outcome: str
) -> None:
    environ = {"PATH": str(tmp_path), "GRAFT_CI": ci, "HOME": os.environ.get("HOME", "/")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", TEST]
    done = subprocess.run(
        command, cwd=root, env=environ, capture_output=True, text=True, check=False
    )

    assert re.search(rf"^1 {outcome} in ", done.stdout, re.MULTILINE), done.stdout
    assert REASON in done.stdout
