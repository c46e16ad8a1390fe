"""Folders of checkpoints for tests."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import torch

from graft_worker.checkpoint.store import Checkpoints

NOON = datetime(2025, 1, 2, 12, 0, tzinfo=UTC)


def store(root: Path, *, keep: int = 3) -> Checkpoints:
    return Checkpoints(root, keep=keep, clock=lambda: NOON)


def saved(root: Path, *steps: int, keep: int = 3) -> Checkpoints:
    checkpoints = store(root, keep=keep)
    for step in steps:
        checkpoints.save({"weight": torch.full((100,), float(step))}, {"step": step}, step=step)
    checkpoints.wait()
    return checkpoints


def visible(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir() if path.name != ".lock")


@contextmanager
def held(root: Path) -> Iterator[None]:
    """No writer gets on meanwhile, as where a disk does not answer."""
    root.mkdir(exist_ok=True)
    with (root / ".lock").open("a+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def newest_step(root: Path) -> int | None:
    newest = store(root).newest()
    return newest.step if newest else None
