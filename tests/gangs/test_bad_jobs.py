"""Jobs that cannot work: refused by the server, or told in the status with cause and remedy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.cluster.api import RefusedError
from tests.cluster.namespaces import ENDED, Namespace
from tests.cluster.wait import until
from tests.gangs.jobs import KIND, VERSION, Applied, Object, apply, small

Change = Callable[[dict[str, Any]], None]
CHILDREN = (
    ("v1", "Pod"),
    ("v1", "Service"),
    ("batch/v1", "Job"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
)


def setting(path: str, value: object) -> Change:
    *folders, last = path.split(".")

    def change(job: dict[str, Any]) -> None:
        at = job
        for name in folders:
            at = at.setdefault(name, {})
        at[last] = value

    return change


REFUSED = {
    "a misspelt value": (setting("spec.method", {"name": "finetun"}), "spec.method.name"),
    "a number out of bounds": (setting("spec.data.maxLength", 0), "spec.data.maxLength"),
    "two of exactly one": (
        setting("spec.training.duration", {"epochs": 1, "steps": 2}),
        "set exactly one of",
    ),
    "a name too long": (setting("metadata.name", "a" * 60), "metadata.name is longer than"),
    "a reserved variable": (
        setting("spec.workers.env", [{"name": "PET_NNODES", "value": "9"}]),
        "is reserved",
    ),
    "more workers than the most": (
        setting("spec.workers", {"desired": 4, "max": 2}),
        "desired",
    ),
    "a relative path": (setting("spec.data.train", {"uri": "train.tsv"}), "a relative path"),
    "a missing part": (setting("spec.data", {}), "spec.data.train"),
    "a duration that is none": (
        setting("spec.run", {"ttlAfterFinished": "soon"}),
        "spec.run.ttlAfterFinished",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_server_refuses_and_names_the_field(space: Namespace, name: str):
    change, told = REFUSED[name]
    job = small("bad")
    change(job)
    with pytest.raises(RefusedError, match=r"(?s).*") as refusal:
        apply(space, job)
    assert told in str(refusal.value)
    kinds = ((VERSION, KIND), *CHILDREN)
    assert [one for kind in kinds for one in space.api.list(*kind, space.name)] == []


def test_a_field_that_is_fixed_cannot_change(space: Namespace):
    applied = apply(space, small("fixed", run={"suspend": True}))
    before = applied.object["spec"]
    with pytest.raises(RefusedError, match="data"):
        applied.patch(data={"maxLength": 64})
    assert applied.object["spec"] == before


FAILING = {
    "a field that is not available": (
        setting("spec.app", {"name": "chat"}),
        "spec.app.name",
        "available: ",
    ),
    "a data set that is not there": (
        setting("spec.data.train", {"uri": "example://reviews/none.tsv"}),
        "none.tsv",
        "did you mean dev.tsv, train.tsv",
    ),
    "a column that is not there": (
        setting(
            "spec.data.train",
            {"uri": "example://reviews/train.tsv", "columns": {"text": "words"}},
        ),
        "words",
        "name it in the job: columns: {text: COLUMN}",
    ),
    "a model that nobody knows": (
        setting("spec.model", {"from": {"zoo": "no-such"}}),
        "no-such",
        "`graft models` lists the names",
    ),
    "an image that has no such name": (
        setting("spec.workers.image", "UPPER:CASE"),
        "UPPER",
        "see workers.image and the pull secrets",
    ),
}


@pytest.mark.parametrize("name", FAILING)
def test_the_job_fails_and_says_why_and_what_to_do(space: Namespace, store: object, name: str):
    change, told, remedy = FAILING[name]
    job = small("bad")
    change(job)
    status = apply(space, job).failed()
    failed = next(c for c in status["conditions"] if c["type"] == "Failed")
    assert told in failed["message"], failed
    assert remedy in failed["message"], failed
    failure = status["failure"]
    assert told in failure["message"], failure
    assert remedy in failure["message"] + failure.get("hint", ""), failure
    until(lambda: not at_work(space), "the end of what the job held")


def at_work(space: Namespace) -> list[Object]:
    """What somebody still pays for: pods and batch Jobs that have not ended, and Services."""
    pods = [pod for pod in space.pods() if pod["status"].get("phase") not in ENDED]
    jobs = [job for job in space.api.list("batch/v1", "Job", space.name) if not over(job)]
    return [*pods, *jobs, *space.api.list("v1", "Service", space.name)]


def over(job: Object) -> bool:
    """Whether the batch Job has succeeded or failed."""
    conditions = (job.get("status") or {}).get("conditions") or ()
    return any(c["type"] in ("Complete", "Failed") and c["status"] == "True" for c in conditions)


def held(applied: Applied, told: str) -> dict[str, Any]:
    """The condition Running or Ready that says it."""

    def look() -> dict[str, Any] | None:
        for kind in ("Running", "Ready"):
            found = applied.condition(kind)
            if told in found.get("message", ""):
                return found
        return None

    return until(look, f"a condition that says {told!r}", seconds=90)


WAITING = {
    "no node is large enough": (
        setting("spec.workers.resources", {"cpu": "900", "memory": "1Gi"}),
        "finds no node",
        "see workers.resources and workers.podTemplate, or add a node",
    ),
    "a secret that is missing": (
        setting(
            "spec.workers.env",
            [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "no-such", "key": "k"}}}],
        ),
        "no-such",
        "make it or correct the name",
    ),
    "an image that nobody has": (
        setting("spec.workers.image", "localhost:1/none:1"),
        "localhost:1/none:1",
        "see workers.image and the pull secrets",
    ),
}


@pytest.mark.parametrize("name", WAITING)
def test_the_job_waits_and_says_for_what_and_what_to_do(space: Namespace, store: object, name: str):
    change, told, remedy = WAITING[name]
    job = small("waits")
    # The train stage is what these fields are about; the data is prepared by a pod like it.
    change(job)
    job["spec"]["data"]["prepare"] = {"resources": {"cpu": "100m", "memory": "1Gi"}}
    found = held(apply(space, job), told)
    assert found["status"] == "False"
    assert remedy in found["message"]


def test_a_quota_that_forbids_the_pods_is_told(space: Namespace, store: object):
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none"},
        "spec": {"hard": {"pods": "0"}},
    }
    space.apply(quota)
    found = held(apply(space, small("crowded")), "exceeded quota")
    assert found["reason"] == "QuotaExceeded"
    assert "have the quota raised" in found["message"]


def test_a_priority_class_that_is_missing_is_told(space: Namespace, store: object):
    run = {"priorityClassName": "no-such"}
    found = held(apply(space, small("urgent", run=run)), "no PriorityClass with name no-such")
    assert found["reason"] == "PodsRefused"
    assert "correct what it names in the job" in found["message"]


def test_a_name_that_another_object_has_is_left_alone(space: Namespace, store: object):
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "taken"},
        "spec": {"podSelector": {}, "policyTypes": []},
    }
    space.apply(policy)
    found = held(apply(space, small("taken")), "belongs to another")
    assert found["reason"] == "NameConflict"
    assert "rename the job or remove it" in found["message"]
