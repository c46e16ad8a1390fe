"""The gang: how many workers, with what, where."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from . import scalars as s
from .resources import Resources
from .rules import ATOMIC, Open, Part, Rule, exactly_one
from .vocabulary import RESERVED_PREFIXES, Env

REHEARSAL = (str(Env.FAULTS_ENABLED), str(Env.FAULT_AT))  # a user may rehearse failures
DENIED = ("LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP")
_BY_NAME = Field(max_length=8, json_schema_extra=s.LIST_BY_NAME)
_PROCESSES = (  # of a worker, in CEL; `per_worker` is the same
    "(type(self.processes) == int ? int(self.processes) : "
    "(self.resources.gpu > 0 ? self.resources.gpu : 1))"
)

NOT_RESERVED = Rule(
    f"self.name in {list(REHEARSAL)} || (!({list(RESERVED_PREFIXES)}.exists(p, "
    f"self.name.startsWith(p))) && !(self.name in {list(DENIED)}))",
    "{name} is reserved: names starting with "
    + ", ".join(RESERVED_PREFIXES)
    + " and the loader's variables are set by the operator",
    lambda e: e.name in REHEARSAL or not (e.name.startswith(RESERVED_PREFIXES) or e.name in DENIED),
    at="name",
)


class KeyReference(Part):
    """One key of a Secret or of a ConfigMap in the job's namespace."""

    name: s.Key
    """Name of the Secret or ConfigMap."""
    key: s.Short
    """Key whose value is taken."""
    optional: bool = False
    """Whether the pod starts without it; default false."""


class ValueSource(Part):
    """Where a variable's value comes from; exactly one."""

    secret_key_ref: KeyReference | None = None
    """A key of a Secret."""
    config_map_key_ref: KeyReference | None = None
    """A key of a ConfigMap."""

    rules = (exactly_one("secret_key_ref", "config_map_key_ref"),)
    schema_extra = ATOMIC


class Variable(Part):
    """A variable of every worker's environment, as in a pod."""

    name: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    """Name of the variable; PET_, TORCHELASTIC_ and GRAFT_ are reserved, but for GRAFT_FAULT*."""
    value: Annotated[str, Field(max_length=4096)] | None = None
    """Value as text."""
    value_from: ValueSource | None = None
    """Key of a Secret or ConfigMap that holds the value."""

    rules = (exactly_one("value", "value_from"), NOT_RESERVED)


class OverlayVariable(Open):
    """A variable of an overlaid container; `valueFrom` and the like are kept as written."""

    name: s.Short
    """Name of the variable; PET_, TORCHELASTIC_ and GRAFT_ are reserved, but for GRAFT_FAULT*."""
    value: Annotated[str, Field(max_length=32768)] | None = None
    """Value as text; absent when `valueFrom` is used."""

    rules = (NOT_RESERVED,)


class OverlayContainer(Open):
    """A container of the overlay; `worker` is the training container."""

    name: s.Key
    """Name of the container."""
    env: Annotated[
        tuple[OverlayVariable, ...], Field(max_length=128, json_schema_extra=s.LIST_BY_NAME)
    ] = ()
    """Environment variables added to the operator's; default: none."""


class OverlayPod(Open):
    """A PodSpec in part; unnamed keys are kept as written."""

    containers: Annotated[tuple[OverlayContainer, ...], _BY_NAME] = ()
    """Containers, merged by name; default: none."""


class PodTemplate(Open):
    """A PodTemplateSpec in part, merged over the pod at the end; the last resort."""

    spec: OverlayPod = Field(default_factory=OverlayPod)
    """The PodSpec in part."""


class Parallel(Part):
    """How the processes share the model."""

    strategy: Literal["auto", "ddp", "fsdp", "hsdp"] = "auto"
    """Data parallelism; auto chooses by model size and world. hsdp shards within a worker."""
    tensor: Annotated[int, Field(ge=1, le=64)] = 1
    """Processes that split each layer among them; default 1, that is none."""


def per_worker(workers: Workers) -> int:
    """How many processes each worker runs."""
    if workers.processes == "auto":
        return workers.resources.gpu or 1
    return workers.processes


def _shards_within(workers: Workers) -> bool:
    each, tensor = per_worker(workers), workers.parallel.tensor
    return each > tensor and each % tensor == 0


def _splits_evenly(workers: Workers) -> bool:
    """Whether every size that the gang may have can be divided."""
    each, tensor = per_worker(workers), workers.parallel.tensor
    fixed = workers.max is None or workers.min == workers.max
    all_of_them = max(workers.min, workers.desired) * each
    return each % tensor == 0 or (fixed and all_of_them % tensor == 0)


class Workers(Part):
    """The gang of pods that train."""

    min: Annotated[int, Field(ge=1, le=1024)] = 1
    """Fewest workers that may train; default 1. A change takes effect with the next attempt."""
    max: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Most workers; absent: as many as desired. A change takes effect with the next attempt."""
    desired: Annotated[int, Field(ge=1, le=1024)] = 1
    """Workers wanted now; below `min` it counts as `min`. Default 1. `kubectl scale` sets it."""
    processes: s.CountOrAuto = "auto"
    """Processes per worker; auto: the number of accelerators, 1 without any."""
    resources: Resources = Field(default_factory=Resources)
    """What each worker asks for."""
    parallel: Parallel = Field(default_factory=Parallel)
    """How the processes share the model."""
    image: s.Text | None = None
    """Image of the worker; absent: the operator's own."""
    env: Annotated[
        tuple[Variable, ...], Field(max_length=64, json_schema_extra=s.LIST_BY_NAME)
    ] = ()
    """Environment variables of every worker; default: none."""
    pod_template: PodTemplate = Field(default_factory=PodTemplate)
    """Overlay over the pod, the last resort; default: none."""

    rules = (
        Rule(
            "!has(self.max) || self.min <= self.max",
            "min {min} is above max {max}",
            lambda w: w.max is None or w.min <= w.max,
            at="min",
        ),
        Rule(
            "!has(self.max) || self.desired <= self.max",
            "desired {desired} is above max {max}",
            lambda w: w.max is None or w.desired <= w.max,
            at="desired",
        ),
        Rule(
            f"self.parallel.strategy != 'hsdp' || {_PROCESSES} > self.parallel.tensor && "
            f"{_PROCESSES} % self.parallel.tensor == 0",
            "strategy hsdp shards within a worker: processes must be twice parallel.tensor, or "
            "another multiple of it; or use fsdp",
            lambda w: w.parallel.strategy != "hsdp" or _shards_within(w),
            at="parallel.strategy",
        ),
        Rule(
            f"{_PROCESSES} % self.parallel.tensor == 0 || (!has(self.max) || self.min == self.max) "
            "&& (self.desired > self.min ? self.desired : self.min) * "
            f"{_PROCESSES} % self.parallel.tensor == 0",
            "tensor must divide the processes of a worker, or all of a gang of fixed size: "
            "change processes, or the number of workers",
            _splits_evenly,
            at="parallel.tensor",
        ),
    )
    mutable = ("min", "max", "desired")
