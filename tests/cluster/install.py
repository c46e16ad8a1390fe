"""Graft in a cluster as its users get it: images in the registry, the chart installed."""

from __future__ import annotations

from tests.cluster import images, processes, storage
from tests.cluster.api import Api
from tests.cluster.build import timed
from tests.cluster.settings import ROOT, Settings

RELEASE = "graft"
SYSTEM = "graft-system"
EXAMPLES = "graft-examples"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


def install(settings: Settings, *values: str) -> None:
    """Both images from the working tree, the chart, and a namespace for the examples."""
    worker = images.build_and_push("worker", settings)
    operator = images.build_and_push("operator", settings)
    serve = images.build_and_push("serve", settings)
    examples(settings)
    names = [
        *_image("image", operator),
        *_image("worker.image", worker),
        *_image("serve.image", serve),
    ]
    names += values
    chart = ["helm", "upgrade", "--install", RELEASE, ROOT / "charts" / "graft"]
    where = ["--namespace", SYSTEM, "--create-namespace", "--wait", "--timeout", "3m"]
    with timed("helm upgrade --install"):
        options = [word for value in names for word in ("--set", value)]
        processes.run(settings, *chart, *where, *options)


def examples(settings: Settings) -> None:
    """The examples' namespace, restricted, with its store."""
    api = Api.connect(settings.kubeconfig)
    try:
        about = {"name": EXAMPLES, "labels": RESTRICTED}
        api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": about})
        storage.shared_volume(settings.within("volumes"), api, EXAMPLES)
    finally:
        api.close()


def _image(value: str, reference: str) -> tuple[str, str]:
    repository, tag = reference.rsplit(":", 1)
    return f"{value}.repository={repository}", f"{value}.tag={tag}"
