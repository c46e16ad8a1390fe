"""The student beside its teacher, on the same split, when the training is over.

N rows, C outputs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from graft_api.distilljob import Comparison as Block
from graft_worker.apps.problems import loss_sum
from graft_worker.data.shards import Shards
from graft_worker.distill.comparing import Reader, size_ratio, speed_ratio
from graft_worker.distributed.process import Process
from graft_worker.export.contents import Comparison
from graft_worker.run.kinds.app_choice import LOSS

if TYPE_CHECKING:
    from torch import nn

    from graft_worker.apps.app import App
    from graft_worker.config import Settings
    from graft_worker.data.prepared import Prepared
    from graft_worker.run.kinds.distilljob.asking import Asking
    from graft_worker.train.result import TrainingResult


def split_of(prepared: Prepared) -> str | None:
    """The split that both are measured on: test, which chose neither, else validation."""
    return next((name for name in ("test", "validation") if name in prepared.splits), None)


def compared(
    prepared: Prepared, asking: Asking, app: App, metric: str, result: TrainingResult
) -> Comparison | None:
    """Both values of the metric; None where no split measures it."""
    split = split_of(prepared)
    measured = (result.test_metrics if split == "test" else result.metrics).get(metric)
    if split is None or measured is None:
        return None
    targets = asking.split(split).per_example["target"]
    logits = torch.from_numpy(asking.answers(split, Process()).copy())
    return Comparison(
        split=split,
        metric=metric,
        teacher=_value(app, metric, logits, torch.from_numpy(targets.copy())),
        student=measured,
    )


def block(
    settings: Settings,
    prepared: Prepared,
    asking: Asking,
    student: nn.Module,
    measured: Comparison | None,
) -> dict[str, Any]:
    """`status.comparison`: both values, how much smaller the student is, and how much faster."""
    teacher = asking.module()
    split = split_of(prepared) or "train"
    device = next(teacher.parameters()).device
    own = Shards.open(settings.store / prepared.splits[split].shards)
    found = Block(
        metric=measured.metric if measured else None,
        teacher=f"{measured.teacher:.6g}" if measured else None,
        student=f"{measured.student:.6g}" if measured else None,
        size_ratio=round(size_ratio(teacher, student), 2),
        speed_ratio=round(
            speed_ratio(
                Reader(module=teacher, shards=asking.split(split)),
                Reader(module=student, shards=own),
                device=device,
            ),
            2,
        ),
    )
    return found.model_dump(mode="json", by_alias=True, exclude_none=True)


def _value(app: App, metric: str, logits: Tensor, targets: Tensor) -> float:
    if metric == LOSS:
        return float(loss_sum(logits, targets, problem=app.problem)) / len(logits)
    return float(app.metrics(logits, targets)[metric])
