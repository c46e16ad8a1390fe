"""From a finished training to an artefact, the copy that the job asks for, and the marker."""

from __future__ import annotations

import importlib.metadata
import json
import math
import platform
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from graft_api.progress import Termination
from graft_api.vocabulary import StoreFile
from graft_worker.data import reading
from graft_worker.data.selections import selections
from graft_worker.data.shards import Shards
from graft_worker.export import artefact, manifest
from graft_worker.export.contents import Contents, DataFacts, Golden, Origin, Result
from graft_worker.export.profile import histogram, profile
from graft_worker.models import build, hugging_face, tokenization
from graft_worker.models.special import special
from graft_worker.report import files, termination
from graft_worker.run import deliver
from graft_worker.run.inference import logits_of

if TYPE_CHECKING:
    from torch import nn

    from graft_worker.apps.app import App
    from graft_worker.config import Settings
    from graft_worker.data.prepared import Prepared
    from graft_worker.export.artefact import Published
    from graft_worker.mirror.mirror import Mirror
    from graft_worker.train.result import TrainingResult

GOLDEN_ROWS = 8
PACKAGES = ("graft-operator", "torch", "tokenizers", "safetensors", "numpy")


def publish(
    settings: Settings, mirror: Mirror, prepared: Prepared, app: App, result: TrainingResult
) -> Published:
    """The artefact of the job; its last words and the completion marker are written after it.

    Raises:
        StoreError: the artefact, or the folder of output.uri, cannot be written.
    """
    module = _final_module(settings, prepared, app, result)
    published = artefact.publish(settings.store, _contents(settings, prepared, app, result, module))
    if settings.job.spec.output.uri:
        deliver.deliver(published.uri, settings.job.spec.output.uri)
    _finish(settings, mirror, result, published)
    return published


def _final_module(
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


def _contents(
    settings: Settings, prepared: Prepared, app: App, result: TrainingResult, module: Any
) -> Contents:
    job = settings.job
    spec = job.model_dump(mode="json", by_alias=True, exclude_none=True)
    return Contents(
        job=job.metadata.name,
        owner=settings.job_dir.name,
        spec=spec,
        app=app.name,
        variant=job.spec.app.variant or "",
        method=job.spec.method.name,
        params=job.spec.app.params,
        problem=prepared.problem,
        labels=prepared.labels,
        columns=prepared.columns,
        max_length=job.spec.data.max_length,
        config=hugging_face.config_json(module.encoder, prepared.problem, prepared.labels),
        weights=module.hugging_face_state(),
        tokenizer=(settings.store / prepared.tokenizer / artefact.TOKENIZER).read_text("utf-8"),
        origin=_origin(settings, prepared),
        data=tuple(_facts(settings, prepared, name) for name in prepared.splits),
        results=_results(prepared, result),
        golden=_golden(settings, prepared, app, module),
        profile=_profile(settings, prepared),
        versions=_versions(),
    )


def _origin(settings: Settings, prepared: Prepared) -> Origin:
    spec = settings.job.spec
    source = spec.model.from_ if spec.model else None
    own = f"{spec.app.name} ({spec.app.variant})" if source is None else "random weights"
    return Origin(
        name=(source and (source.zoo or source.uri)) or own,
        digest=prepared.model_digest,
        random=prepared.random_weights,
    )


def _facts(settings: Settings, prepared: Prepared, name: str) -> DataFacts:
    split = prepared.splits[name]
    source = ", ".join(selections(settings.job.spec.data, seed=0)[name].uris)
    counts: Mapping[str, int] = {}
    if prepared.labels:
        targets = Shards.open(settings.store / split.shards).per_example["target"]
        counts = histogram(targets, prepared.labels)
    return DataFacts(
        split=name, source=source, sha256=split.sha256, rows=split.rows, histogram=counts
    )


def _results(prepared: Prepared, result: TrainingResult) -> tuple[Result, ...]:
    measured = {"validation": result.metrics, "test": result.test_metrics}
    return tuple(
        Result(split=name, rows=prepared.splits[name].rows, metrics=metrics)
        for name, metrics in measured.items()
        if name in prepared.splits and metrics
    )


def _golden(
    settings: Settings, prepared: Prepared, app: App, module: nn.Module
) -> tuple[Golden, ...]:
    """Rows that training did not see, where there are any, with the final module's answers."""
    parts = selections(settings.job.spec.data, seed=settings.job.spec.training.seed)
    chosen = parts.get("validation") or parts["train"]
    roles = app.roles()
    rows = [row for row, _ in islice(reading.taken(chosen, roles), GOLDEN_ROWS)]
    texts = [role.name for role in roles if role.kind == "text"]
    inputs = [{name: row.values[name] for name in texts if row.values.get(name)} for row in rows]
    tokenizer = tokenization.load(settings.store / prepared.tokenizer)
    encode = app.features(tokenizer, settings.job.spec.data.max_length)
    unlabelled = [replace(row, values=dict(told)) for row, told in zip(rows, inputs, strict=True)]
    logits = logits_of(module, encode(unlabelled), device=torch.device("cpu"))
    return tuple(
        Golden(inputs=told, logits=tuple(values))
        for told, values in zip(inputs, logits.tolist(), strict=True)
    )


def _profile(settings: Settings, prepared: Prepared) -> dict[str, Any]:
    train = Shards.open(settings.store / prepared.splits["train"].shards)
    return profile(
        train.lengths,
        train.per_example["target"],
        unknown=_unknown(train, settings.store / prepared.tokenizer),
        problem=prepared.problem,
        labels=prepared.labels,
    )


def _unknown(train: Shards, folder: Path) -> float:
    """The share of tokens that the vocabulary lacks; 0 where it has a piece for every byte."""
    lacking = special(tokenization.load(folder)).unk
    return float((np.asarray(train.tokens) == lacking).mean())


def _versions() -> dict[str, str]:
    found = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **found}


def _final_metrics(result: TrainingResult) -> dict[str, float]:
    """The last loss and the metrics; what is not a number cannot be told in JSON."""
    told = ({} if result.loss is None else {"loss": result.loss}) | dict(result.metrics)
    return {name: value for name, value in told.items() if math.isfinite(value)}


def _finish(
    settings: Settings, mirror: Mirror, result: TrainingResult, published: Published
) -> None:
    mirror.put_folder(published.uri, last=manifest.NAME)
    address = mirror.address(published.uri)
    last = Termination(
        state="Complete",
        step=result.step,
        message=f"trained {result.step} steps",
        artefact_uri=address,
        artefact_digest=published.digest,
        artefact_bytes=published.bytes,
        total_steps=result.total_steps,
        metrics=_final_metrics(result),
    )
    if settings.termination_file is not None:
        termination.write(settings.termination_file, last)
    marker = {
        "artefact": {"uri": address, "digest": published.digest},
        "step": result.step,
        "metrics": dict(result.metrics),
        "testMetrics": dict(result.test_metrics),
    }
    path = settings.job_dir / StoreFile.RESULT
    files.replace(path, json.dumps(marker, indent=1))
    mirror.put(path)
