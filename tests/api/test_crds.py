"""The CustomResourceDefinitions: committed, bounded, described, and true to the decoder."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from graft_api import crd
from graft_api.decoding import decode, decode_json
from graft_api.immutability import fixed_paths
from graft_api.kinds import KINDS, model_of
from tests.api.defaulting import defaulted
from tests.api.jobs import SHORTEST
from tools import generate

Schema = dict[str, Any]
SERVERS_OWN = ("apiVersion", "kind", "metadata")
OPEN = "x-kubernetes-preserve-unknown-fields"


@cache
def _root(kind: str) -> Schema:
    schema: Schema = crd.definition(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def _nodes(node: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Every schema below the node with its path, but those that the server owns."""
    for name, child in node.get("properties", {}).items():
        if path or name not in SERVERS_OWN:
            yield f"{path}.{name}", child
            yield from _nodes(child, f"{path}.{name}")
    for word in ("items", "additionalProperties"):
        if word in node:
            yield f"{path}[]", node[word]
            yield from _nodes(node[word], f"{path}[]")


def test_the_committed_files_are_what_the_models_say(root: Path) -> None:
    assert generate.drifted(root) == []


def test_a_file_that_drifted_is_named_and_written_anew(tmp_path: Path) -> None:
    generate.write(tmp_path)
    assert generate.drifted(tmp_path) == []
    (tmp_path / "crds" / "transferjobs.yaml").write_text("kind: Other\n")
    (tmp_path / "docs" / "reference" / "servedeployment.md").unlink()
    assert generate.drifted(tmp_path) == [
        "crds/transferjobs.yaml",
        "docs/reference/servedeployment.md",
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_has_a_description(kind: str) -> None:
    fields = [(p, n) for p, n in _nodes(_root(kind)) if not p.endswith("[]")]
    assert [path for path, node in fields if not node.get("description")] == []
    assert len(fields) > 80


@pytest.mark.parametrize("kind", KINDS)
def test_every_description_ends_as_a_sentence(kind: str) -> None:
    texts = [node.get("description", ".") for _, node in _nodes(_root(kind))]
    assert [text for text in texts if not text.endswith(".")] == []


def _unbounded(node: Schema) -> bool:
    if "enum" in node:
        return False
    if node.get("x-kubernetes-int-or-string"):
        return "maxLength" not in node
    match node["type"]:
        case "string":
            return "maxLength" not in node
        case "array":
            return "maxItems" not in node
        case "integer" | "number":
            return "minimum" not in node or "maximum" not in node
        case "object":
            mapping = "additionalProperties" in node or (OPEN in node and "properties" not in node)
            return mapping and "maxProperties" not in node
    return False


@pytest.mark.parametrize("kind", KINDS)
def test_every_text_list_map_and_number_is_bounded(kind: str) -> None:
    assert [path for path, node in _nodes(_root(kind)) if _unbounded(node)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_is_structural(kind: str) -> None:
    """No word that apiextensions refuses, and a type on every node."""
    refused = {"$ref", "anyOf", "oneOf", "allOf", "const", "title", "definitions"}
    for path, node in _nodes(_root(kind)):
        assert not refused & node.keys(), path
        assert ("type" in node) != ("x-kubernetes-int-or-string" in node), path
        assert not ("properties" in node and "additionalProperties" in node), path
        assert isinstance(node.get("exclusiveMinimum", True), bool), path


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_server_would_fill_in_decodes_to_the_same_job(kind: str) -> None:
    written = yaml.safe_load(SHORTEST[kind])
    stored = defaulted(written, _root(kind))
    assert stored != written
    assert decode_json(json.dumps(stored)) == decode(SHORTEST[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_rules_name_fields_that_are_there(kind: str) -> None:
    for path, node in [("", _root(kind)), *_nodes(_root(kind))]:
        for rule in node.get("x-kubernetes-validations", ()):
            assert rule["message"], path
            for step in filter(None, [rule.get("fieldPath", "").removeprefix(".")]):
                assert _lookup(node, step), f"{path}: {step}"
            if OPEN not in node:
                _check_names(rule["rule"], node, path)


def _check_names(rule: str, node: Schema, path: str) -> None:
    """Every `self.a.b` of the rule is a field of the schema."""
    for name in re.findall(r"\b(?:self|oldSelf)((?:\.[A-Za-z]\w*)+)(?!\w*\()", rule):
        known = name.removeprefix(".")
        if "properties" in node and not known.startswith("metadata"):
            assert _lookup(node, known), f"{path}: {rule}"


def _lookup(node: Schema, path: str) -> Schema:
    """The schema at the path; empty where there is none."""
    for step in path.split("."):
        node = node.get("properties", {}).get(step, {})
    return node


def test_only_what_may_change_in_a_running_job_can_be_changed() -> None:
    model = model_of("TransferJob")
    fixed = tuple(fixed_paths(model))

    def changeable(path: str) -> bool:
        return not any(path == f or path.startswith(f"{f}.") for f in fixed)

    leaves = [
        path.removeprefix(".")
        for path, node in _nodes(_root("TransferJob"))
        if path.startswith(".spec.") and "properties" not in node and "[]" not in path
    ]
    assert sorted(filter(changeable, leaves)) == [
        "spec.checkpoint.every.minutes",
        "spec.checkpoint.every.steps",
        "spec.checkpoint.keep",
        "spec.run.deadlines.active",
        "spec.run.deadlines.hang",
        "spec.run.deadlines.nodeLost",
        "spec.run.deadlines.queue",
        "spec.run.deadlines.start",
        "spec.run.suspend",
        "spec.run.ttlAfterFinished",
        "spec.workers.desired",
        "spec.workers.max",
        "spec.workers.min",
    ]
    assert tuple(fixed_paths(model_of("ServeDeployment"))) == ()


@pytest.mark.parametrize(
    ("kind", "short", "narrow", "wide"),
    [
        pytest.param(
            "PretrainJob",
            "pretrain",
            "Phase Workers Step Progress Loss ETA Age",
            "Model Tokens/s Ckpt Restarts Queue",
            id="PretrainJob",
        ),
        pytest.param(
            "TransferJob",
            "transfer",
            "Phase Method Workers Progress Metric ETA Age",
            "Base Dataset Step Ckpt Restarts Queue",
            id="TransferJob",
        ),
        pytest.param(
            "DistillJob",
            "distill",
            "Phase Teacher Workers Progress Metric ETA Age",
            "Student Ratio Step Ckpt Restarts Queue",
            id="DistillJob",
        ),
        pytest.param(
            "ServeDeployment",
            "serve",
            "Ready Model Canary URL Age",
            "Digest P99 QPS Runtime",
            id="ServeDeployment",
        ),
    ],
)
def test_kubectl_shows_the_columns_of_the_design(
    kind: str, short: str, narrow: str, wide: str
) -> None:
    spec = crd.definition(kind)["spec"]
    version = spec["versions"][0]
    columns = version["additionalPrinterColumns"]
    assert " ".join(c["name"] for c in columns if "priority" not in c) == narrow
    assert " ".join(c["name"] for c in columns if c.get("priority") == 1) == wide
    assert spec["names"]["shortNames"] == [short]
    jobs = ["training"] if kind != "ServeDeployment" else []
    assert spec["names"]["categories"] == [*jobs, "graft"]
    paths = [column["jsonPath"] for column in columns]
    paths += [*version["subresources"]["scale"].values()]
    paths += [field["jsonPath"] for field in version["selectableFields"]]
    for path in (p.removeprefix(".") for p in paths):
        assert path.startswith("metadata.") or _lookup(_root(kind), path), path
