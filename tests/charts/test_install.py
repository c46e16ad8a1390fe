"""The chart in a real cluster: what it makes, what it may do, what an upgrade leaves alone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from graft_operator.cluster import permissions
from tests.api.jobs import TRANSFER
from tests.charts.clusters import NOWHERE, Space, until
from tests.charts.rendering import CHART, Object

QUIET: Object = {"replicas": 0}
BARE: Object = {"crds": {"install": False}}  # where the definitions do not matter
FORBIDDEN = [
    ("list", "", "secrets"),
    ("get", "", "secrets"),
    ("create", "", "pods/exec"),
    ("update", "graft.dev", "transferjobs"),
    ("patch", "graft.dev", "transferjobs"),
    ("create", "graft.dev", "transferjobs"),
    ("patch", "kueue.x-k8s.io", "workloads"),
    ("list", "", "namespaces"),
    ("list", "apiextensions.k8s.io", "customresourcedefinitions"),
]
NEEDED = [
    (verb, group, resource)
    for (group, resource), verbs in permissions.RIGHTS.items()
    for verb in verbs
]
RELEASED = (
    "deployment,service,serviceaccount,secret,role,rolebinding,networkpolicy,poddisruptionbudget"
)


def key_of(space: Space) -> str:
    key: str = space.get("secret", f"{space.name}-graft-control")["data"]["key"]
    return key


def running_job(space: Space) -> None:
    """A custom resource with a pod that belongs to it, as the operator makes them."""
    job = yaml.safe_load(TRANSFER)
    [made] = space.create(job)
    owner = {
        "apiVersion": made["apiVersion"],
        "kind": made["kind"],
        "name": made["metadata"]["name"],
        "uid": made["metadata"]["uid"],
        "controller": True,
    }
    space.create(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "reviews-t1-0", "ownerReferences": [owner]},
            "spec": {
                "nodeSelector": NOWHERE,
                "automountServiceAccountToken": False,
                "securityContext": {
                    "runAsNonRoot": True,
                    "runAsUser": 65532,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
                "containers": [
                    {
                        "name": "worker",
                        "image": "graft/worker",
                        "securityContext": {
                            "allowPrivilegeEscalation": False,
                            "capabilities": {"drop": ["ALL"]},
                        },
                    }
                ],
            },
        }
    )


def identity(found: Any) -> tuple[str, str]:
    return found["metadata"]["uid"], found["metadata"]["generation"]


def newer_chart(folder: Path) -> Path:
    """The chart of a later version, whose definitions say something new."""
    chart = folder / "graft"
    shutil.copytree(CHART, chart)
    head = (chart / "Chart.yaml").read_text()
    (chart / "Chart.yaml").write_text(head.replace("version: 0.1.0", "version: 0.2.0"))
    path = chart / "files" / "crds" / "transferjobs.yaml"
    path.write_text(
        path.read_text().replace("categories: [training,", "categories: [newer, training,")
    )
    return chart


def test_upgrade_brings_definitions_and_keeps_key_jobs_and_pods(
    space: Space, tmp_path: Path
) -> None:
    space.install(QUIET)
    key = key_of(space)
    until(lambda: space.get("crd", "transferjobs.graft.dev")["status"].get("acceptedNames"))
    running_job(space)
    before = [identity(space.get(what, name)) for what, name in RUNNING]
    space.install({**QUIET, "logLevel": "DEBUG"}, chart=newer_chart(tmp_path))
    names = space.get("crd", "transferjobs.graft.dev")["spec"]["names"]
    assert names["categories"] == ["newer", "training", "graft"]
    assert key_of(space) == key
    assert [identity(space.get(what, name)) for what, name in RUNNING] == before
    space.install(QUIET)
    assert key_of(space) == key
    names = space.get("crd", "transferjobs.graft.dev")["spec"]["names"]
    assert names["categories"] == ["training", "graft"]


RUNNING = (("transferjob", "reviews"), ("pod", "reviews-t1-0"))


def test_uninstall_leaves_definitions_jobs_and_the_key_and_no_finalizer(space: Space) -> None:
    space.install(QUIET)
    until(lambda: space.get("crd", "transferjobs.graft.dev")["status"].get("acceptedNames"))
    running_job(space)
    space.helm("uninstall")
    left = space.get(RELEASED, f"-lapp.kubernetes.io/instance={space.name}")
    assert [one["metadata"]["name"] for one in left] == [f"{space.name}-graft-control"]
    definitions = space.get("crd", "-lapp.kubernetes.io/name=graft")
    assert len(definitions) == 4
    kept = [*definitions, *(space.get(what, name) for what, name in RUNNING)]
    finalizers = [each["metadata"].get("finalizers", []) for each in kept]
    assert [
        f for f in finalizers if f not in ([], ["customresourcecleanup.apiextensions.k8s.io"])
    ] == []
    key = key_of(space)
    space.install(QUIET)
    assert key_of(space) == key, "without which pods that run could not be asked to save"
    space.kubectl("delete", "transferjob", "reviews", "--timeout=30s")
    assert space.get("transferjob") == []


def test_operators_pods_are_admitted_where_restricted_is_enforced(space: Space) -> None:
    values = {"replicas": 2, "nodeSelector": NOWHERE, "networkPolicy": {"enabled": True}} | BARE
    space.install(values)
    pods = until(lambda: two(space.get("pod", "-lapp.kubernetes.io/component=operator")))
    assert [pod["status"]["phase"] for pod in pods] == ["Pending", "Pending"]
    budget = space.get("poddisruptionbudget", f"{space.name}-graft")
    assert budget["spec"]["maxUnavailable"] == 1


def two(found: list[Any]) -> list[Any]:
    return found if len(found) == 2 else []


def test_number_of_replicas_can_be_changed_and_changed_back(space: Space) -> None:
    for count in (1, 2, 1):
        space.install({"replicas": count, "nodeSelector": NOWHERE} | BARE)
        spec = space.get("deployment", f"{space.name}-graft")["spec"]
        surge = spec["strategy"]["rollingUpdate"]["maxSurge"]
        assert (spec["replicas"], surge) == (count, int(count > 1))


def test_operator_may_do_what_its_code_does_and_no_more(space: Space) -> None:
    space.install(QUIET | BARE)
    assert all(space.allowed((*right, "default") for right in NEEDED))
    assert not any(space.allowed((*right, "default") for right in FORBIDDEN))
    leases = [(verb, "coordination.k8s.io", "leases") for verb in ("create", "get", "patch")]
    assert all(space.allowed((*right, space.name) for right in leases))
    assert not any(space.allowed((*right, "default") for right in leases))


def test_operator_of_some_namespaces_may_do_nothing_elsewhere(space: Space) -> None:
    space.install({**QUIET, **BARE, "namespaces": [space.name]})
    assert all(space.allowed((*right, space.name) for right in NEEDED))
    assert not any(space.allowed((*right, "default") for right in NEEDED))
    assert not any(space.allowed((*right, "") for right in NEEDED))


def test_rights_on_workloads_come_with_kueue(space: Space) -> None:
    space.install({**QUIET, **BARE, "kueue": {"enabled": True}})
    verbs = ("get", "list", "patch")
    rights = [(verb, "kueue.x-k8s.io", "workloads", "default") for verb in verbs]
    assert all(space.allowed(rights))


def test_people_who_edit_a_namespace_may_run_jobs_in_it(space: Space) -> None:
    space.install(QUIET | BARE)
    for role in ("edit", "view"):
        space.kubectl("create", "rolebinding", role, f"--clusterrole={role}", f"--user={role}-user")
    editor = ("--as=edit-user", "auth", "can-i")
    viewer = ("--as=view-user", "auth", "can-i")
    assert until(lambda: space.says(*editor, "create", "transferjobs.graft.dev") == "yes")
    assert space.says(*editor, "patch", "transferjobs.graft.dev", "--subresource=scale") == "yes"
    assert until(lambda: space.says(*viewer, "get", "transferjobs.graft.dev") == "yes")
    assert space.says(*viewer, "create", "transferjobs.graft.dev") == "no"
