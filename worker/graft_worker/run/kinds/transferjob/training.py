"""What a TransferJob asks of the train stage: an app and a method over the encoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graft_api.transferjob import TransferJob
from graft_worker.apps import registry
from graft_worker.export.contents import Origin
from graft_worker.models import build
from graft_worker.run.kinds import app_choice, app_contents
from graft_worker.run.kinds.transferjob.task import AppTask

if TYPE_CHECKING:
    from graft_worker.apps.app import App
    from graft_worker.config import Settings
    from graft_worker.data.prepared import Prepared
    from graft_worker.data.shards import Shards, View
    from graft_worker.distributed.process import Process
    from graft_worker.export.contents import Contents
    from graft_worker.models.encoder import TextEncoder
    from graft_worker.train.result import TrainingResult
    from graft_worker.train.settings import Mode


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
        return app_choice.choice(self.app, metric)

    def learned(self, splits: Mapping[str, Shards], process: Process) -> Shards:  # noqa: ARG002
        """The train split as it is."""
        return splits["train"]

    def contents(self, result: TrainingResult) -> Contents:
        """The encoder with the app's head."""
        origin = _origin(self.settings, self.prepared)
        return app_contents.contents(self.settings, self.prepared, self.app, result, origin=origin)

    def comparison(self, result: TrainingResult, made: Contents) -> dict[str, Any]:  # noqa: ARG002
        """There is no teacher."""
        return {}


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


def _origin(settings: Settings, prepared: Prepared) -> Origin:
    assert isinstance(settings.job, TransferJob)
    spec = settings.job.spec
    source = spec.model.from_ if spec.model else None
    own = f"{spec.app.name} ({spec.app.variant})" if source is None else "random weights"
    return Origin(
        name=(source and (source.zoo or source.uri)) or own,
        digest=prepared.model_digest,
        random=prepared.random_weights,
    )
