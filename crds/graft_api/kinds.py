"""The kinds by name; a kind's module is imported only when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .distilljob import DistillJob
    from .pretrainjob import PretrainJob
    from .servedeployment import ServeDeployment
    from .transferjob import TransferJob

    TrainingJob = PretrainJob | TransferJob | DistillJob
    Job = TrainingJob | ServeDeployment

TRAINING = ("PretrainJob", "TransferJob", "DistillJob")
KINDS = (*TRAINING, "ServeDeployment")


def model_of(kind: str) -> type[Job]:
    """The pydantic model of the kind; KeyError for a word that is no kind."""
    if kind not in KINDS:
        raise KeyError(kind)
    model: type[Job] = getattr(import_module(f"graft_api.{kind.lower()}"), kind)
    return model
