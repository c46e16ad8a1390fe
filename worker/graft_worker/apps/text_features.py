"""Texts and targets of rows, encoded in columns; runs without torch.

N rows, T tokens of all of them, C labels.
A single text is cut at its end, a pair loses tokens of its longer side first,
exactly as the published tokenizer does with `truncation=True`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np
from tokenizers import Encoding, Tokenizer

from graft_api.errors import ConfigError
from graft_worker.data.blocks import Array, Block, Encode
from graft_worker.data.rows import Role, Row

# The values of one role to the column `target`, or None where no row has one.
TargetColumn = Callable[[Sequence[Any]], Array | None]


def text_features(
    tokenizer: Tokenizer, *, texts: tuple[Role, ...], target: TargetColumn, max_length: int
) -> Encode:
    """A function from rows to a Block with `types` per token and, where rows have one, `target`.

    `texts` are the one or two roles whose values are encoded; a row that has nothing under a role
    that is not required is a single text. The tokenizer given is not changed.

    Raises:
        ConfigError: no token of a text would fit, or the tokenizer marks no start of a text.
    """
    cutting = _cutting(tokenizer, texts=len(texts), max_length=max_length)

    def encode(rows: Sequence[Row]) -> Block:
        encoded = cutting.encode_batch_fast([_input(row, texts) for row in rows])
        return _block(encoded, target([row.values.get("label") for row in rows]))

    return encode


def _cutting(tokenizer: Tokenizer, *, texts: int, max_length: int) -> Tokenizer:
    marks = tokenizer.num_special_tokens_to_add(texts > 1)
    if marks == 0:
        raise ConfigError(
            "spec.model.tokenizer: marks neither start nor end of a text",
            hint="a classifier reads the first mark: take a tokenizer with [CLS] and [SEP]",
        )
    if max_length < marks + texts:
        raise ConfigError(
            f"spec.data.maxLength: {max_length}: too short, expected at least {marks + texts}",
            hint=f"{marks} tokens are marks of the tokenizer, at least one of each text must fit",
        )
    copy = Tokenizer.from_str(tokenizer.to_str())
    copy.no_padding()
    copy.enable_truncation(max_length, strategy="longest_first")
    return copy


def _input(row: Row, texts: tuple[Role, ...]) -> str | tuple[str, str]:
    values = [str(row.values.get(role.name) or "") for role in texts]
    taken = [v for v, role in zip(values, texts, strict=True) if v or role.required]
    return (taken[0], taken[1]) if len(taken) > 1 else "".join(taken)


def _block(encoded: Sequence[Encoding], target: Array | None) -> Block:
    lengths = np.array([len(each) for each in encoded], np.int32)
    total = int(lengths.sum())
    return Block(
        tokens=np.fromiter(chain.from_iterable(e.ids for e in encoded), np.uint32, total),
        lengths=lengths,
        per_token={
            "types": np.fromiter(chain.from_iterable(e.type_ids for e in encoded), np.uint8, total)
        },
        per_example={} if target is None else {"target": target},
    )
