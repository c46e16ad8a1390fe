"""The images: what is in them, what is not, and that they run where nothing may be written."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import bases, buildah, pods
from tests.cluster.cluster import LocalCluster
from tests.cluster.namespaces import Namespace
from tests.cluster.settings import WORKER_UID, Settings

LOOK = """
import importlib.util as u, json, os
def writable(path):
    try:
        open(path, 'w').close()
    except OSError:
        return False
    return True
paths = [p + '/graft-test' for p in ('/etc', '/opt/graft', '/tmp')]
print(json.dumps({
    'uid': os.getuid(),
    'writable': [p for p in paths if writable(p)],
    'modules': [m for m in ('graft_api', 'graft_worker', 'graft_operator', 'torch', 'kopf')
                if u.find_spec(m)],
}))
"""
TORCH = "import graft_worker, torch; print(torch.ones(3).sum().item())"


def seen(namespace: Namespace, image: str) -> object:
    namespace.apply(pods.restricted("look", image, LOOK))
    phase, log = namespace.ended("look")
    assert phase == "Succeeded", log
    return json.loads(log)


def test_workers_run_as_nobody_in_particular_and_have_no_kopf(
    namespace: Namespace, worker_image: str
) -> None:
    assert seen(namespace, worker_image) == {
        "uid": WORKER_UID,
        "writable": ["/tmp/graft-test"],
        "modules": ["graft_api", "graft_worker", "graft_operator", "torch"],
    }


def test_the_operator_runs_as_nobody_in_particular_and_has_no_torch(
    namespace: Namespace, operator_image: str
) -> None:
    assert seen(namespace, operator_image) == {
        "uid": WORKER_UID,
        "writable": ["/tmp/graft-test"],
        "modules": ["graft_api", "graft_worker", "graft_operator", "kopf"],
    }


def test_a_restricted_pod_of_the_worker_imports_torch(
    namespace: Namespace, worker_image: str
) -> None:
    namespace.apply(pods.restricted("torch", worker_image, TORCH))
    assert namespace.ended("torch", seconds=300) == ("Succeeded", "3.0\n")


COMPILE = """
import ctypes, subprocess, sysconfig
source = '#include <Python.h>\\n#include <omp.h>\\nextern "C" int three() { return 3; }'
open('/tmp/three.cpp', 'w').write(source)
words = ['g++', '-shared', '-fPIC', '-fopenmp', '-I' + sysconfig.get_path('include')]
subprocess.run([*words, '-o', '/tmp/three.so', '/tmp/three.cpp'], check=True)
version = subprocess.run(['g++', '--version'], capture_output=True, text=True, check=True).stdout
print(version.split()[0], ctypes.CDLL('/tmp/three.so').three())
"""


def test_a_restricted_pod_of_the_worker_compiles_what_torch_makes(
    namespace: Namespace, worker_image: str
) -> None:
    namespace.apply(pods.restricted("compiler", worker_image, COMPILE))
    assert namespace.ended("compiler", seconds=300) == ("Succeeded", "g++ 3\n")


PROGRAMS = {
    "worker": "graft_worker",
    "operator": "graft_operator",
    "serve": "graft_worker.serve",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_image_starts_our_program_as_its_user(
    local_cluster: LocalCluster, images: dict[str, str], root: Path, name: str
) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    config = inspect(local_cluster.settings, images[name])["OCIv1"]["config"]
    assert config["Entrypoint"] == ["python", "-m", PROGRAMS[name]]
    assert config["User"] == f"{WORKER_UID}:{WORKER_UID}"
    labels = {key.rpartition(".")[2]: value for key, value in config["Labels"].items()}
    assert labels["title"] == f"graft-{name}"
    assert labels["version"] == project["version"]
    assert labels["licenses"] == project["license"]


def test_the_operator_adds_at_most_120_mb_to_its_base(
    local_cluster: LocalCluster, operator_image: str
) -> None:
    settings = local_cluster.settings
    base = buildah.size(settings, bases.local(bases.BASE))
    added = buildah.size(settings, image_id(operator_image)) - base
    assert 1 < added <= 120


def image_id(reference: str) -> str:
    """Our tags are the beginnings of the ids in the builder's store."""
    return reference.rpartition(":sha-")[2]


def inspect(settings: Settings, reference: str) -> dict[str, Any]:
    told = buildah.buildah(settings, "inspect", "--type=image", image_id(reference))
    found: dict[str, Any] = json.loads(told)
    return found
