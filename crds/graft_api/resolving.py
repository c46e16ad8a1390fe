"""The job that the stages read: every default written out, aliases under their own names."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import blueprint
from .kinds import TRAINING
from .run import CheckpointInterval
from .volumes import mounted

if TYPE_CHECKING:
    from .kinds import Job

DEFAULT_INTERVAL = CheckpointInterval(minutes=10)


def resolved(job: Job) -> str:
    """The job as canonical JSON, without status and without metadata but its name.

    Volumes are named by the path at which they are mounted, so that workers need know no claims.
    """
    plain = _explicit(job).model_dump(mode="json", by_alias=True, exclude_none=True)
    plain["metadata"] = {"name": job.metadata.name}
    for part in ("data", "model", "teacher", "student"):
        if part in plain["spec"]:
            plain["spec"][part] = _uris(plain["spec"][part], mounted)
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _explicit(job: Job) -> Job:
    spec: Any = job.spec
    update = blueprint.of(job).explicit(spec)
    if job.kind in TRAINING:
        every = spec.checkpoint.every or DEFAULT_INTERVAL
        update["checkpoint"] = spec.checkpoint.model_copy(update={"every": every})
    return job.model_copy(update={"spec": spec.model_copy(update=update), "status": None})


def _uris(node: Any, change: Callable[[str], str]) -> Any:
    if isinstance(node, list):
        return [_uris(item, change) for item in node]
    if not isinstance(node, dict):
        return node
    out = {name: _uris(value, change) for name, value in node.items()}
    if isinstance(out.get("uri"), str):
        out["uri"] = change(out["uri"])
    if isinstance(out.get("uris"), list):
        out["uris"] = [change(uri) for uri in out["uris"]]
    return out
