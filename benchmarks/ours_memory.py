"""What Graft takes of memory to prepare a text and to read it for training."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import ours, resident

if TYPE_CHECKING:
    from benchmarks.child import Baton, Options

SEQUENCES = 64  # of a batch
SMALL = {
    "num_hidden_layers": 1,
    "hidden_size": 16,
    "num_attention_heads": 1,
    "intermediate_size": 16,
}


def prepare(options: Options, _baton: Baton) -> Mapping[str, float]:
    """Prepares the text in a folder: the tokenizer is trained, sequences stand in shards."""
    from graft_api.vocabulary import StoreFile
    from graft_worker.run import prepare as _imported  # noqa: F401  (not what is measured)

    began = time.process_time()
    with resident.Watch() as watch:
        job = ours.prepare(_job(options), Path(options["folder"]))
    job.prepared.write(job.settings.job_dir / StoreFile.PREPARED)
    return {
        "own": watch.most,
        "resident": resident.mebibytes(resident.PEAK),
        "seconds": time.process_time() - began,
        "tokens": job.prepared.splits["train"].tokens,
    }


def read(options: Options, _baton: Baton) -> Mapping[str, Any]:
    """An epoch of what was prepared in each folder, in batches with words hidden."""
    import torch

    torch.set_num_threads(1)
    return {folder: _epoch(options, Path(folder)) for folder in options["folders"]}


def _epoch(options: Options, folder: Path) -> Mapping[str, float]:
    from graft_api.vocabulary import StoreFile
    from graft_worker.data.prepared import Prepared
    from graft_worker.run.kinds import training

    settings = ours.settings_of(_job({**options, "folder": str(folder)}), folder)
    found = Prepared.read(settings.job_dir / StoreFile.PREPARED)
    job = ours.Prepared(settings=settings, prepared=found)
    began = time.process_time()
    with resident.Watch() as watch:
        shards = replace(job.shards("train"), view=training.of(settings, found).view)
        feed = ours.feed_of(job, shards, SEQUENCES)
        feed.longest(2)
        for _ in feed.steps(0, math.ceil(shards.rows / SEQUENCES)):
            pass
    return {
        "own": watch.most,
        "resident": resident.mebibytes(resident.PEAK),
        "seconds": time.process_time() - began,
    }


def _job(options: Options) -> Mapping[str, Any]:
    return {
        "apiVersion": "graft.dev/v1alpha1",
        "kind": "PretrainJob",
        "metadata": {"name": "memory"},
        "spec": {
            "model": {
                "from": {"config": {"architecture": "bert", "options": SMALL}},
                "tokenizer": {"train": {"kind": options["tokenizer"], "size": options["ids"]}},
            },
            "data": {"train": {"uri": options["text"], "format": "text"}},
            "objective": {"name": "mlm"},
            "training": {"duration": {"epochs": 1}, "globalBatch": SEQUENCES},
        },
    }
