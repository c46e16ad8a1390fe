"""What a DistillJob asks of the train stage: the teacher's answers, then a student over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from graft_api.distilljob import DistillJob
from graft_api.methods.probes import Probes as ProbesMethod
from graft_api.methods.vanilla import Vanilla
from graft_worker.apps import registry
from graft_worker.distill.following import ProbesTask
from graft_worker.distill.task import DistillTask
from graft_worker.export.contents import Origin
from graft_worker.models import build
from graft_worker.models.probes import ProbedClassifier, Probes
from graft_worker.run.kinds import app_choice, app_contents
from graft_worker.run.kinds.distilljob import comparing
from graft_worker.run.kinds.distilljob.asking import Asking
from graft_worker.run.kinds.distilljob.naming import of_student

if TYPE_CHECKING:
    from graft_api.distilljob import DistillJobSpec
    from graft_worker.apps.app import App
    from graft_worker.config import Settings
    from graft_worker.data.prepared import Prepared
    from graft_worker.data.shards import Shards, View
    from graft_worker.distributed.process import Process
    from graft_worker.export.contents import Contents
    from graft_worker.models.encoder import TextEncoder
    from graft_worker.models.heads import SequenceClassifier
    from graft_worker.train.result import TrainingResult
    from graft_worker.train.settings import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class DistillTraining:
    """A `Training` (see `training.py` above)."""

    settings: Settings
    prepared: Prepared
    asking: Asking
    app: App
    encoder: TextEncoder
    task: DistillTask | ProbesTask

    @property
    def architecture(self) -> str:
        """The student's family."""
        return self.encoder.config.architecture

    @property
    def packs(self) -> bool:
        """Whether the student packs."""
        return self.encoder.packs

    @property
    def view(self) -> View | None:
        """Rows as they are."""
        return None

    def choice(self, metric: str | None) -> tuple[str, Mode]:
        """The job's metric, else the app's."""
        return app_choice.choice(self.app, metric)

    def learned(self, splits: Mapping[str, Shards], process: Process) -> Shards:  # noqa: ARG002
        """Labelled and unlabelled rows, each with the teacher's answer; an exchange."""
        compared = comparing.split_of(self.prepared)
        return self.asking.learned(process, more=(compared,) if compared else ())

    def contents(self, result: TrainingResult) -> Contents:
        """The student with its head, beside the teacher."""
        made = app_contents.contents(
            self.settings,
            self.prepared,
            self.app,
            self._told(result),
            origin=_origin(self.settings, self.prepared),
        )
        metric, _ = self.choice(self.settings.job.spec.training.evaluate.metric)
        measured = comparing.compared(self.prepared, self.asking, self.app, metric, result)
        return replace(made, teacher=self.asking.facts.digest, comparison=measured)

    def comparison(self, result: TrainingResult, made: Contents) -> dict[str, Any]:
        """The student beside the teacher, with the speed that this machine sees."""
        told = self._told(result)
        student = app_contents.final_module(self.settings, self.prepared, self.app, told)
        return comparing.block(self.settings, self.prepared, self.asking, student, made.comparison)

    def _told(self, result: TrainingResult) -> TrainingResult:
        """The result with the weights of the app's network alone."""
        return replace(result, weights=self.task.student(result.weights))


def of(settings: Settings, prepared: Prepared) -> DistillTraining:
    """The training of a DistillJob; its head's first weights are the teacher's or the seed's."""
    assert isinstance(settings.job, DistillJob)
    assert prepared.problem is not None
    assert prepared.teacher is not None
    spec = settings.job.spec
    app = registry.build(spec.app, problem=prepared.problem, labels=prepared.labels)
    folder = settings.store / prepared.model
    with of_student():
        encoder = build.load_encoder(
            folder,
            random=prepared.random_weights,
            seed=spec.training.seed,
            vocabulary=prepared.vocabulary,
        )
    module = cast("SequenceClassifier", app.model(encoder, app.dropout, seed=spec.training.seed))
    if spec.student is not None and spec.student.from_.teacher is not None:
        module.restore_head(folder)
    return DistillTraining(
        settings=settings,
        prepared=prepared,
        asking=Asking(settings=settings, facts=prepared.teacher, app=app, probing=_probing(spec)),
        app=app,
        encoder=encoder,
        task=_task(spec, app, module),
    )


def _probing(spec: DistillJobSpec) -> ProbesMethod | None:
    return (spec.method.probes or ProbesMethod()) if spec.method.name == "probes" else None


def _task(spec: DistillJobSpec, app: App, module: SequenceClassifier) -> DistillTask | ProbesTask:
    probing, config = _probing(spec), module.encoder.config
    if probing is None:
        return DistillTask(app=app, module=module, method=spec.method.vanilla or Vanilla())
    outputs = module.classifier.out_features
    probes = Probes(layers=config.layers, hidden=config.hidden, outputs=outputs)
    probed = ProbedClassifier(module, probes.draw(seed=spec.training.seed))
    return ProbesTask(app=app, module=probed, method=probing)


def _origin(settings: Settings, prepared: Prepared) -> Origin:
    assert isinstance(settings.job, DistillJob)
    assert settings.job.spec.student is not None
    source = settings.job.spec.student.from_
    own = "the teacher's layers" if source.teacher else "random weights"
    return Origin(
        name=source.zoo or source.uri or own,
        digest=prepared.model_digest,
        random=prepared.random_weights,
    )
