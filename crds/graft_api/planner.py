"""A job to its Plan: the stages, what each needs, and the resolved job that they read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import availability, blueprint
from .faults import DecodeError
from .plan import Plan
from .resolving import resolved
from .stages import gang_of

if TYPE_CHECKING:
    from .kinds import Job

__all__ = ["gang_of", "plan"]


def plan(job: Job) -> Plan:
    """What has to run for the job; equal specs give equal plans.

    Raises:
        DecodeError: the job asks for something that is not available in this version; each fault
            names the field. `decoding.locate` adds the lines of a file.
    """
    if faults := availability.faults(job):
        raise DecodeError(faults)
    return Plan(
        kind=job.kind,
        name=job.metadata.name,
        stages=blueprint.of(job).stages(job),
        job=resolved(job),
    )
