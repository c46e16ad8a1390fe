"""TransferJob: one stage prepares, one trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graft_api import stages
from graft_api.app import canonical
from graft_api.blueprint import Blueprint
from graft_api.limits import Limit, of_model
from graft_api.methods.finetune import Finetune

if TYPE_CHECKING:
    from graft_api.plan import Stage
    from graft_api.transferjob import TransferJob, TransferJobSpec

LIMITS = (
    Limit(
        path="spec.app.name",
        allowed=(
            "text_classify",
            "text_match",
            "text_classify_bert",
            "text_classify_cnn",
            "text_classify_multi_label",
            "text_match_bert",
            "text_match_bicnn",
        ),
        instead="available: text_classify, text_match",
    ),
    Limit(
        path="spec.app.variant",
        allowed=("encoder", "textcnn", "single_tower", "bicnn"),
        instead="available: encoder, textcnn of text_classify; single_tower, bicnn of text_match",
    ),
    Limit(path="spec.app.entrypoint", instead="set name to text_classify or text_match"),
    Limit(path="spec.method.name", allowed=("finetune",), instead="available: finetune"),
    *of_model(
        "spec.model",
        architectures=("bert", "albert", "auto"),
        instead="available: bert, albert, and auto for any encoder that transformers knows",
    ),
)


def _stages(job: TransferJob) -> tuple[Stage, ...]:
    models = (job.spec.model,) if job.spec.model else ()
    return stages.prepare(job.spec, models=models), stages.train(job.spec, models=models)


def _explicit(spec: TransferJobSpec) -> dict[str, Any]:
    method = spec.method
    if method.name == "finetune":
        method = method.model_copy(update={"finetune": method.finetune or Finetune()})
    return {"app": canonical(spec.app), "method": method}


BLUEPRINT = Blueprint(stages=_stages, explicit=_explicit, limits=LIMITS)
