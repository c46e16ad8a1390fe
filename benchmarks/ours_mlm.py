"""Graft pretrains: the job is prepared, masked and trained by the worker's own parts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks import ours
from benchmarks.corpus import SHARE, Corpus

if TYPE_CHECKING:
    from benchmarks.child import Baton, Options
    from graft_worker.data.batch import Batch
    from graft_worker.data.shards import Shards
    from graft_worker.train.feed import Feed

IGNORED = -100  # what transformers' models take for a label that is none


def pretrain(options: Options, baton: Baton) -> Mapping[str, Any]:
    """C1 and C2 with Graft: `mode` and result as for the peers."""
    import torch

    from graft_worker.train.loop import Trainer

    torch.set_num_threads(options["threads"])
    with TemporaryDirectory() as folder:
        prepared = ours.prepare(job(options), Path(folder))
        laps = ours.Laps(baton)
        work = ours.work_of(prepared, dropout=options["mode"] != "equality")
        baton.begin()
        result = Trainer(work=work, extra=(laps,)).run()
        return {
            "losses": laps.losses,
            "microBatch": result.micro_batch,
            "precision": result.precision,
        }


def sequences(options: Options, _baton: Baton) -> Mapping[str, Any]:
    """Writes what the first steps read, words hidden, for the peers; the result counts it."""
    import numpy as np

    corpus = Corpus.of(options["corpus"])
    with TemporaryDirectory() as folder:
        feed = _feed(ours.prepare(job(options), Path(folder)))
        parts = [_labelled(batch, corpus) for batch in _batches(feed, 0, options["steps"])]
    ids, labels = (np.concatenate(of_all) for of_all in zip(*parts, strict=True))
    np.savez(corpus.equal, ids=ids, labels=labels)
    return {"sequences": len(ids), "hidden": int((labels >= 0).sum())}


def masked(options: Options, baton: Baton) -> Mapping[str, Any]:
    """C8 with Graft: every batch of an epoch as training takes it; a lap is an epoch."""
    import torch

    torch.set_num_threads(options["threads"])
    with TemporaryDirectory() as folder:
        feed = _feed(ours.prepare(job(options), Path(folder)))
        steps = math.ceil(feed.shards.rows / feed.global_batch)
        if options["mode"] == "equality":
            return _hidden(feed, steps) | {"equal": _plain(feed.shards, options)}
        baton.begin()
        start = 0
        while True:
            tokens = sum(batch.tokens for batch in _batches(feed, start, start + steps))
            baton.lap(tokens=tokens)
            start += steps


def _batches(feed: Feed, start: int, stop: int) -> Iterator[Batch]:
    return (m.batch for step in feed.steps(start, stop) for m in step.micro_batches)


def _hidden(feed: Feed, steps: int) -> dict[str, int]:
    """What an epoch holds: sequences, tokens and hidden ones."""
    counts = {"texts": 0, "tokens": 0, "hidden": 0}
    for batch in _batches(replace(feed, positions=feed.shards.rows), 0, steps):
        counts["texts"] += len(batch.samples)
        counts["tokens"] += batch.tokens
        counts["hidden"] += 0 if batch.asked is None else len(batch.asked.answers)
    return counts


def _plain(shards: Shards, options: Options) -> str:
    """Writes the sequences as they are, with where their words begin, for the peers."""
    import numpy as np

    path = Corpus.of(options["corpus"]).equal
    np.savez(
        path,
        tokens=shards.tokens,
        offsets=shards.offsets,
        starts=shards.per_token["starts"] != 0,
    )
    return str(path)


def _labelled(batch: Batch, corpus: Corpus) -> tuple[Any, Any]:
    """Ids [S, W] and labels [S, W] of a padded batch, as wide as the corpus allows."""
    import numpy as np

    assert batch.asked is not None
    ids = batch.ids.numpy()
    labels = np.full(ids.size, IGNORED)
    labels[batch.asked.slots.numpy()] = batch.asked.answers.numpy()
    more = ((0, 0), (0, corpus.recipe.max_length - ids.shape[1]))
    return np.pad(ids, more), np.pad(labels.reshape(ids.shape), more, constant_values=IGNORED)


def _feed(prepared: ours.Prepared) -> Feed:
    from graft_worker.run.kinds import training

    view = training.of(prepared.settings, prepared.prepared).view
    size = prepared.settings.job.spec.training.global_batch
    feed = ours.feed_of(prepared, replace(prepared.shards("train"), view=view), size)
    return replace(feed, packing=False)


def job(options: Options) -> Mapping[str, Any]:
    """The PretrainJob that reads the corpus."""
    corpus, mode = Corpus.of(options["corpus"]), options["mode"]
    recipe = corpus.recipe
    return {
        "apiVersion": "graft.dev/v1alpha1",
        "kind": "PretrainJob",
        "metadata": {"name": f"benchmark-{mode}"},
        "spec": {
            "model": {"from": {"uri": str(corpus.start)}},
            "data": {
                "train": {"uri": str(corpus.text), "format": "text"},
                "maxLength": recipe.max_length,
            },
            "objective": {"name": "mlm", "probability": SHARE, "wholeWord": corpus.whole_word},
            "training": {
                "duration": {"steps": options["steps"] if mode == "equality" else ours.NEVER},
                "globalBatch": recipe.global_batch,
                "optimizer": {"learningRate": recipe.learning_rate, "weightDecay": 0.0},
                "schedule": {"name": "linear", "warmup": 0},
                "seed": options["seed"],
                "evaluate": {"keepBest": False},
                **options.get("training", {}),
            },
            "checkpoint": {"every": {"steps": ours.NEVER}},
        },
    }
