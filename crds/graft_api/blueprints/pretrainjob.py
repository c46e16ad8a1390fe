"""PretrainJob: one stage reads text into full sequences, one trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graft_api import stages
from graft_api.blueprint import Blueprint
from graft_api.limits import Limit, of_model

if TYPE_CHECKING:
    from graft_api.plan import Stage
    from graft_api.pretrainjob import PretrainJob, PretrainJobSpec

LIMITS = (
    Limit(
        path="spec.objective.name",
        allowed=("mlm", "mlm+nsp", "mlm+sop"),
        instead="available: mlm, mlm+nsp, mlm+sop",
    ),
    *of_model(
        "spec.model",
        architectures=("bert", "roberta", "albert"),
        instead="available: bert, roberta, albert",
    ),
)


def _stages(job: PretrainJob) -> tuple[Stage, ...]:
    models = (job.spec.model,)
    return stages.prepare(job.spec, models=models), stages.train(job.spec, models=models)


def _explicit(spec: PretrainJobSpec) -> dict[str, Any]:
    return {"objective": spec.objective}


BLUEPRINT = Blueprint(stages=_stages, explicit=_explicit, limits=LIMITS)
