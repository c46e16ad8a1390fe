"""Graft itself: the job is prepared and trained by the worker's own parts, driven lap by lap."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import psutil

from benchmarks.workloads import Workload

if TYPE_CHECKING:
    from benchmarks.child import Baton, Options
    from graft_worker.config import Settings
    from graft_worker.data.prepared import Prepared as Splits
    from graft_worker.data.shards import Shards, View
    from graft_worker.train.feed import Feed
    from graft_worker.train.run import Run
    from graft_worker.train.settings import Examples, Surroundings, Work

NEVER = 2**31 - 1  # steps between two checkpoints: the peers save none either


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A job of which the prepare stage is done."""

    settings: Settings
    prepared: Splits

    def shards(self, split: str) -> Shards:
        from graft_worker.data.shards import Shards

        return Shards.open(self.settings.store / self.prepared.splits[split].shards)


class Laps:
    """Ends a lap with every optimizer step and keeps the losses."""

    name = "laps"

    def __init__(self, baton: Baton) -> None:
        self.losses: list[float] = []
        self._baton = baton
        self._before = (0, 0, 0)

    def after_step(self, run: Run) -> None:
        """Reports the lap and waits for the next."""
        assert run.loss is not None
        self.losses.append(run.loss)
        now = (run.counters.samples, run.counters.tokens, run.counters.slots)
        texts, tokens, slots = (a - b for a, b in zip(now, self._before, strict=True))
        self._before = now
        self._baton.lap(texts=texts, tokens=tokens, slots=slots)


def order(options: Options, _baton: Baton) -> Mapping[str, Any]:
    """Rows of the train split in the order in which the first steps take them."""
    from graft_worker.data.order import samples_at

    workload = Workload.of(options["workload"])
    count = options["steps"] * workload.recipe.global_batch
    return {"order": samples_at(options["seed"], 0, count, workload.rows)[1].tolist()}


def finetune(options: Options, baton: Baton) -> Mapping[str, Any]:
    """C5 with Graft: `mode` and result as for the peers."""
    import torch

    from graft_worker.models.heads import SequenceClassifier
    from graft_worker.train.loop import Trainer

    torch.set_num_threads(options["threads"])
    with TemporaryDirectory() as folder:
        job = prepare(_job(options), Path(folder))
        work = work_of(job, dropout=options["mode"] != "equality")
        classifier = work.task.module
        assert isinstance(classifier, SequenceClassifier)
        classifier.restore_head(Workload.of(options["workload"]).start)
        laps = Laps(baton)
        baton.begin()
        result = Trainer(work=work, extra=(laps,)).run()
        return {
            "losses": laps.losses,
            "accuracy": result.metrics.get("accuracy"),
            "devLoss": result.metrics.get("loss"),
            "microBatch": result.micro_batch,
            "precision": result.precision,
        }


def stream(options: Options, baton: Baton) -> Mapping[str, Any]:
    """C9 with Graft: shards built once, then epochs of the batches that training takes."""
    import torch

    torch.set_num_threads(options["threads"])
    with TemporaryDirectory() as folder:
        began = time.process_time()
        job = prepare(_job(options), Path(folder))
        built = time.process_time() - began
        shards, size = job.shards("train"), job.settings.job.spec.training.global_batch
        feed = feed_of(job, shards, size)
        steps = shards.rows // size
        if options["mode"] == "equality":
            resident = psutil.Process().memory_info().rss
            return {"work": _work_of(feed, steps), "buildSeconds": built, "residentBytes": resident}
        baton.begin()
        start = 0
        while True:
            steps_of_epoch = feed.steps(start, start + steps)
            tokens = sum(m.batch.tokens for step in steps_of_epoch for m in step.micro_batches)
            baton.lap(tokens=tokens, texts=shards.rows)
            start += steps


def _work_of(feed: Feed, steps: int) -> Mapping[str, int]:
    done = {"texts": 0, "tokens": 0, "ids": 0}
    for step in feed.steps(0, steps):
        for micro in step.micro_batches:
            done["texts"] += len(micro.batch.samples)
            done["tokens"] += micro.batch.tokens
            done["ids"] += int(micro.batch.ids.sum())
    return done


def _job(options: Options) -> Mapping[str, Any]:
    workload, mode = Workload.of(options["workload"]), options["mode"]
    recipe = workload.recipe
    roles = {name: name for name in (*workload.texts, "label")}
    lengths: dict[str, Mapping[str, float]] = {
        "race": {"epochs": 1000},
        "accuracy": {"epochs": recipe.accuracy_epochs},
        "equality": {"steps": options.get("steps", 1)},
    }
    data = {"train": {"uri": str(workload.file(options["split"])), "columns": roles}}
    if mode == "accuracy":
        data["validation"] = {"uri": str(workload.file("dev")), "columns": roles}
    return {
        "apiVersion": "graft.dev/v1alpha1",
        "kind": "TransferJob",
        "metadata": {"name": f"benchmark-{mode}"},
        "spec": {
            "app": {"name": workload.app, "labels": list(workload.labels)},
            "model": {"from": {"uri": str(workload.start)}},
            "data": {**data, "maxLength": recipe.max_length},
            "training": {
                "duration": lengths[mode],
                "globalBatch": recipe.global_batch,
                "optimizer": {"learningRate": recipe.learning_rate, "weightDecay": 0.0},
                "schedule": {"name": "linear", "warmup": 0},
                "seed": options["seed"],
                "evaluate": {"keepBest": False},
            },
            "checkpoint": {"every": {"steps": NEVER}},
        },
    }


def prepare(job: Mapping[str, Any], folder: Path) -> Prepared:
    """The job as `graft_worker.run.prepare` leaves it in the folder."""
    from graft_worker.mirror.mirror import Mirror
    from graft_worker.run import prepare as stage

    settings = settings_of(job, folder)
    settings.job_dir.mkdir()
    return Prepared(
        settings=settings, prepared=stage.prepare(settings, Mirror(store=settings.store))
    )


def settings_of(job: Mapping[str, Any], folder: Path) -> Settings:
    """What a worker is told of the job whose store is in the folder."""
    import json

    from graft_api import decoding, planner
    from graft_api.kinds import model_of
    from graft_worker.config import Settings

    plan = planner.plan(decoding.decode(json.dumps(job)))
    resolved: Any = model_of(plan.kind).model_validate_json(plan.job, by_alias=True, by_name=False)
    return Settings(
        job=resolved,
        store=folder / "store",
        job_dir=folder / "job",
        uid="benchmark",
    )


def work_of(job: Prepared, *, dropout: bool) -> Work:
    """The work as `graft_worker.run.train` makes it, on one process."""
    from graft_worker.distributed.process import join
    from graft_worker.models.dropout import KeyedDropout
    from graft_worker.run.kinds import training as kinds
    from graft_worker.train.settings import Recipe, Work

    spec = job.settings.job.spec
    asked = kinds.of(job.settings, job.prepared)
    task, (metric, mode) = asked.task, asked.choice(None)
    if not dropout:
        for part in task.module.modules():
            if isinstance(part, KeyedDropout):
                part.rate = 0.0
    recipe = Recipe(
        training=spec.training,
        saving=spec.checkpoint,
        metric=metric,
        mode=mode,
    )
    return Work(
        task=task,
        process=join(os.environ),
        recipe=recipe,
        examples=_examples(job, asked.view),
        surroundings=_surroundings(job.settings),
    )


def _examples(job: Prepared, view: View | None) -> Examples:
    from graft_worker.train.settings import Examples

    shards = {name: replace(job.shards(name), view=view) for name in job.prepared.splits}
    width = job.settings.job.spec.data.max_length
    validation = shards.get("validation")
    return Examples(train=shards["train"], validation=validation, width=width, packing=True)


def _surroundings(settings: Settings) -> Surroundings:
    from graft_worker.checkpoint.store import Checkpoints
    from graft_worker.report.reporter import Reporter
    from graft_worker.train.settings import Surroundings
    from graft_worker.train.stop_request import StopRequest

    return Surroundings(
        checkpoints=Checkpoints(settings.job_dir / "checkpoints", keep=1),
        report=Reporter(settings.job_dir).publish,
        stop=StopRequest(),
    )


def feed_of(job: Prepared, shards: Shards, size: int) -> Feed:
    """The batches that training takes, of one process."""
    from graft_worker.train.feed import Feed

    training = job.settings.job.spec.training
    return Feed(
        shards=shards,
        seed=training.seed,
        global_batch=size,
        micro_batch=size,
        positions=NEVER * size,
        width=job.settings.job.spec.data.max_length,
        packing=True,
        rank=0,
        world=1,
    )
