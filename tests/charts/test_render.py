"""The objects of a release, as helm renders them with several sets of values."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from graft_api import crd
from graft_api.kinds import KINDS
from graft_api.vocabulary import Label, Port, Role, ServePort
from tests.charts.binaries import run
from tests.charts.rendering import (
    CHART,
    DIGEST,
    EVERYTHING,
    NAMESPACE,
    NAMESPACED,
    Object,
    container,
    of_kind,
    one,
    operator,
    rendered,
)

CLUSTER_SCOPED = {"ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"}
SETS = [
    pytest.param({}, id="defaults"),
    pytest.param(EVERYTHING, id="everything"),
    pytest.param(NAMESPACED, id="namespaced"),
]


def test_helm_finds_no_fault() -> None:
    result = run("helm", "lint", "--strict", str(CHART))
    assert result.returncode == 0, result.stdout


def test_chart_has_the_version_of_the_project(root: Path) -> None:
    version = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (version, version)


def test_templates_are_short() -> None:
    long = [p.name for p in CHART.rglob("templates/**/*") if p.is_file() and len(lines(p)) > 80]
    assert long == []


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


@pytest.mark.parametrize("values", SETS)
def test_every_object_has_the_standard_labels(values: Object) -> None:
    expected = {
        "app.kubernetes.io/name": "graft",
        "app.kubernetes.io/instance": "graft",
        "app.kubernetes.io/component": "operator",
        "app.kubernetes.io/version": "0.1.0",
        "app.kubernetes.io/managed-by": "Helm",
        "helm.sh/chart": "graft-0.1.0",
    }
    bare = [
        f"{each['kind']}/{each['metadata']['name']}"
        for each in rendered(values)
        if not expected.items() <= each["metadata"].get("labels", {}).items()
    ]
    assert bare == []


@pytest.mark.parametrize("values", SETS)
def test_names_are_unique_and_namespaces_are_given(values: Object) -> None:
    names = [
        (each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"])
        for each in rendered(values)
    ]
    assert len(names) == len(set(names))
    assert [n for n in names if (n[1] is None) != (n[0] in CLUSTER_SCOPED)] == []


@pytest.mark.parametrize("values", SETS)
def test_operator_passes_pod_security_restricted(values: Object) -> None:
    pod, own = operator(values), container(values)
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "fsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert own["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {key for key in pod if key.startswith("host")} == set()
    assert [sorted(set(volume) - {"name"}) for volume in pod["volumes"]] == [
        ["emptyDir"],
        ["secret"],
    ]
    assert own["resources"]["limits"] == {"memory": "512Mi"}


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ({}, "graft/operator:0.1.0"),
        ({"repository": "mirror/operator", "tag": "edge"}, "mirror/operator:edge"),
        ({"tag": "edge", "digest": DIGEST}, f"graft/operator@{DIGEST}"),
    ],
)
def test_image_by_version_tag_or_digest(image: Object, name: str) -> None:
    assert container({"image": image})["image"] == name


def test_lone_replica_makes_room_first_and_is_ready_when_it_leads() -> None:
    spec = one(rendered(), "Deployment")["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    assert container()["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert container()["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}


def test_standby_is_ready_though_it_does_not_lead() -> None:
    spec = one(rendered({"replicas": 2}), "Deployment")["spec"]
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    ready = container({"replicas": 2})["readinessProbe"]["httpGet"]
    assert ready == {"path": "/healthz", "port": "http"}


def test_disruption_budget_only_where_there_is_a_standby() -> None:
    assert of_kind(rendered(), "PodDisruptionBudget") == []
    assert one(rendered({"replicas": 2}), "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1


def test_service_and_budget_choose_the_operators_pods() -> None:
    objects = rendered(EVERYTHING)
    deployment = one(objects, "Deployment")["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    selectors = [
        one(objects, "Service")["spec"]["selector"],
        deployment["selector"]["matchLabels"],
        one(objects, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        one(objects, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
    ]
    assert [s for s in selectors if not s.items() <= labels.items()] == []
    monitor = one(objects, "ServiceMonitor")["spec"]["selector"]["matchLabels"]
    assert monitor.items() <= one(objects, "Service")["metadata"]["labels"].items()


def test_network_policy_lets_the_operator_reach_workers_and_servers() -> None:
    [*_, workers, servers] = one(rendered(EVERYTHING), "NetworkPolicy")["spec"]["egress"]
    assert workers["ports"] == [{"port": int(Port.METRICS), "protocol": "TCP"}]
    assert workers["to"] == [
        {"namespaceSelector": {}, "podSelector": {"matchLabels": {Label.ROLE: Role.WORKER}}}
    ]
    assert servers["ports"] == [{"port": int(port), "protocol": "TCP"} for port in ServePort]
    assert servers["to"] == [
        {"namespaceSelector": {}, "podSelector": {"matchLabels": {Label.ROLE: Role.SERVER}}}
    ]


def test_pod_monitor_names_series_after_the_job() -> None:
    spec = one(rendered(EVERYTHING), "PodMonitor")["spec"]
    assert spec["namespaceSelector"] == {"any": True}
    [chosen] = spec["selector"]["matchExpressions"]
    assert chosen == {"key": Label.ROLE, "operator": "In", "values": [Role.WORKER, Role.SERVER]}
    assert spec["jobLabel"] == Label.JOB
    assert spec["podTargetLabels"] == [Label.KIND, Label.ATTEMPT, Label.VARIANT]
    assert spec["podMetricsEndpoints"][0]["port"] == "metrics"
    spec = one(rendered(NAMESPACED), "PodMonitor")["spec"]
    assert spec["namespaceSelector"] == {"matchNames": ["team-a", "team-b"]}


def test_optional_parts_are_off_by_default() -> None:
    assert {each["kind"] for each in rendered()} == {
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "Deployment",
        "Role",
        "RoleBinding",
        "Secret",
        "Service",
        "ServiceAccount",
    }


def test_namespaced_mode_has_nothing_cluster_scoped() -> None:
    assert CLUSTER_SCOPED & {each["kind"] for each in rendered(NAMESPACED)} == set()


def test_key_is_made_unless_a_secret_is_named() -> None:
    key = one(rendered(), "Secret")["data"]["key"]
    assert re.fullmatch(r"[A-Za-z0-9+/]{64}", key)
    named = {"control": {"existingSecret": "my-key"}}
    assert of_kind(rendered(named), "Secret") == []
    assert operator(named)["volumes"][1]["secret"] == {
        "secretName": "my-key",
        "defaultMode": 0o440,
    }


def test_definitions_are_those_of_the_models_and_stay() -> None:
    definitions = {each["spec"]["names"]["kind"]: each for each in _definitions()}
    expected = {kind: json.loads(json.dumps(crd.definition(kind))) for kind in KINDS}
    assert {kind: each["spec"] for kind, each in definitions.items()} == {
        kind: each["spec"] for kind, each in expected.items()
    }
    annotations = [each["metadata"]["annotations"] for each in definitions.values()]
    assert annotations == [{"helm.sh/resource-policy": "keep"}] * len(KINDS)


def _definitions() -> list[dict[str, Any]]:
    return of_kind(rendered(), "CustomResourceDefinition")


@pytest.mark.parametrize(
    ("values", "where"),
    [({}, "--all-namespaces"), ({"namespaces": ["team-a"]}, "--namespace team-a")],
    ids=["all namespaces", "one namespace"],
)
def test_notes_say_the_next_three_commands(values: Object, where: str) -> None:
    given = [f"--set-json={name}={json.dumps(value)}" for name, value in values.items()]
    dry = ("--dry-run=client", f"--namespace={NAMESPACE}")
    result = run("helm", "install", "graft", str(CHART), *dry, *given)
    notes = result.stdout.partition("NOTES:")[2]
    namespace = "" if where.startswith("--all") else f" {where}"
    assert re.findall(r"^   (kubectl .*)$", notes, re.MULTILINE) == [
        f"kubectl rollout status deployment/graft --namespace {NAMESPACE}",
        f"kubectl apply --filename job.yaml{namespace}",
        f"kubectl get training {where} --watch",
    ]


def test_labels_of_monitoring_are_the_administrators() -> None:
    values = {"monitoring": {"rules": {"enabled": True, "labels": {"release": "watch"}}}}
    assert one(rendered(values), "PrometheusRule")["metadata"]["labels"]["release"] == "watch"


def test_longer_release_name_carries_the_charts() -> None:
    names = {each["metadata"]["name"] for each in rendered(release="lab")}
    assert {"lab-graft", "lab-graft-control", f"lab-graft-{NAMESPACE}"} <= names
