"""The teacher's answers to the rows of a split: computed once, by all processes, and kept.

N rows, C outputs. The cache holds a folder for each piece of a split, named by what its content
depends on: the teacher, the tokenised rows, and which of them. A pass that was interrupted goes on
with the first piece that is missing.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from torch import nn

from graft_worker.data.blocks import Array
from graft_worker.data.shards import Shards
from graft_worker.distill.passing import Values, passed
from graft_worker.distill.shelf import Shelf
from graft_worker.distributed.process import Process

VERSION = 1
COLUMN = "logits"  # in the cache
TEACHER = "teacher"  # beside the targets of a training batch

Logits = Values  # [N, C]; with probes [N, L + 1, C]

log = logging.getLogger(__name__)


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

    def made() -> Mapping[str, Array]:
        found = passed(teacher.load(), asked.shards, np.arange(rows.start, rows.stop), process)
        if process.leads:
            log.info("the teacher has answered %d of %d rows", rows.stop, asked.shards.rows)
        return {COLUMN: found}

    kept: Logits = shelf.kept(key(teacher.digest, asked.name, rows), made, process)[COLUMN]
    return kept
