"""`python -m graft_worker launch`: trains in this process, or starts workers by torchelastic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from graft_api.vocabulary import Env

if TYPE_CHECKING:
    from .nursery import Nursery

ONE_NODE = ("1", "1:1")


def nursery(environ: Mapping[str, str]) -> Nursery | None:
    """Where the workers of this launcher come from; None where none are to come, or none can."""
    if alone(environ):
        return None
    from . import born  # brings what the launcher needs, too: it is imported once for all

    return born.nursery()


def main(environ: Mapping[str, str], *, nursery: Nursery | None = None) -> int:
    """The exit code: of training here, or of the first worker that failed.

    `environ` is torchrun's own contract (`PET_NNODES`, `PET_NPROC_PER_NODE`, `PET_RDZV_ENDPOINT`,
    ...). A world of one process needs no rendezvous; who started it starts it again. What the
    stage needs of a store in a bucket is brought first, once for all workers of this node.
    """
    if environ.get(Env.STORE_URI):
        return _mirrored(environ, nursery)
    return _trained(environ, nursery)


def _mirrored(environ: Mapping[str, str], nursery: Nursery | None) -> int:
    from . import mirroring

    mirroring.bring(environ)
    try:
        return _trained(environ, nursery)
    finally:
        mirroring.send_logs(environ)


def _trained(environ: Mapping[str, str], nursery: Nursery | None) -> int:
    if alone(environ):
        from . import train

        return train.main(environ)
    from . import gang

    return gang.run(environ, nursery=nursery)


def alone(environ: Mapping[str, str]) -> bool:
    """Whether the whole world is one process."""
    return (
        environ.get("PET_NNODES", "1") in ONE_NODE
        and environ.get("PET_NPROC_PER_NODE", "1") == "1"
        and not environ.get("PET_RDZV_ENDPOINT")
    )
