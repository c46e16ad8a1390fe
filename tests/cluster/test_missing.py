"""A machine that cannot run the cluster gets one reason, and tests skip or fail by it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TEST = "tests/cluster/test_nodes.py"


@pytest.mark.parametrize(("ci", "outcome"), [("0", "3 skipped"), ("1", "3 errors")])
def test_without_go_every_test_of_the_cluster_says_how_to_get_one(
    root: Path, tmp_path: Path, ci: str, outcome: str
) -> None:
    environ = {"PATH": str(tmp_path), "GRAFT_CI": ci, "HOME": os.environ.get("HOME", "/")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", TEST]
    done = subprocess.run(
        command, cwd=root, env=environ, capture_output=True, text=True, check=False
    )

    assert outcome in done.stdout, done.stdout
    assert "no test cluster: " in done.stdout
    assert "set GRAFT_TEST_KUBECONFIG to the kubeconfig of a cluster of yours" in done.stdout
