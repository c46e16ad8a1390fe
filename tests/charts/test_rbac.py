"""The rights that the chart grants are those that the operator's code uses."""

from __future__ import annotations

from collections import defaultdict

import pytest

from graft_operator.cluster import leases, permissions
from tests.charts.rendering import EVERYTHING, NAMESPACE, NAMESPACED, Object, of_kind, rendered

Rights = dict[tuple[str, str], tuple[str, ...]]
KUEUE: Rights = {("kueue.x-k8s.io", "workloads"): ("get", "list", "patch")}
SETS = [
    pytest.param({}, id="defaults"),
    pytest.param(EVERYTHING, id="everything"),
    pytest.param(NAMESPACED, id="namespaced"),
]


def rights(role: Object) -> Rights:
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for rule in role["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                found[group, resource] |= set(rule["verbs"])
    return {place: tuple(sorted(verbs)) for place, verbs in found.items()}


def roles(values: Object, kind: str) -> dict[str, Object]:
    return {
        "/".join(filter(None, (each["metadata"].get("namespace"), each["metadata"]["name"]))): each
        for each in of_kind(rendered(values), kind)
    }


def test_operator_may_do_in_the_cluster_what_its_code_does() -> None:
    found = roles({}, "ClusterRole")[f"graft-{NAMESPACE}"]
    assert rights(found) == dict(permissions.RIGHTS)


def test_operator_may_do_the_same_in_each_of_its_namespaces() -> None:
    found = roles({"namespaces": ["team-a", "team-b"]}, "Role")
    assert rights(found["team-a/graft"]) == dict(permissions.RIGHTS)
    assert rights(found["team-b/graft"]) == dict(permissions.RIGHTS)


def test_rights_on_workloads_only_with_kueue() -> None:
    found = roles({"kueue": {"enabled": True}}, "ClusterRole")[f"graft-{NAMESPACE}"]
    assert rights(found) == dict(permissions.RIGHTS) | KUEUE


def test_rights_on_routes_only_where_a_gateway_is_allowed() -> None:
    found = roles({"serve": {"gateway": True}}, "ClusterRole")[f"graft-{NAMESPACE}"]
    assert rights(found) == dict(permissions.RIGHTS) | dict(permissions.GATEWAY)


def test_rights_on_scaled_objects_only_where_keda_knows_whom_to_ask() -> None:
    values = {"serve": {"prometheus": "http://prometheus:9090"}}
    found = roles(values, "ClusterRole")[f"graft-{NAMESPACE}"]
    assert rights(found) == dict(permissions.RIGHTS) | dict(permissions.KEDA)


@pytest.mark.parametrize("store", [{"create": False}, {"s3": {"uri": "s3://bucket"}}])
def test_no_rights_on_claims_where_none_is_made(store: Object) -> None:
    found = roles({"store": store}, "ClusterRole")[f"graft-{NAMESPACE}"]
    assert dict(permissions.RIGHTS).items() - rights(found).items() == {
        (("", "persistentvolumeclaims"), ("create", "get"))
    }


def test_lease_in_its_own_namespace_only() -> None:
    found = roles({}, "Role")
    assert list(found) == [f"{NAMESPACE}/graft-leader"]
    [role] = found.values()
    assert rights(role) == dict(permissions.OWN)
    named = [rule["resourceNames"] for rule in role["rules"] if "create" not in rule["verbs"]]
    assert named == [[leases.NAME]]


@pytest.mark.parametrize("values", SETS)
def test_no_role_grants_secrets_exec_wildcards_or_more_rights(values: Object) -> None:
    forbidden = {"*", "secrets", "pods/exec", "pods/attach", "serviceaccounts/token"}
    forbidden |= {"escalate", "bind", "impersonate"}
    granted = {
        word
        for kind in ("Role", "ClusterRole")
        for role in of_kind(rendered(values), kind)
        for rule in role["rules"]
        for word in (*rule["apiGroups"], *rule["resources"], *rule["verbs"])
    }
    assert granted & forbidden == set()


def test_people_who_edit_and_view_a_namespace_reach_its_jobs() -> None:
    found = roles({}, "ClusterRole")
    prefix = "rbac.authorization.k8s.io/aggregate-to-"
    aggregated = {
        name: sorted(
            label.removeprefix(prefix)
            for label in role["metadata"]["labels"]
            if label.startswith(prefix)
        )
        for name, role in found.items()
    }
    assert aggregated == {
        "graft-editor": ["admin", "edit"],
        "graft-viewer": ["view"],
        f"graft-{NAMESPACE}": [],
    }
    assert {verb for verbs in rights(found["graft-viewer"]).values() for verb in verbs} == {
        "get",
        "list",
        "watch",
    }


def test_namespaces_get_roles_to_bind_to_people() -> None:
    found = roles(NAMESPACED, "Role")
    assert sorted(found) == [
        f"{NAMESPACE}/graft-leader",
        "team-a/graft",
        "team-a/graft-editor",
        "team-a/graft-viewer",
        "team-b/graft",
        "team-b/graft-editor",
        "team-b/graft-viewer",
    ]


@pytest.mark.parametrize("values", SETS)
def test_every_binding_binds_a_role_of_the_chart_to_the_operator(values: Object) -> None:
    objects = rendered(values)
    known = {
        (each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"])
        for each in objects
    }
    bindings = of_kind(objects, "RoleBinding") + of_kind(objects, "ClusterRoleBinding")
    for each in bindings:
        role = each["roleRef"]
        assert (role["kind"], each["metadata"].get("namespace"), role["name"]) in known
        assert each["subjects"] == [
            {"kind": "ServiceAccount", "name": "graft", "namespace": NAMESPACE}
        ]
