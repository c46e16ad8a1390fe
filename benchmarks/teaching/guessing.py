"""How well hidden words can be guessed by who knows how often each occurs, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graft_api.pretrainjob import PretrainJob
from graft_worker.data.prepared import Prepared
from graft_worker.data.shards import ANSWER, Shards
from graft_worker.local.store import job_folder
from graft_worker.models import tokenization
from graft_worker.pretrain import masking

Tokens = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guessing:
    """The tokens that a job's validation hides, and the mean of -log p in nats of two guesses.

    `nats` takes p from the training text, as a model without context would learn it. `entropy`
    takes it from the hidden tokens themselves: few as they are, nobody could know it.
    """

    tokens: int
    nats: float
    entropy: float


def guessing(job: PretrainJob, store: Path) -> Guessing:
    """What the validation of a job hides, from what `graft run` has prepared in the store."""
    folder = job_folder(store, kind=job.kind, name=job.metadata.name)
    prepared = Prepared.read(folder / "prepared.json")
    hiding = masking.of_spec(job.spec, tokenization.load(store / prepared.tokenizer))
    train, held = (
        Shards.open(store / prepared.splits[split].shards) for split in ("train", "validation")
    )
    answers = hiding(held, np.arange(held.rows), None).flat().per_token[ANSWER]
    counts = np.bincount(train.tokens.astype(np.int64), minlength=prepared.vocabulary)
    return of_tokens(answers[answers >= 0], np.where(hiding.marks, 0, counts))


def of_tokens(tokens: Tokens, counts: Tokens) -> Guessing:
    """The guesses of the tokens, by how often each id occurs in the training text."""
    learnt = (counts + 1) / (counts.sum() + len(counts))  # an id that never occurred may be asked
    own = np.bincount(tokens, minlength=len(counts)) / len(tokens)
    shares = own[own > 0]
    return Guessing(
        tokens=len(tokens),
        nats=float(-(own * np.log(learnt)).sum()),
        entropy=float(-(shares * np.log(shares)).sum()),
    )
