"""Whether this machine can run the cluster, and what to do where it cannot."""

from __future__ import annotations

import os
import shutil
import sys

HOW = (
    "no test cluster: {why}. Run the tests as root on Linux with Go installed, "
    "or set GRAFT_TEST_KUBECONFIG to the kubeconfig of a cluster of yours (tests/cluster/README.md)"
)


def missing() -> str:
    """One sentence that says what is missing and how to get it; empty where nothing is."""
    if not sys.platform.startswith("linux"):
        return HOW.format(why=f"it runs on Linux, this is {sys.platform}")
    if os.geteuid() != 0:
        return HOW.format(why="its nodes are namespaces that only root may make")
    if not shutil.which("go"):
        return HOW.format(why="its programs are built with Go, which is not on PATH")
    return ""
