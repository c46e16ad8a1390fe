"""The Plan: what has to run for a job, said without pods and without processes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Gang:
    """Workers of a stage and processes of each worker."""

    min: int = 1
    max: int = 1
    desired: int = 1
    processes: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What each worker asks for; requests equal limits. Quantities as Kubernetes writes them."""

    cpu: str
    memory: str
    gpu: int = 0
    gpu_resource: str = "nvidia.com/gpu"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One environment variable: a value, or a reference that is kept as the user wrote it."""

    name: str
    value: str = ""
    value_from: str = ""  # JSON of the reference, so that a Plan stays hashable


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A volume that the stage reads: a claim or a config map, by name, read-only at `path`."""

    kind: Literal["pvc", "configmap"]
    name: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How often a stage may start again and how long its phases may last, in seconds."""

    restarts: int
    window_seconds: float
    start_seconds: float
    active_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One program run by a gang; it starts when the stages it needs are done."""

    name: Literal["prepare", "train", "index", "serve"]
    argv: tuple[str, ...]
    gang: Gang
    resources: Resources
    budget: Budget
    env: tuple[Variable, ...] = ()
    mounts: tuple[Mount, ...] = ()
    secrets: tuple[str, ...] = ()  # names of secrets whose keys become environment variables
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Ordered stages of one job and the resolved job that they read."""

    kind: str
    name: str
    stages: tuple[Stage, ...]
    job: str  # the resolved job as canonical JSON: every default written out, no status

    def digest(self) -> str:
        """The SHA-256 of everything that the stages depend on; equal plans, equal digests."""
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

    def stage(self, name: str) -> Stage:
        """The stage of that name; KeyError where the plan has none."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise KeyError(name)

    def resolved(self) -> dict[str, Any]:
        """The resolved job as plain data."""
        job: dict[str, Any] = json.loads(self.job)
        return job
