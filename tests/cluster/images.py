"""Graft's own images: the large layers once, our source anew at every change."""

from __future__ import annotations

import hashlib
import os

from tests.cluster import bases, buildah, store
from tests.cluster.build import locked, timed
from tests.cluster.settings import ROOT, Settings

NAMES = ("worker", "operator", "serve")
STAGE = "dependencies"


def ensure_images(settings: Settings) -> None:
    """Bases and dependencies are in the registry and, unpacked, in the nodes' image store."""
    found = bases.ensure(settings)
    store.fill_store(settings, [*found, *(dependencies(settings, name) for name in NAMES)])


def build_and_push(name: str, settings: Settings | None = None) -> str:
    """The reference of `worker` or `operator` made from the working tree; its tag is its content.

    `GRAFT_TEST_WORKER_IMAGE` and `GRAFT_TEST_OPERATOR_IMAGE` name ready ones instead.
    """
    if given := os.environ.get(f"GRAFT_TEST_{name.upper()}_IMAGE"):
        return given
    settings = settings or Settings.read()
    with locked(settings, "buildah"), timed(f"image of the {name}"):
        image = _build(settings, name)
        # A tag of digits alone would be a number to helm.
        return buildah.push(settings, image, f"graft-{name}:sha-{image[:12]}")


def dependencies(settings: Settings, name: str) -> str:
    """The reference of an image without our source; built when its pins have changed."""
    memo = settings.cache / "keys" / f"{name}-{_key(name)}"
    if memo.is_file() and buildah.in_registry(settings, memo.read_text()):
        return f"{settings.registry}/{memo.read_text()}"
    with locked(settings, "buildah"), timed(f"dependencies of the {name}"):
        image = _build(settings, name, "--target", STAGE)
        tag = f"graft-{name}-{STAGE}:{image[:12]}"
        reference = buildah.push(settings, image, tag)
    memo.parent.mkdir(parents=True, exist_ok=True)
    memo.write_text(tag)
    return reference


def _build(settings: Settings, name: str, *options: str) -> str:
    arguments = {"BASE": bases.local(bases.BASE)}
    if index := os.environ.get("TORCH_INDEX"):
        arguments["TORCH_INDEX"] = index
    elif name == "serve":
        arguments |= _over_the_worker(settings)
    file = str(ROOT / "images" / name / "Dockerfile")
    local = f"localhost/graft-{name}{'-' + STAGE if options else ''}"
    words = ["-q", "-f", file, "-t", local, *options]
    return buildah.build(settings, ROOT, *words, arguments=arguments)


def _over_the_worker(settings: Settings) -> dict[str, str]:
    """Without an index of CPU wheels: on the worker's torch, which nodes hold already."""
    _build(settings, "worker", "--target", STAGE)
    return {"UNDER": f"localhost/graft-worker-{STAGE}", "CUDA": "allowed"}


def _key(name: str) -> str:
    digest = hashlib.sha256(os.environ.get("TORCH_INDEX", "").encode())
    for path in (f"images/{name}/Dockerfile", "constraints.txt", "pyproject.toml"):
        digest.update((ROOT / path).read_bytes())
    return digest.hexdigest()[:16]
