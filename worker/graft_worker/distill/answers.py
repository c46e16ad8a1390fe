"""The teacher's answers to the rows of a split: computed once, by all processes, and kept.

N rows, C outputs. The cache holds a folder for each piece of a split, named by what its content
depends on: the teacher, the tokenised rows, and which of them. A pass that was interrupted goes on
with the first piece that is missing.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from graft_worker.data import batches
from graft_worker.data.blocks import Block
from graft_worker.data.cache import Cache
from graft_worker.data.shard_writer import ShardWriter, discard, is_whole
from graft_worker.data.shards import Shards
from graft_worker.distributed.process import Process

VERSION = 1
PIECE = 1 << 13  # rows; between two pieces processes wait for each other, so they stay small
TOKENS = 8192  # slots of a batch
COLUMN = "logits"  # in the cache
TEACHER = "teacher"  # beside the targets of a training batch

Logits = NDArray[np.float32]  # [N, C]

log = logging.getLogger(__name__)


def _nowhere(_folder: Path) -> None:
    """There is no other place to send it to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Teacher:
    """The digest of a model, and how it is had in evaluation mode, on this process's device."""

    digest: str
    load: Callable[[], nn.Module]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A split as the teacher reads it; `name` is that of its shards, a digest of their content."""

    name: str
    shards: Shards


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Where answers are kept. `send` has a new folder reach the machines that `bring` knows."""

    cache: Cache
    piece: int = PIECE  # rows of a folder
    send: Callable[[Path], None] = _nowhere


def answers(teacher: Teacher, asked: Asked, *, process: Process, shelf: Shelf) -> Logits:
    """The teacher's logits [N, C] in fp32, in the order of the rows, in every process.

    They do not depend on the number of processes: batches are dealt out whole.

    Raises:
        StoreError: the cache cannot be written.
    """
    starts = range(0, asked.shards.rows, shelf.piece)
    pieces = [_piece(teacher, asked, start, process, shelf) for start in starts]
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def with_answers(shards: Shards, logits: Logits) -> Shards:
    """The split with the teacher's answers beside its targets, row for row."""
    assert len(logits) == shards.rows
    return replace(shards, per_example={**shards.per_example, TEACHER: logits})


def key(teacher: str, name: str, rows: range) -> str:
    """64 hex digits of everything that the answers depend on."""
    parts = {
        "version": VERSION,
        "teacher": teacher,
        "shards": name,
        "rows": [rows.start, rows.stop],
        "precision": "fp32",
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _piece(teacher: Teacher, asked: Asked, start: int, process: Process, shelf: Shelf) -> Logits:
    rows = range(start, min(start + shelf.piece, asked.shards.rows))
    folder = shelf.cache.folder(key(teacher.digest, asked.name, rows)) if process.leads else Path()
    if not process.broadcast(process.leads and _kept(folder)):
        parts = process.gather(_computed(teacher.load(), asked.shards, rows, process))
        if process.leads:
            _write(folder, _joined([part for of_rank in parts for part in of_rank]))
            shelf.send(folder)
            log.info("the teacher has answered %d of %d rows", rows.stop, asked.shards.rows)
    # Read back in any case: what a second job finds is what the first one trained with.
    return process.broadcast(_read(folder) if process.leads else np.empty((0, 0), np.float32))


_Part = tuple[NDArray[np.int64], Logits]  # places in the piece, and their logits


def _computed(module: nn.Module, shards: Shards, rows: range, process: Process) -> list[_Part]:
    """This process's share of the piece; the same batches whatever the number of processes."""
    groups = batches.dealt(shards.lengths[rows.start : rows.stop], tokens=TOKENS, world=1)
    parts = []
    with torch.inference_mode():
        for group in groups[process.rank :: process.world]:
            batch = batches.collate(shards, rows.start + group, keys=None, width=0, packing=False)
            parts.append((group, module(batch.to(process.device)).float().cpu().numpy()))
    return parts


def _joined(parts: list[_Part]) -> Logits:
    places = np.concatenate([places for places, _ in parts])
    logits: Logits = np.concatenate([logits for _, logits in parts])[np.argsort(places)]
    return logits


def _kept(folder: Path) -> bool:
    """Whether the answers are there and whole; damaged ones are removed."""
    if not folder.exists():
        return False
    if whole := is_whole(folder):
        return whole
    log.warning("answers are damaged and computed anew", extra={"folder": str(folder)})
    discard(folder)
    return False


def _write(folder: Path, logits: Logits) -> None:
    """A folder of shards without tokens: whole or not at all."""
    nothing = np.zeros(len(logits), np.int32)
    block = Block(tokens=np.empty(0, np.uint16), lengths=nothing, per_example={COLUMN: logits})
    with ShardWriter(folder, vocabulary=1) as writer:
        writer.add(block)
        writer.publish()


def _read(folder: Path) -> Logits:
    logits: Logits = Shards.open(folder).per_example[COLUMN]
    return logits
