"""What the nursery imports for its workers, and what a worker born there does."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import import_module

import torch

from .gang import TRAIN
from .guard import guarded
from .nursery import Nursery

# torch._dynamo takes torch a second, in every process that makes a DistributedDataParallel.
NEEDED = (
    "graft_worker.run.train",
    "graft_worker.run.kinds.pretrainjob.training",
    "graft_worker.run.kinds.transferjob.training",
    "graft_worker.run.kinds.distilljob.training",
    "torch._dynamo",
)


def nursery() -> Nursery | None:
    """A nursery of training processes; None where the system has no means."""
    return Nursery.found(train, preload=preload)


def preload() -> None:
    """Imports all that the first step of a training process needs."""
    for name in NEEDED:
        import_module(name)


def train(environ: Mapping[str, str]) -> int:
    """The exit code of training in this process, which has just been forked."""
    if torch.cuda._is_in_bad_fork():  # something that was imported has touched CUDA
        os.execv(sys.executable, (sys.executable, *TRAIN))  # noqa: S606  (our own program)
    from . import train as stage

    return guarded(lambda: stage.main, environ)
