"""The chart's values: few, explained, and those that the operator reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from graft_operator.settings import Settings
from tests.charts.rendering import CHART, refusal
from tools.chart import texts
from tools.chart.values import Values

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())


def leaves(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, child in node.get("properties", {}).items():
        yield f"{path}.{name}", child
        yield from leaves(child, f"{path}.{name}")


def paths(values: dict[str, Any], schema: dict[str, Any], path: str = "") -> Iterator[str]:
    for name, value in values.items():
        yield f"{path}.{name}"
        known = schema.get("properties", {}).get(name, {})
        if isinstance(value, dict) and "properties" in known:
            yield from paths(value, known, f"{path}.{name}")


def test_every_value_has_a_sentence_in_the_schema() -> None:
    described = {path: node.get("description", "") for path, node in leaves(SCHEMA)}
    assert [path for path, text in described.items() if not text.endswith(".")] == []


def test_schema_knows_exactly_the_values_of_the_file() -> None:
    known = {path for path, _ in leaves(SCHEMA)} - {".global"}
    assert set(paths(DEFAULTS, SCHEMA)) == known


def test_no_group_takes_a_value_that_it_does_not_know() -> None:
    groups = [path for path, node in leaves(SCHEMA) if "properties" in node]
    closed = [path for path, node in leaves(SCHEMA) if node.get("additionalProperties") is False]
    assert closed == groups
    assert SCHEMA["additionalProperties"] is False


def test_file_holds_the_defaults_of_the_models_and_is_short() -> None:
    assert Values.model_validate(DEFAULTS) == Values()
    assert (CHART / "values.yaml").read_text().count("\n") < 200


def test_every_value_stands_in_the_documents(root: Path) -> None:
    page = (root / "docs" / "reference" / "chart.md").read_text()
    assert [path for path, _, _ in texts.rows() if f"| `{path}` |" not in page] == []


def test_defaults_are_those_of_the_operator() -> None:
    values, settings = Values(), Settings()
    assert {
        "leader_election": values.leader_election,
        "log_level": values.log_level,
        "image_pull_policy": values.worker.image.pull_policy,
        "service_account": values.worker.service_account,
        "grace_seconds": values.worker.grace_seconds,
        "collective_seconds": values.worker.collective_seconds,
        "keep_alive_seconds": values.worker.keep_alive_seconds,
        "keep_alive_attempts": values.worker.keep_alive_attempts,
        "store_claim": values.store.claim,
        **values.reconcile.model_dump(),
    }.items() <= settings.model_dump().items()


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"replica": 2}, "additional properties 'replica' not allowed"),
        ({"replicas": "two"}, "at '/replicas': got string, want integer"),
        ({"replicas": 9}, "at '/replicas': maximum: got 9, want 5"),
        ({"logLevel": "LOUD"}, "at '/logLevel': value must be one of 'DEBUG', 'INFO'"),
        ({"image": {"digest": "sha256:12"}}, "at '/image/digest': 'sha256:12' does not match"),
        ({"namespaces": ["Team A"]}, "at '/namespaces/0': 'Team A' does not match"),
        ({"store": {"size": "big"}}, "at '/store/size': 'big' does not match"),
        ({"store": {"s3": {"uri": "gs://b"}}}, "at '/store/s3/uri': 'gs://b' does not match"),
        ({"worker": {"graceSeconds": 5}}, "at '/worker/graceSeconds': minimum: got 5, want 30"),
        (
            {"replicas": 2, "leaderElection": False},
            "leaderElection: false lets all replicas act at once; "
            "set replicas: 1 or leaderElection: true",
        ),
        (
            {"store": {"s3": {"secretName": "keys"}}},
            "store.s3.secretName is given without store.s3.uri; "
            "set store.s3.uri: s3://bucket/prefix too",
        ),
    ],
    ids=lambda given: json.dumps(given)[:50] if isinstance(given, dict) else "",
)
def test_wrong_value_is_refused_with_its_place(values: dict[str, Any], told: str) -> None:
    assert told in refusal(values)
