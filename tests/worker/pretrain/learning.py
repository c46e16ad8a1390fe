"""A language small enough to be learnt in seconds, and pretraining on it without a job around."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from graft_api.run import Checkpoint, CheckpointInterval
from graft_api.training import Length, Optimizer, Training
from graft_worker.checkpoint.store import Checkpoints
from graft_worker.data.shards import Shards
from graft_worker.distributed.process import Process
from graft_worker.models import tokenization
from graft_worker.models.bert import BertEncoder
from graft_worker.models.encoder import EncoderConfig
from graft_worker.models.masked import MaskedLanguageModel
from graft_worker.pretrain import masking, sentences
from graft_worker.pretrain.task import MaskedTask
from graft_worker.train.loop import Trainer
from graft_worker.train.result import TrainingResult
from graft_worker.train.settings import Examples, Recipe, Surroundings, Work
from tests.worker.pretrain import small

TOPICS, WORDS = 8, 6


def lines(count: int, *, seed: int) -> list[str]:
    """Sentences of 14 words of one topic: whoever knows it has six words to choose from."""
    draw = np.random.default_rng(seed)
    topics = draw.integers(0, TOPICS, count)
    words = draw.integers(0, WORDS, (count, 14))
    return [
        " ".join(f"{chr(97 + t)}{chr(97 + w)}" for w in row)
        for t, row in zip(topics.tolist(), words.tolist(), strict=True)
    ]


def tokenizer() -> Tokenizer:
    return tokenization.train(lines(400, seed=0), kind="wordpiece", size=200)


def shards(count: int, *, seed: int) -> Shards:
    made = sentences.sequences(tokenizer(), small.form(max_length=16))
    (block, *_) = made(iter([small.rows(lines(count, seed=seed))]))
    view = masking.of_spec(small.spec(), tokenizer())
    return replace(Shards.in_memory(block), view=view)


def module(*, dropout: float = 0.0, shared: bool = False) -> MaskedLanguageModel:
    """A BERT of two layers; `shared`: an ALBERT of two steps through a group of two."""
    config = EncoderConfig(
        architecture="bert",
        vocabulary=tokenizer().get_vocab_size(),
        hidden=64,
        layers=2,
        heads=2,
        intermediate=128,
        max_positions=16,
        dropout=dropout,
        raw={"initializer_range": 0.1},
    )
    if shared:
        config = replace(config, architecture="albert", embedding=16, groups=1, inner=2)
    return MaskedLanguageModel(BertEncoder.random(config, seed=1), seed=1)


def train(
    root: Path,
    process: Process,
    *,
    made: dict[str, Any] | None = None,
    extra: Any = (),
    **wishes: Any,
) -> TrainingResult:
    """Trains in the folder, from its newest checkpoint."""
    defaults: dict[str, Any] = {
        "duration": Length(steps=6),
        "global_batch": 12,
        "micro_batch": 3,
        "optimizer": Optimizer(learning_rate=2e-3),
        "precision": "fp32",
    }
    stop, strategy = wishes.pop("stop", lambda: False), wishes.pop("strategy", "auto")
    work = Work(
        task=MaskedTask(module=module(**made or {})),
        process=process,
        recipe=Recipe(
            training=Training(**(defaults | wishes)),
            saving=Checkpoint(every=CheckpointInterval(steps=3)),
            metric="mlm_loss",
            mode="min",
            strategy=strategy,
        ),
        examples=Examples(
            train=shards(500, seed=1), validation=shards(60, seed=2), width=32, packing=True
        ),
        surroundings=Surroundings(
            checkpoints=Checkpoints(root, keep=3), report=lambda _: None, stop=stop
        ),
    )
    return Trainer(work=work, extra=extra).run()
