"""What the planner has to know of a kind; each kind's file in `blueprints` says it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .kinds import Job
    from .limits import Limit
    from .plan import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Blueprint:
    """A kind: what runs for it, and what of its own fields this version can do."""

    stages: Callable[[Any], tuple[Stage, ...]]  # of a job of the kind
    explicit: Callable[[Any], dict[str, Any]]  # its spec's own fields with every default in them
    limits: tuple[Limit, ...]


def of(job: Job) -> Blueprint:
    """The blueprint of the job's kind."""
    module = import_module(f"graft_api.blueprints.{job.kind.lower()}")
    found: Blueprint = module.BLUEPRINT
    return found
