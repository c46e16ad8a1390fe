"""What a TransferJob asks of the train stage: an app and a method over the encoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graft_api.transferjob import TransferJob
from graft_worker.apps import registry
from graft_worker.evaluate import metrics
from graft_worker.models import build
from graft_worker.run.kinds.transferjob import publishing
from graft_worker.run.kinds.transferjob.task import AppTask

if TYPE_CHECKING:
    from graft_worker.apps.app import App
    from graft_worker.config import Settings
    from graft_worker.data.prepared import Prepared
    from graft_worker.data.shards import View
    from graft_worker.export.contents import Contents
    from graft_worker.models.encoder import TextEncoder
    from graft_worker.train.result import TrainingResult
    from graft_worker.train.settings import Mode

LOSS = "loss"  # measured for every app


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferTraining:
    """A `Training` (see `training.py` above)."""

    settings: Settings
    prepared: Prepared
    app: App
    encoder: TextEncoder
    task: AppTask
    view: View | None = None

    @property
    def architecture(self) -> str:
        """The encoder's family."""
        return self.encoder.config.architecture

    @property
    def packs(self) -> bool:
        """Whether the encoder packs."""
        return self.encoder.packs

    def choice(self, metric: str | None) -> tuple[str, Mode]:
        """The job's metric, else the app's."""
        if metric == LOSS:
            return LOSS, "min"
        if metric is None:
            return self.app.score.metric, self.app.score.mode
        name = metrics.canonical(metric, self.app.problem)
        return name, metrics.modes()[name]

    def contents(self, result: TrainingResult) -> Contents:
        """The encoder with the app's head."""
        return publishing.contents(self.settings, self.prepared, self.app, result)


def of(settings: Settings, prepared: Prepared) -> TransferTraining:
    """The training of a TransferJob; its head's first weights depend on the job's seed alone."""
    assert isinstance(settings.job, TransferJob)
    assert prepared.problem is not None
    spec = settings.job.spec
    app = registry.build(spec.app, problem=prepared.problem, labels=prepared.labels)
    encoder = build.load_encoder(
        settings.store / prepared.model,
        random=prepared.random_weights,
        seed=spec.training.seed,
        vocabulary=prepared.vocabulary,
    )
    task = AppTask.of(app, encoder, spec)
    return TransferTraining(
        settings=settings, prepared=prepared, app=app, encoder=encoder, task=task
    )
