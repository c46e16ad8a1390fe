"""Batches built by hand from lists of token ids, padded or packed, and the library's tiny BERTs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from graft_worker.data.batch import Batch

Texts = Sequence[Tensor]
Plan = Sequence[Sequence[int]]  # which texts stand in which row
SIZES: dict[str, Any] = {
    "vocab_size": 97,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 48,
    "initializer_range": 0.2,
}


def texts(lengths: Sequence[int], *, vocabulary: int, seed: int = 0) -> list[Tensor]:
    """Random ids, none of them padding."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(5, vocabulary, (n,), generator=generator) for n in lengths]


def keys_of(sample: int, length: int) -> Tensor:
    """Keys that depend on the sample and the place alone."""
    generator = torch.Generator().manual_seed(1000 + sample)
    return torch.randint(-(2**31), 2**31, (length,), generator=generator).int()


def packed(ids: Texts, rows: Plan, width: int) -> Batch:
    """The texts in the given rows; the sequences of the batch are in the order of the texts."""
    shape = (len(rows), width)
    made = {name: torch.zeros(shape, dtype=torch.long) for name in ("ids", "positions", "types")}
    segments, keys = torch.zeros(shape, dtype=torch.int32), torch.zeros(shape, dtype=torch.int32)
    first = torch.zeros(sum(len(row) for row in rows), dtype=torch.long)
    order = sorted(sample for row in rows for sample in row)
    for r, row in enumerate(rows):
        start = 0
        for number, sample in enumerate(row, 1):
            n = len(ids[sample])
            at = slice(start, start + n)
            made["ids"][r, at], made["positions"][r, at] = ids[sample], torch.arange(n)
            made["types"][r, at] = (torch.arange(n) >= n // 2).long()
            segments[r, at], keys[r, at] = number, keys_of(sample, n)
            first[order.index(sample)] = r * width + start
            start += n
    tokens = sum(len(ids[sample]) for sample in order)
    samples = torch.tensor(order)
    return Batch(
        **made,
        segments=segments,
        keys=keys,
        first=first,
        samples=samples,
        targets={},
        tokens=tokens,
        attended=sum(len(ids[sample]) ** 2 for sample in order),
        most=max(len(row) for row in rows),
    )


def padded(ids: Texts, samples: Sequence[int] | None = None, width: int | None = None) -> Batch:
    """One text per row."""
    chosen = list(range(len(ids))) if samples is None else list(samples)
    return packed(ids, [[s] for s in chosen], width or max(len(ids[s]) for s in chosen))


def library_bert(folder: Path, **changed: Any) -> Any:
    """A random BertModel of `transformers`, saved into the folder; its norms are not 1 and 0."""
    from transformers import BertConfig, BertModel

    torch.manual_seed(7)
    return _saved(BertModel(BertConfig(**(SIZES | changed))), folder)


def library_albert(folder: Path, kind: str = "AlbertModel", **changed: Any) -> Any:
    """The same of an ALBERT, or of a class of it with a head."""
    import transformers

    torch.manual_seed(7)
    config = transformers.AlbertConfig(**(SIZES | {"embedding_size": 12} | changed))
    return _saved(getattr(transformers, kind)(config), folder)


def _saved(model: Any, folder: Path) -> Any:
    with torch.no_grad():
        for name, parameter in model.eval().named_parameters():
            if "norm" in name.lower() or name.endswith("bias"):
                parameter.add_(torch.randn_like(parameter), alpha=0.2)
    model.save_pretrained(folder)
    return model
