"""One job at one moment, with everything that a decision about it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from graft_api.plan import Plan, Stage
from graft_api.scalars import seconds
from graft_api.vocabulary import Role
from graft_operator.observed import ChildJob, Memory, Observed, Pod, Subject
from graft_operator.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The job, its plan, what is remembered and what is seen, at `now`."""

    subject: Subject
    plan: Plan
    memory: Memory
    observed: Observed
    settings: Settings
    now: datetime

    @property
    def stage(self) -> Stage:
        """The stage that is due."""
        return self.plan.stage("train" if self.training else "prepare")

    @property
    def training(self) -> bool:
        """Whether the data is prepared, so that the gang is due."""
        return self.memory.is_true("Prepared")

    @property
    def role(self) -> Role:
        """What the pods of the stage are."""
        return Role.WORKER if self.training else Role.PREPARE

    @property
    def job(self) -> ChildJob | None:
        """The batch Job of the stage and attempt that are due."""
        return self.observed.job(self.role, self.memory.attempt)

    @property
    def pods(self) -> tuple[Pod, ...]:
        """The pods of that Job."""
        return self.observed.pods_of(self.job) if self.job else ()

    @property
    def run(self) -> dict[str, Any]:
        """`spec.run` with its defaults, as the plan resolved it."""
        run: dict[str, Any] = self.plan.resolved()["spec"]["run"]
        return run

    def deadline(self, name: str) -> timedelta:
        """One of `spec.run.deadlines`."""
        return timedelta(seconds=seconds(self.run["deadlines"][name]))

    def newest(self) -> dict[int, Pod]:
        """The newest pod of each index."""
        found: dict[int, Pod] = {}
        for pod in self.pods:
            found.setdefault(pod.index, pod)
        return found
