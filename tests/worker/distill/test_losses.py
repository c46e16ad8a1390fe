"""Each loss against its formula, written out number by number."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from graft_worker.data.prepared import Problem
from graft_worker.distill.losses import Form, imitation

STUDENT = [[0.5, -1.0, 2.0], [3.0, 0.0, -2.0]]
TEACHER = [[1.5, -0.5, 0.25], [-4.0, 2.0, 1.0]]
T = 3.0


def softmax(row: list[float]) -> list[float]:
    powers = [math.exp(value / T) for value in row]
    return [power / sum(powers) for power in powers]


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value / T))


def kl(student: list[float], teacher: list[float]) -> float:
    pairs = zip(softmax(teacher), softmax(student), strict=True)
    return T * T * sum(p * math.log(p / q) for p, q in pairs)


def cross_entropy(student: list[float], teacher: list[float]) -> float:
    pairs = zip(softmax(teacher), softmax(student), strict=True)
    return T * T * -sum(p * math.log(q) for p, q in pairs)


def mse(student: list[float], teacher: list[float]) -> float:
    return sum((t - s) ** 2 for s, t in zip(student, teacher, strict=True)) / len(student)


def kl_of_each(student: list[float], teacher: list[float]) -> float:
    total = 0.0
    for s, t in zip(student, teacher, strict=True):
        p, q = sigmoid(t), sigmoid(s)
        total += p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q))
    return T * T * total / len(student)


def cross_entropy_of_each(student: list[float], teacher: list[float]) -> float:
    total = 0.0
    for s, t in zip(student, teacher, strict=True):
        p, q = sigmoid(t), sigmoid(s)
        total -= p * math.log(q) + (1 - p) * math.log(1 - q)
    return T * T * total / len(student)


Written = Callable[[list[float], list[float]], float]


def loss(form: Form, problem: Problem, student: Tensor) -> Tensor:
    teacher = torch.tensor(TEACHER)
    return imitation(student, teacher, form=form, temperature=T, problem=problem)


@pytest.mark.parametrize(
    ("form", "problem", "written"),
    [
        ("kl", "single_label", kl),
        ("cross_entropy", "single_label", cross_entropy),
        ("mse", "single_label", mse),
        ("kl", "multi_label", kl_of_each),
        ("cross_entropy", "multi_label", cross_entropy_of_each),
        ("mse", "multi_label", mse),
        ("mse", "regression", mse),
    ],
)
def test_a_loss_is_its_formula(form: Form, problem: Problem, written: Written) -> None:
    found = loss(form, problem, torch.tensor(STUDENT))
    wanted = [written(s, t) for s, t in zip(STUDENT, TEACHER, strict=True)]
    assert found.tolist() == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("form", ["kl", "mse"])
@pytest.mark.parametrize("problem", ["single_label", "multi_label"])
def test_a_student_that_answers_as_its_teacher_has_no_loss(form: Form, problem: Problem) -> None:
    assert loss(form, problem, torch.tensor(TEACHER)).tolist() == pytest.approx([0, 0], abs=1e-6)


@pytest.mark.parametrize("problem", ["single_label", "multi_label"])
def test_kl_and_cross_entropy_pull_in_the_same_direction(problem: Problem) -> None:
    gradients = []
    for form in ("kl", "cross_entropy"):
        student = torch.tensor(STUDENT, requires_grad=True)
        loss(form, problem, student).sum().backward()  # type: ignore[no-untyped-call]
        assert student.grad is not None
        gradients.append(student.grad)
    assert torch.allclose(*gradients, atol=1e-6)


def test_answers_that_a_16_bit_format_cannot_tell_apart_are_compared_in_32() -> None:
    student = torch.tensor([[40.0, 0.0]], dtype=torch.bfloat16)
    teacher = torch.tensor([[40.0, 20.0]])
    found = imitation(student, teacher, form="kl", temperature=1.0, problem="single_label")
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(19 * math.exp(-20), rel=0.1)
