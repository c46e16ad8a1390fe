"""Pods of the worker's image under Pod Security `restricted`."""

from __future__ import annotations

import json

import pytest

from tests.cluster.api import RefusedError
from tests.cluster.namespaces import Namespace
from tests.cluster.pods import Wish, pod

LOOK = """
import json, os, graft_worker, torch
def writable(path):
    try:
        open(path, "w").close()
    except OSError:
        return False
    return True
status = dict(line.split(":\\t") for line in open("/proc/self/status") if ":\\t" in line)
print(json.dumps({
    "user": os.getuid(),
    "rights": int(status["CapEff"], 16),
    "filtered": status["Seccomp"].strip() == "2",
    "writable": [p for p in ("/etc/x", graft_worker.__file__ + "x", "/tmp/x") if writable(p)],
    "sum": torch.ones(3).sum().item(),
}))
"""


def test_a_worker_runs_as_nobody_on_a_read_only_root(
    namespace: Namespace, worker_image: str
) -> None:
    wish = Wish(image=worker_image, command=("python", "-c", LOOK), memory="512Mi")
    namespace.apply(pod("look", wish))

    phase, log = namespace.ended("look")
    assert (phase, json.loads(log)) == (
        "Succeeded",
        {"user": 65532, "rights": 0, "filtered": True, "writable": ["/tmp/x"], "sum": 3.0},
    )


def test_the_entry_point_of_the_image_is_the_worker(
    namespace: Namespace, worker_image: str
) -> None:
    one = pod("help", Wish(image=worker_image, command=()))
    del one["spec"]["containers"][0]["command"]
    one["spec"]["containers"][0]["args"] = ["--help"]
    namespace.apply(one)

    phase, log = namespace.ended("help")
    assert phase == "Succeeded", log
    assert "launch" in log


def test_a_pod_that_asks_for_more_is_refused(namespace: Namespace, base_image: str) -> None:
    one = pod("root", Wish(image=base_image, command=("id",)))
    one["spec"]["containers"][0]["securityContext"]["privileged"] = True

    with pytest.raises(RefusedError, match='violates PodSecurity "restricted:latest"'):
        namespace.apply(one)
