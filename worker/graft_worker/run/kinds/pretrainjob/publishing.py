"""What a PretrainJob publishes: a model as BertForMaskedLM or BertForPreTraining reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graft_api.pretrainjob import PretrainJob
from graft_worker.data.shards import Shards
from graft_worker.export import artefact
from graft_worker.export.contents import Contents, Origin, Words
from graft_worker.export.profile import of_lengths
from graft_worker.models import build, hugging_face
from graft_worker.models.masked import MaskedLanguageModel
from graft_worker.run import facts
from graft_worker.run.kinds.pretrainjob import objectives

if TYPE_CHECKING:
    from graft_worker.config import Settings
    from graft_worker.data.prepared import Prepared
    from graft_worker.train.result import TrainingResult


def contents(settings: Settings, prepared: Prepared, result: TrainingResult) -> Contents:
    """Everything that goes into the artefact."""
    job = settings.job
    assert isinstance(job, PretrainJob)
    module = _final_module(settings, prepared, result)
    pairs = module.relation is not None
    objective, length = job.spec.objective.name, job.spec.data.max_length
    train = Shards.open(settings.store / prepared.splits["train"].shards)
    unknown = facts.unknown(train, settings.store / prepared.tokenizer)
    return Contents(
        job=job.metadata.name,
        owner=settings.job_dir.name,
        spec=job.model_dump(mode="json", by_alias=True, exclude_none=True),
        method=objective,
        columns=prepared.columns,
        max_length=length,
        config=hugging_face.masked_config(module.encoder, pairs=pairs),
        weights=module.hugging_face_state(pooler=pairs or not prepared.random_weights),
        tokenizer=(settings.store / prepared.tokenizer / artefact.TOKENIZER).read_text("utf-8"),
        origin=_origin(job, prepared),
        data=tuple(facts.of_split(settings, prepared, name) for name in prepared.splits),
        results=facts.results(prepared, result),
        profile=of_lengths(train.lengths, unknown=unknown),
        versions=facts.versions(),
        words=_words(job, length),
    )


def _words(job: PretrainJob, length: int) -> Words:
    objective = job.spec.objective
    hidden = "whole words" if objective.whole_word else "single tokens"
    return Words(
        kind="PretrainJob",
        pipeline="fill-mask",
        about=f"objective `{objective.name}` over {hidden}, {objective.probability:.0%} of the"
        f" tokens hidden, sequences of {length} tokens",
        loader=f"AutoModelFor{'PreTraining' if objectives.pair_of(job.spec) else 'MaskedLM'}",
        limits=(
            "It names hidden words; for a task of yours start a TransferJob from it:"
            " `model: {from: {uri: THIS_FOLDER}}`.",
        ),
    )


def _origin(job: PretrainJob, prepared: Prepared) -> Origin:
    source = job.spec.model.from_
    return Origin(
        name=source.zoo or source.uri or "random weights",
        digest=prepared.model_digest,
        random=prepared.random_weights,
    )


def _final_module(
    settings: Settings, prepared: Prepared, result: TrainingResult
) -> MaskedLanguageModel:
    """A whole module on the CPU: the trained one may be sharded."""
    encoder = build.load_own(
        settings.store / prepared.model,
        random=True,
        seed=settings.job.spec.training.seed,
        vocabulary=prepared.vocabulary,
    )
    assert isinstance(settings.job, PretrainJob)
    pairs = objectives.pair_of(settings.job.spec) is not None
    module = MaskedLanguageModel(encoder, seed=0, pairs=pairs)
    module.load_state_dict(dict(result.weights))
    return module.eval()
