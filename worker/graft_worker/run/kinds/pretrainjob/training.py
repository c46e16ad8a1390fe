"""What a PretrainJob asks of the train stage: an encoder that names hidden words."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from graft_api.errors import ConfigError
from graft_api.pretrainjob import PretrainJob
from graft_worker.models import build, tokenization
from graft_worker.models.masked import MaskedLanguageModel
from graft_worker.pretrain.task import MaskedTask
from graft_worker.run.kinds.pretrainjob import objectives, publishing

if TYPE_CHECKING:
    from graft_worker.config import Settings
    from graft_worker.data.prepared import Prepared
    from graft_worker.data.shards import Shards, View
    from graft_worker.distributed.process import Process
    from graft_worker.export.contents import Contents
    from graft_worker.train.result import TrainingResult
    from graft_worker.train.settings import Mode

METRIC = "mlm_loss"
MODES: dict[str, Mode] = {METRIC: "min", "mlm_accuracy": "max", "loss": "min"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainTraining:
    """A `Training` (see `training.py` above)."""

    settings: Settings
    prepared: Prepared
    task: MaskedTask
    view: View

    @property
    def architecture(self) -> str:
        """The encoder's family."""
        return self.task.module.encoder.config.architecture

    @property
    def packs(self) -> bool:
        """Whether the encoder packs."""
        return self.task.module.encoder.packs

    def choice(self, metric: str | None) -> tuple[str, Mode]:
        """The job's metric, else the loss over all hidden tokens."""
        name = metric or METRIC
        modes = MODES | ({self.task.pairs: "max"} if self.task.pairs else {})
        if name in modes:
            return name, modes[name]
        near = difflib.get_close_matches(name, modes, n=1)
        raise ConfigError(
            f"spec.training.evaluate.metric: {name}: unknown",
            hint=f"did you mean {near[0]}?" if near else f"there are {', '.join(modes)}",
        )

    def learned(self, splits: Mapping[str, Shards], process: Process) -> Shards:  # noqa: ARG002
        """The train split as it is."""
        return splits["train"]

    def contents(self, result: TrainingResult) -> Contents:
        """The encoder and its head."""
        return publishing.contents(self.settings, self.prepared, result)

    def comparison(self, result: TrainingResult, made: Contents) -> dict[str, Any]:  # noqa: ARG002
        """There is no teacher."""
        return {}


def of(settings: Settings, prepared: Prepared) -> PretrainTraining:
    """The training of a PretrainJob; a fresh head's weights depend on the job's seed alone."""
    assert isinstance(settings.job, PretrainJob)
    spec, folder = settings.job.spec, settings.store / prepared.model
    encoder = build.load_own(
        folder,
        random=prepared.random_weights,
        seed=spec.training.seed,
        vocabulary=prepared.vocabulary,
    )
    pair = objectives.pair_of(spec)
    module = MaskedLanguageModel(encoder, seed=spec.training.seed, pairs=pair is not None)
    if not prepared.random_weights:
        module.take_head(folder)
    tokenizer = tokenization.load(settings.store / prepared.tokenizer)
    return PretrainTraining(
        settings=settings,
        prepared=prepared,
        task=MaskedTask(module=module, pairs=pair.metric if pair else ""),
        view=objectives.view(spec, tokenizer),
    )
