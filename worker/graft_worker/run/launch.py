"""`python -m graft_worker launch`: trains in this process, or starts workers by torchelastic."""

from __future__ import annotations

from collections.abc import Mapping

from graft_api.vocabulary import Env

ONE_NODE = ("1", "1:1")


def main(environ: Mapping[str, str]) -> int:
    """The exit code: of training here, or of the first worker that failed.

    `environ` is torchrun's own contract (`PET_NNODES`, `PET_NPROC_PER_NODE`, `PET_RDZV_ENDPOINT`,
    ...). A world of one process needs no rendezvous; who started it starts it again. What the
    stage needs of a store in a bucket is brought first, once for all workers of this node.
    """
    if environ.get(Env.STORE_URI):
        return _mirrored(environ)
    return _trained(environ)


def _mirrored(environ: Mapping[str, str]) -> int:
    from . import mirroring

    mirroring.bring(environ)
    try:
        return _trained(environ)
    finally:
        mirroring.send_logs(environ)


def _trained(environ: Mapping[str, str]) -> int:
    if alone(environ):
        from . import train

        return train.main(environ)
    from . import gang

    return gang.run(environ)


def alone(environ: Mapping[str, str]) -> bool:
    """Whether the whole world is one process."""
    return (
        environ.get("PET_NNODES", "1") in ONE_NODE
        and environ.get("PET_NPROC_PER_NODE", "1") == "1"
        and not environ.get("PET_RDZV_ENDPOINT")
    )
