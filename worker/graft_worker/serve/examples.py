"""Texts as the model takes them: their tokens, and whether a text had to be cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graft_worker.apps.app import App
from graft_worker.data.blocks import Block, Encode
from graft_worker.data.rows import Row
from graft_worker.export.artefact import Artefact
from graft_worker.models import tokenization

UNCUT = 1 << 30  # tokens: more than any body holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One text or pair of texts, T tokens."""

    tokens: NDArray[np.uint32]  # [T]
    types: NDArray[np.uint8]  # [T]
    cut: bool = False  # it had more tokens than the model was trained with

    def __len__(self) -> int:
        return len(self.tokens)


class Reader:
    """From rows keyed by role to examples. May be used from several threads."""

    def __init__(self, artefact: Artefact, app: App) -> None:
        tokenizer = tokenization.load(artefact.folder)
        columns = artefact.columns
        self.roles = tuple(
            role
            for role in app.roles()
            if role.kind == "text" and (role.required or role.name in columns)
        )
        self.max_length = artefact.max_length
        self.unknown = tokenizer.token_to_id("[UNK]")
        self._encode: Encode = app.features(tokenizer, artefact.max_length)
        self._whole: Encode = app.features(tokenizer, UNCUT)

    def read(self, texts: Sequence[tuple[str, ...]]) -> list[Example]:
        """Examples of one or two texts each, in their order."""
        rows = [self._row(number, each) for number, each in enumerate(texts)]
        found = _examples(self._encode(rows))
        full = [place for place, each in enumerate(found) if len(each) >= self.max_length]
        if full:
            whole = self._whole([rows[place] for place in full]).lengths.tolist()
            for place, length in zip(full, whole, strict=True):
                found[place] = _marked(found[place], cut=length > len(found[place]))
        return found

    @property
    def least(self) -> int:
        """Texts that belong together at least: 2 where the model judges pairs."""
        return sum(role.required for role in self.roles)

    @property
    def most(self) -> int:
        """Texts that may belong together."""
        return len(self.roles)

    def unknown_share(self, example: Example) -> float:
        """Share of the tokens that the vocabulary lacks."""
        if self.unknown is None:
            return 0.0
        return float((example.tokens == self.unknown).mean())

    def _row(self, number: int, texts: tuple[str, ...]) -> Row:
        names = [role.name for role in self.roles]
        return Row(dict(zip(names, texts, strict=False)), "request", number)


def block(examples: Sequence[Example]) -> Block:
    """The examples end to end, as `data.shards` takes them."""
    return Block(
        tokens=np.concatenate([each.tokens for each in examples]),
        lengths=np.array([len(each) for each in examples], np.int32),
        per_token={"types": np.concatenate([each.types for each in examples])},
    )


def _examples(read: Block) -> list[Example]:
    ends = np.cumsum(read.lengths)[:-1]
    columns = (np.split(read.tokens, ends), np.split(read.per_token["types"], ends))
    return [
        Example(tokens=tokens.astype(np.uint32), types=types.astype(np.uint8))
        for tokens, types in zip(*columns, strict=True)
    ]


def _marked(example: Example, *, cut: bool) -> Example:
    return Example(tokens=example.tokens, types=example.types, cut=cut)
