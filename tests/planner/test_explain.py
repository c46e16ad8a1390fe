"""`graft explain`: the Plan as text, kept as a golden file that people read in reviews."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from graft_api.decoding import decode
from graft_api.explain import duration, explain
from graft_api.planner import plan
from tests.api.jobs import TRANSFER

ELASTIC = (
    "spec.workers={min: 2, max: 4, resources: {cpu: 16, memory: 64Gi, gpu: 4}}",
    "spec.workers.env=[{name: TOKEN, valueFrom: {secretKeyRef: {name: s, key: k}}}]",
    "spec.data.train={uri: pvc://rows/train.tsv, credentials: {secretName: keys}}",
)


@pytest.mark.parametrize(
    ("overrides", "golden"),
    [
        pytest.param((), "plan-shortest.yaml", id="the shortest job"),
        pytest.param(ELASTIC, "plan-elastic.yaml", id="an elastic gang with volumes"),
    ],
)
def test_a_plan_reads_as_its_golden_text(
    root: Path, overrides: tuple[str, ...], golden: str
) -> None:
    text = explain(plan(decode(TRANSFER, overrides=overrides)))
    assert text == (root / "tests" / "golden" / golden).read_text(encoding="utf-8")
    assert [stage["name"] for stage in yaml.safe_load(text)["stages"]] == ["prepare", "train"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(604800.0, "7d"), (5400.0, "90m"), (45.0, "45s"), (1.5, "1.5s"), (0.0, "0s"), (3600.0, "1h")],
)
def test_times_are_told_in_the_largest_whole_unit(seconds: float, text: str) -> None:
    assert duration(seconds) == text
