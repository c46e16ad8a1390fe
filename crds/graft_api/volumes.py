"""Claims and config maps named by URIs: where they are mounted and what their files are called."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from .plan import Mount

ROOT = "/graft/volumes"
KINDS: tuple[Literal["pvc", "configmap"], ...] = ("pvc", "configmap")


def mounted(uri: str) -> str:
    """The path at which a pod finds the URI; any other URI as it is."""
    kind, _, rest = uri.partition("://")
    return f"{ROOT}/{kind}/{rest}" if kind in KINDS else uri


def mounts(uris: Iterable[str]) -> tuple[Mount, ...]:
    """The volumes that the URIs need, each once, in a stable order."""
    found = {
        (kind, uri.partition("://")[2].partition("/")[0])
        for uri in uris
        for kind in KINDS
        if uri.startswith(f"{kind}://")
    }
    return tuple(
        Mount(kind=kind, name=name, path=f"{ROOT}/{kind}/{name}") for kind, name in sorted(found)
    )
