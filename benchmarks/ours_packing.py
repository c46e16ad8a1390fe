"""Graft on the same texts in padded and in packed rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from benchmarks.corpus import SHARE, Corpus

if TYPE_CHECKING:
    from benchmarks.child import Baton, Options
    from graft_worker.data.batch import Batch
    from graft_worker.data.shards import Shards
    from graft_worker.pretrain.masking import Masking
    from graft_worker.pretrain.task import MaskedTask


def differences(options: Options, _baton: Baton) -> Mapping[str, Any]:
    """Relative differences of loss and gradient norm, by number format, and the slots computed.

    One batch of the corpus' size, each text a line of its own, words hidden, without dropout.
    """
    import torch

    from graft_worker.data import order
    from graft_worker.data.batches import collate

    torch.set_num_threads(options["threads"])
    corpus = Corpus.of(options["corpus"])
    shards, masking = _lines(corpus)
    task = _task(corpus)
    rows = torch.arange(shards.rows).numpy()
    keys = order.key(options["seed"], 0, rows)
    viewed = replace(shards, view=masking)
    padded, packed = (
        collate(viewed, rows, keys=keys, width=corpus.recipe.max_length, packing=packing)
        for packing in (False, True)
    )
    return {
        "texts": shards.rows,
        "tokens": padded.tokens,
        "slots": {"padded": padded.ids.numel(), "packed": packed.ids.numel()},
        "differences": {name: _apart(task, padded, packed, name) for name in ("fp32", "bf16")},
    }


def _apart(task: MaskedTask, padded: Batch, packed: Batch, precision: str) -> dict[str, float]:
    (loss, norm), (other_loss, other_norm) = (
        _measured(task, batch, precision) for batch in (padded, packed)
    )
    return {
        "loss": abs(other_loss - loss) / abs(loss),
        "gradient norm": abs(other_norm - norm) / norm,
    }


def _measured(task: MaskedTask, batch: Batch, precision: str) -> tuple[float, float]:
    """The loss, and the norm of its gradient, summed in double precision."""
    import torch

    from graft_worker.train.precision import choose

    task.module.zero_grad(set_to_none=True)
    with choose(precision, torch.device("cpu")).autocast():
        loss = task.loss(task.module(batch), batch) / len(batch.samples)
    torch.autograd.backward(loss)
    slopes = [p.grad for p in task.module.parameters() if p.grad is not None]
    return float(loss), float(sum(slope.double().square().sum() for slope in slopes)) ** 0.5


def _lines(corpus: Corpus) -> tuple[Shards, Masking]:
    """The first lines, each a text, and what hides their words."""
    import numpy as np
    from tokenizers import Tokenizer

    from graft_api.decoding import decode
    from graft_worker.data.blocks import Block
    from graft_worker.data.shards import Shards
    from graft_worker.pretrain import masking, sentences

    tokenizer = Tokenizer.from_file(str(corpus.start / "tokenizer.json"))
    tokenizer.enable_truncation(corpus.recipe.max_length)
    lines = corpus.lines()[: corpus.recipe.global_batch]
    ids = [np.array(encoded.ids, np.int64) for encoded in tokenizer.encode_batch(lines)]
    tokens = np.concatenate(ids)
    block = Block(
        tokens=tokens,
        lengths=np.array([len(of_one) for of_one in ids], np.int32),
        per_token={sentences.STARTS: np.ones(len(tokens), np.uint8)},
        per_example={},
    )
    job: Any = decode(JOB)
    return Shards.in_memory(block), masking.of_spec(job.spec, tokenizer)


def _task(corpus: Corpus) -> MaskedTask:
    from graft_worker.models import build
    from graft_worker.models.masked import MaskedLanguageModel
    from graft_worker.pretrain.task import MaskedTask

    encoder = build.load_own(corpus.start, random=False, seed=0, vocabulary=corpus.vocabulary)
    module = MaskedLanguageModel(encoder, seed=0)
    module.take_head(corpus.start)
    return MaskedTask(module=module.eval())


JOB = f"""
apiVersion: graft.dev/v1alpha1
kind: PretrainJob
metadata: {{name: packing}}
spec:
  model: {{from: {{uri: start}}}}
  data: {{train: {{uri: train.txt, format: text}}}}
  objective: {{name: mlm, probability: {SHARE}, wholeWord: false}}
"""
