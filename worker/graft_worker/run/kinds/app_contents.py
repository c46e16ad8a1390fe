"""What a job over an app publishes: the encoder with the app's head, and answers to check it by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from graft_api.distilljob import DistillJob
from graft_api.transferjob import TransferJob
from graft_worker.data.rows import Row
from graft_worker.data.shards import Shards
from graft_worker.export import artefact
from graft_worker.export.contents import Contents, Golden, Origin
from graft_worker.export.profile import profile
from graft_worker.models import build, hugging_face, tokenization
from graft_worker.run import facts
from graft_worker.run.inference import logits_of

if TYPE_CHECKING:
    from torch import nn

    from graft_worker.apps.app import App
    from graft_worker.config import Settings
    from graft_worker.data.prepared import Prepared
    from graft_worker.train.result import TrainingResult


def contents(
    settings: Settings, prepared: Prepared, app: App, result: TrainingResult, *, origin: Origin
) -> Contents:
    """Everything that goes into the artefact of a model that began as `origin`."""
    module: Any = final_module(settings, prepared, app, result)
    job = settings.job
    assert isinstance(job, TransferJob | DistillJob)
    spec = job.model_dump(mode="json", by_alias=True, exclude_none=True)
    return Contents(
        job=job.metadata.name,
        owner=settings.job_dir.name,
        spec=spec,
        app=app.name,
        variant=job.spec.app.variant or "",
        method=job.spec.method.name,
        params=job.spec.app.params,
        problem=app.problem,
        labels=prepared.labels,
        columns=prepared.columns,
        max_length=job.spec.data.max_length,
        config=hugging_face.config_json(module.encoder, app.problem, prepared.labels),
        weights=module.hugging_face_state(),
        tokenizer=(settings.store / prepared.tokenizer / artefact.TOKENIZER).read_text("utf-8"),
        origin=origin,
        data=tuple(facts.of_split(settings, prepared, name) for name in prepared.splits),
        results=facts.results(prepared, result),
        golden=_golden(settings, prepared, app, module),
        profile=_profile(settings, prepared, app),
        versions=facts.versions(),
    )


def final_module(
    settings: Settings, prepared: Prepared, app: App, result: TrainingResult
) -> nn.Module:
    """A whole module on the CPU: the trained one may be sharded."""
    encoder = build.load_encoder(
        settings.store / prepared.model,
        random=True,
        seed=settings.job.spec.training.seed,
        vocabulary=prepared.vocabulary,
    )
    module = app.model(encoder, 0.0)
    module.load_state_dict(dict(result.weights))
    return module.eval()


def _golden(
    settings: Settings, prepared: Prepared, app: App, module: nn.Module
) -> tuple[Golden, ...]:
    """The rows that the prepare stage has kept, with the final module's answers."""
    rows = [Row(told, "prepared.json", line) for line, told in enumerate(prepared.golden, 1)]
    tokenizer = tokenization.load(settings.store / prepared.tokenizer)
    encode = app.features(tokenizer, settings.job.spec.data.max_length)
    logits = logits_of(module, encode(rows), device=torch.device("cpu"))
    return tuple(
        Golden(inputs=told, logits=tuple(values))
        for told, values in zip(prepared.golden, logits.tolist(), strict=True)
    )


def _profile(settings: Settings, prepared: Prepared, app: App) -> dict[str, Any]:
    train = Shards.open(settings.store / prepared.splits["train"].shards)
    return profile(
        train.lengths,
        train.per_example["target"],
        unknown=facts.unknown(train, settings.store / prepared.tokenizer),
        problem=app.problem,
        labels=prepared.labels,
    )
