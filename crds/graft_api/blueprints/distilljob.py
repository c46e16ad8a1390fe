"""DistillJob: one stage prepares, one has the teacher answer and trains the student."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graft_api import stages
from graft_api.app import canonical
from graft_api.blueprint import Blueprint
from graft_api.limits import MOUNTED, Limit, of_model
from graft_api.methods.probes import Probes
from graft_api.methods.vanilla import Vanilla
from graft_api.model import Model, Origin

if TYPE_CHECKING:
    from graft_api.distilljob import DistillJob, DistillJobSpec
    from graft_api.plan import Stage

_FIRST = "train it by a TransferJob, then: teacher: {from: {job: {kind: TransferJob, name: NAME}}}"

LIMITS = (
    Limit(
        path="spec.app.name",
        allowed=(
            "text_classify",
            "text_match",
            "text_classify_bert",
            "text_classify_multi_label",
            "text_match_bert",
        ),
        instead="available: text_classify, text_match",
    ),
    Limit(
        path="spec.app.variant",
        allowed=("encoder", "single_tower"),
        instead="available: encoder of text_classify; single_tower of text_match",
    ),
    Limit(path="spec.app.entrypoint", instead="set name to text_classify or text_match"),
    Limit(
        path="spec.method.name", allowed=("vanilla", "probes"), instead="available: vanilla, probes"
    ),
    Limit(
        path="spec.teacher.from.uri",
        schemes=MOUNTED,
        instead="use a folder of this machine or of a volume",
    ),
    Limit(path="spec.teacher.finetune", instead=_FIRST),
    Limit(path="spec.teacher.outputs", allowed=("auto", "cached"), instead="available: cached"),
    Limit(path="spec.workers.parallel.tensor", allowed=(1,), instead="available: 1"),
    *of_model(
        "spec.student",
        architectures=("bert", "albert", "auto"),
        instead="available: bert, albert, and auto for any encoder that transformers knows",
    ),
)


def _stages(job: DistillJob) -> tuple[Stage, ...]:
    spec = job.spec
    student = (spec.student,) if spec.student else ()
    asked = spec.teacher.from_
    teacher = Model(from_=Origin(zoo=asked.zoo, uri=asked.uri, job=asked.job))
    models = (*student, teacher)
    return stages.prepare(spec, models=models), stages.train(spec, models=models)


def _explicit(spec: DistillJobSpec) -> dict[str, Any]:
    method = spec.method
    if method.name == "vanilla":
        method = method.model_copy(update={"vanilla": method.vanilla or Vanilla()})
    if method.name == "probes":
        method = method.model_copy(update={"probes": method.probes or Probes()})
    return {"app": canonical(spec.app), "method": method}


BLUEPRINT = Blueprint(stages=_stages, explicit=_explicit, limits=LIMITS)
