"""How far the student's answers are from the teacher's, for each kind of problem.

S sequences, C outputs (1 for regression). Logits [S, C] of student s and teacher t.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (its name everywhere)

from graft_worker.data.prepared import Problem

Form = Literal["kl", "cross_entropy", "mse"]


def imitation(
    student: Tensor, teacher: Tensor, *, form: Form, temperature: float, problem: Problem
) -> Tensor:
    """The loss of each sequence against the teacher's logits, [S] in fp32.

    mse is the mean over outputs of (t - s)^2. The other two soften both distributions by the
    temperature T and multiply by T^2, so that the gradient keeps its size (Hinton et al. 2015,
    arXiv 1503.02531, section 2): KL(softmax(t/T) || softmax(s/T)), or the cross entropy of the
    same two. With several labels each is a distribution of yes and no; the mean over labels counts.
    """
    student, teacher = student.float(), teacher.float()
    if form == "mse":
        return (teacher - student).square().mean(dim=1)
    compare = _FORMS[problem]
    softened = compare(student / temperature, teacher / temperature, entropy=form == "kl")
    return softened * temperature**2


def _softmax(student: Tensor, teacher: Tensor, *, entropy: bool) -> Tensor:
    """The cross entropy of the softmax; less the teacher's own entropy it is the divergence."""
    wanted = F.log_softmax(teacher, dim=1)
    found = F.log_softmax(student, dim=1)
    return (wanted.exp() * (wanted * entropy - found)).sum(dim=1)


def _sigmoid(student: Tensor, teacher: Tensor, *, entropy: bool) -> Tensor:
    wanted = torch.sigmoid(teacher)
    cross = partial(F.binary_cross_entropy_with_logits, target=wanted, reduction="none")
    own = cross(teacher) if entropy else torch.zeros_like(wanted)
    return (cross(student) - own).mean(dim=1)


_FORMS: Mapping[Problem, Callable[..., Tensor]] = {
    "single_label": _softmax,
    "multi_label": _sigmoid,
}
