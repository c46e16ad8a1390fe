"""Images without Docker: buildah on a store in the cache."""

from __future__ import annotations

import json
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.cluster.processes import output
from tests.cluster.settings import Settings

MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json"
)
UNITS = {"KB": 1e-3, "MB": 1.0, "GB": 1e3}
# Isolation without user namespaces; the machine's certificates for whoever downloads.
BUILD = ("--layers", "--isolation", "chroot", "--network", "host")
CERTIFICATES = "/etc/ssl/certs:/etc/ssl/certs:ro"
# zstd at level 1 takes half of gzip's time on few cores, and nodes unpack it faster.
PUSH = ("--tls-verify=false", "--compression-format", "zstd", "--compression-level", "1")


def build(
    settings: Settings,
    context: Path,
    *options: str,
    arguments: Mapping[str, str] | None = None,
) -> str:
    """The id of the image that a Dockerfile makes; layers that exist are taken again."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "id"
        words = [f"--build-arg={name}={value}" for name, value in (arguments or {}).items()]
        words += ["-v", CERTIFICATES, "--iidfile", str(told), *options, str(context)]
        buildah(settings, "bud", *BUILD, *words)
        return told.read_text().strip().removeprefix("sha256:")


def push(settings: Settings, image: str, name: str) -> str:
    """The reference that nodes pull, after the image with this id has been pushed."""
    reference = f"{settings.registry}/{name}"
    if not in_registry(settings, name):
        buildah(settings, "push", *PUSH, image, f"docker://{reference}")
    return reference


def has(settings: Settings, image: str) -> bool:
    """Whether the store has an image of this id or name."""
    return image in buildah(settings, "images", "--all", "--no-trunc", "--format", _NAMES)


def size(settings: Settings, image: str) -> float:
    """MB of an image's layers, unpacked."""
    told = buildah(settings, "images", "--all", "--json")
    number, unit = next(one["size"] for one in json.loads(told) if _is(one, image)).split()
    return float(number) * UNITS[unit]


def in_registry(settings: Settings, name: str) -> bool:
    """Whether the registry has `repository:tag`."""
    repository, tag = name.rsplit(":", 1)
    url = f"http://{settings.registry}/v2/{repository}/manifests/{tag}"
    request = urllib.request.Request(url, method="HEAD", headers={"Accept": MANIFESTS})
    try:
        with urllib.request.urlopen(request, timeout=30):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return False


def buildah(settings: Settings, *words: str) -> str:
    """What buildah printed."""
    scratch = settings.cache / "tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    where = ["--root", str(settings.cache / "buildah"), "--runroot", str(settings.cache / "run")]
    environ = {**os.environ, "TMPDIR": str(scratch)}
    return output(["nice", "buildah", *where, *words], environ=environ)


def _is(one: dict[str, Any], image: str) -> bool:
    names = [name.removesuffix(":latest") for name in one["names"] or ()]
    return bool(one["id"].startswith(image) or image in names)


_NAMES = "{{.ID}} {{.Name}}:{{.Tag}}"
