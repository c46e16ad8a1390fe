"""Texts for the columns of kubectl, by kind."""

from __future__ import annotations

import pytest

from graft_operator.observed import Subject
from graft_operator.status.display import display
from tests.builders import START

DATA = {"train": {"uri": "example://reviews/train.tsv"}}
ZOO = {"from": {"zoo": "minilm-l6-en"}}
JOB = {"from": {"job": {"kind": "TransferJob", "name": "judge"}}}
SMALL = {"from": {"config": {"architecture": "bert", "layers": 2, "hidden": 64, "heads": 2}}}


def shown(kind, spec, **status):
    subject = Subject(
        kind=kind,
        namespace="team",
        name="reviews",
        uid="u",
        generation=1,
        version=1,
        created=START,
        spec=spec,
    )
    common = set(display(subject, {})) & {"workers", "step", "progress", "metric", "remaining"}
    found = display(subject, status)
    return {key: found[key] for key in found if key not in common | {"checkpoint", "restarts"}}


@pytest.mark.parametrize(
    ("kind", "spec", "status", "told"),
    [
        (
            "TransferJob",
            {"model": ZOO, "data": DATA},
            {},
            {"base": "minilm-l6-en", "dataset": "example://reviews/train.tsv"},
        ),
        ("TransferJob", {"data": DATA, "model": JOB}, {}, {"base": "judge"}),
        (
            "PretrainJob",
            {"model": SMALL, "data": DATA},
            {
                "metrics": [{"name": "loss", "value": "2.71828"}],
                "progress": {"tokensPerSecond": 51000},
            },
            {"model": "bert 2x64", "loss": "2.718", "tokensPerSecond": "51000"},
        ),
        (
            "PretrainJob",
            {"model": ZOO, "data": DATA},
            {},
            {"model": "minilm-l6-en", "loss": "-", "tokensPerSecond": "-"},
        ),
        (
            "DistillJob",
            {"teacher": JOB, "student": {"from": {"teacher": {"layers": 3}}}, "data": DATA},
            {"comparison": {"metric": "accuracy", "sizeRatio": 1.31, "speedRatio": 2.32}},
            {
                "teacher": "judge",
                "student": "3 of its layers",
                "ratio": "1.31x smaller, 2.32x faster",
            },
        ),
        (
            "DistillJob",
            {"teacher": JOB, "student": SMALL, "data": DATA},
            {},
            {"teacher": "judge", "student": "bert 2x64", "ratio": "-"},
        ),
    ],
)
def test_a_kind_has_columns_of_its_own(kind, spec, status, told):
    found = shown(kind, spec, **status)
    assert {key: found[key] for key in told} == told
    assert set(found) >= set(told)
