"""ServeDeployment: one stage that serves, for as long as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graft_api.blueprint import Blueprint
from graft_api.limits import MOUNTED, Limit
from graft_api.plan import Budget, Gang, Resources, Stage
from graft_api.scalars import seconds
from graft_api.vocabulary import ServePort
from graft_api.volumes import mounted, mounts

if TYPE_CHECKING:
    from graft_api.servedeployment import ServeDeployment, ServeDeploymentSpec

PROGRAM = ("python", "-m", "graft_worker.serve")
LOAD_SECONDS = 600.0  # for a model to be read and proven
PRECISIONS = ("auto", "fp32", "bf16")

LIMITS = (
    Limit(path="spec.model.from.zoo", instead="name a job whose model answers something, or a uri"),
    Limit(
        path="spec.model.from.uri",
        schemes=tuple(scheme for scheme in MOUNTED if scheme != "configmap"),
        instead="use pvc://, or the path of a folder in the store",
    ),
    Limit(path="spec.model.revision", instead="name the folder of the artefact, which has it"),
    Limit(path="spec.model.credentials", instead="leave it out"),
    Limit(path="spec.runtime.name", allowed=("auto", "torch"), instead="available: auto, torch"),
    Limit(
        path="spec.runtime.precision",
        allowed=PRECISIONS,
        instead=f"available: {', '.join(PRECISIONS)}",
    ),
    Limit(path="spec.batching.maxDelay", allowed=("0ms", "0s"), instead="available: 0ms"),
    Limit(path="spec.autoscaling.target.requestsPerSecond", instead="use cpu or queueDepth"),
    Limit(path="spec.recall", instead="leave it out"),
)


def _stages(job: ServeDeployment) -> tuple[Stage, ...]:
    spec = job.spec
    uri = spec.model.from_.uri or ""
    low, high = _replicas(spec)
    asked = spec.resources
    return (
        Stage(
            name="serve",
            argv=(*PROGRAM, mounted(uri).removeprefix("file://"), *_arguments(job)),
            gang=Gang(min=low, max=high, desired=spec.replicas),
            resources=Resources(
                cpu=asked.cpu, memory=asked.memory, gpu=asked.gpu, gpu_resource=asked.gpu_resource
            ),
            budget=Budget(
                restarts=0, window_seconds=0, start_seconds=LOAD_SECONDS, active_seconds=0
            ),
            mounts=mounts((uri,)),
        ),
    )


def _replicas(spec: ServeDeploymentSpec) -> tuple[int, int]:
    scaling = spec.autoscaling
    return (scaling.min, scaling.max) if scaling else (spec.replicas, spec.replicas)


def _arguments(job: ServeDeployment) -> tuple[str, ...]:
    batching, precision = job.spec.batching, job.spec.runtime.precision
    named = {
        "--name": job.metadata.name,
        "--host": "0.0.0.0",  # noqa: S104  (a pod's own address is not known here)
        "--port": str(int(ServePort.REQUESTS)),
        "--metrics-port": str(int(ServePort.METRICS)),
        "--precision": precision,
        "--max-batch": str(batching.max_batch),
        "--max-queue": str(batching.max_queue),
        "--timeout": f"{seconds(batching.timeout):g}",
    }
    if batching.max_tokens != "auto":
        named["--max-tokens"] = str(batching.max_tokens)
    return tuple(word for pair in named.items() for word in pair)


def _explicit(spec: ServeDeploymentSpec) -> dict[str, Any]:  # noqa: ARG001  (every default is set)
    return {}


BLUEPRINT = Blueprint(stages=_stages, explicit=_explicit, limits=LIMITS)
