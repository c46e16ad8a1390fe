"""Objects of an attempt: the whole text is the specification, kept in tests/golden."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import yaml

from graft_api import decoding, planner
from graft_operator.observed import Observed
from graft_operator.render.attempt import Attempt
from graft_operator.render.objects import render
from tests.builders import SETTINGS, gang, look, subject


def attempt(job, *, stage="train", number=1, settings=SETTINGS, **facts):
    plan = planner.plan(decoding.decode_json(json.dumps(job.manifest())))
    return Attempt(
        subject=job,
        plan=plan,
        stage=plan.stage(stage),
        number=number,
        settings=settings,
        **facts,
    )


def last(made):
    return render(made)[-1]


def container(made):
    return last(made)["spec"]["template"]["spec"]["containers"][0]


def environment(made):
    return {v["name"]: v.get("value") for v in container(made)["env"]}


RUN = ("Pod", "Job", "Deployment")  # kinds that run containers
GOLDEN = {
    "objects-prepare.yaml": attempt(subject(), stage="prepare", control_hash="0" * 64),
    "objects-elastic.yaml": attempt(
        subject(workers=gang(1, 3, desired=2)), number=2, size=2, control_hash="0" * 64
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_the_objects_are_those_of_the_golden_file(name, root):
    text = yaml.safe_dump_all(render(GOLDEN[name]), sort_keys=False, width=100)
    assert text == (root / "tests" / "golden" / name).read_text()


def test_rendering_twice_gives_equal_objects():
    job = subject(workers=gang(2))
    assert render(attempt(job)) == render(attempt(job))


def test_no_size_that_may_change_stands_in_the_pod_template():
    job = subject(workers=gang(1, 4, desired=2))
    small, large = (last(attempt(job, size=size)) for size in (1, 4))
    assert small["spec"]["template"] == large["spec"]["template"]
    assert environment(attempt(job))["PET_NNODES"] == "1:4"


def test_a_lone_worker_needs_no_rendezvous():
    found = environment(attempt(subject()))
    assert not {name for name in found if name.startswith("PET_RDZV")}
    assert (found["PET_NNODES"], found["PET_NPROC_PER_NODE"]) == ("1:1", "1")
    assert [body["kind"] for body in render(attempt(subject()))] == ["NetworkPolicy", "Job"]


def test_the_store_claim_is_made_only_where_it_is_wanted_and_missing():
    chosen = SETTINGS.model_copy(update={"store_create": {"accessModes": ["ReadWriteMany"]}})
    missing = render(attempt(subject(), settings=chosen, store_known=False))
    assert missing[0]["kind"] == "PersistentVolumeClaim"
    assert "ownerReferences" not in missing[0]["metadata"]
    assert render(attempt(subject(), settings=chosen))[0]["kind"] == "NetworkPolicy"


def test_the_overlay_is_merged_by_name_over_the_pod():
    overlay = {
        "spec": {
            "nodeSelector": {"disk": "fast"},
            "containers": [
                {"name": "worker", "env": [{"name": "A", "value": "1"}]},
                {"name": "sidecar", "image": "x"},
            ],
        }
    }
    job = subject(workers={"podTemplate": overlay})
    spec = last(attempt(job))["spec"]["template"]["spec"]
    assert spec["nodeSelector"] == {"disk": "fast"}
    assert [c["name"] for c in spec["containers"]] == ["worker", "sidecar"]
    variables = {v["name"]: v.get("value") for v in spec["containers"][0]["env"]}
    assert variables["A"] == "1"
    assert variables["GRAFT_ATTEMPT"] == "1"


def test_references_to_secrets_stay_references():
    source = {"secretKeyRef": {"name": "keys", "key": "token"}}
    job = subject(workers={"env": [{"name": "TOKEN", "valueFrom": source}]})
    found = next(v for v in container(attempt(job))["env"] if v["name"] == "TOKEN")
    assert found["valueFrom"]["secretKeyRef"]["name"] == "keys"
    assert "value" not in found


def test_accelerators_are_asked_for_as_limits():
    job = subject(workers={"resources": {"gpu": 2, "gpuResource": "example.com/gpu"}})
    assert container(attempt(job))["resources"]["limits"]["example.com/gpu"] == "2"


def test_pods_pass_the_restricted_profile():
    for body in render(attempt(subject(workers=gang(2)))):
        if body["kind"] not in ("Pod", "Job"):
            continue
        spec = body["spec"] if body["kind"] == "Pod" else body["spec"]["template"]["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for each in spec["containers"]:
            assert each["securityContext"]["allowPrivilegeEscalation"] is False
            assert each["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert each["securityContext"]["readOnlyRootFilesystem"] is True


def test_all_pods_pull_with_the_secrets_of_the_settings():
    names = {"image_pull_secrets": ("mirror", "team")}
    chosen = SETTINGS.model_copy(update=names)
    job = subject(workers=gang(2))
    deployment = replace(
        job, kind="ServeDeployment", spec={"model": {"from": {"uri": "/graft/store/a"}}}
    )
    made = [
        *render(attempt(job, stage="prepare", settings=chosen)),
        *render(attempt(job, settings=chosen)),
        *look(deployment, Observed(), settings=chosen).create,
    ]
    bodies = {body["metadata"]["name"]: body["spec"] for body in made if body["kind"] in RUN}
    pods = {name: spec.get("template", {"spec": spec})["spec"] for name, spec in bodies.items()}
    secrets = [{"name": "mirror"}, {"name": "team"}]
    assert {name: pod["imagePullSecrets"] for name, pod in pods.items()} == dict.fromkeys(
        ("reviews-p1", "reviews-r1", "reviews-t1", "reviews-serve"), secrets
    )
    assert "imagePullSecrets" not in last(attempt(job))["spec"]["template"]["spec"]


def test_an_s3_store_needs_no_claim_and_gets_its_secret_by_reference():
    chosen = SETTINGS.model_copy(update={"store_uri": "s3://models/graft/", "store_secret": "s3"})
    made = attempt(subject(), settings=chosen)
    assert container(made)["envFrom"] == [{"secretRef": {"name": "s3"}}]
    found = environment(made)
    assert (found["GRAFT_STORE"], found["GRAFT_JOB_DIR"]) == (
        "/graft/store",
        "/graft/store/jobs/transferjob/reviews-0b5a6c1e",
    )
    assert found["GRAFT_STORE_URI"] == "s3://models/graft/team"
    volumes = {v["name"]: v for v in last(made)["spec"]["template"]["spec"]["volumes"]}
    assert volumes["store"] == {"name": "store", "emptyDir": {}}
    assert [body["kind"] for body in render(made)] == ["NetworkPolicy", "Job"]


def test_keys_of_the_store_stand_over_those_of_the_data():
    chosen = SETTINGS.model_copy(update={"store_uri": "s3://models", "store_secret": "s3"})
    data = {"train": {"uri": "s3://rows/a.tsv", "credentials": {"secretName": "rows"}}}
    made = attempt(subject(data=data), stage="prepare", settings=chosen)
    # Of several sources of one variable the last one counts.
    assert container(made)["envFrom"] == [
        {"secretRef": {"name": "rows"}},
        {"secretRef": {"name": "s3"}},
    ]


def test_what_a_pod_keeps_of_an_s3_store_can_be_limited():
    chosen = SETTINGS.model_copy(update={"store_uri": "s3://models", "store_scratch": "20Gi"})
    volumes = last(attempt(subject(), settings=chosen))["spec"]["template"]["spec"]["volumes"]
    assert {"name": "store", "emptyDir": {"sizeLimit": "20Gi"}} in volumes


def test_data_in_the_stores_own_claim_are_read_through_its_volume():
    """Of a claim that is named twice, once read-only, the kubelet makes one mount: read-only."""
    data = {"train": {"uris": ["pvc://graft-store/a.tsv", "pvc://rows/b.tsv"]}}
    pod = last(attempt(subject(data=data), stage="prepare"))["spec"]["template"]["spec"]
    claims = [v["persistentVolumeClaim"] for v in pod["volumes"] if "persistentVolumeClaim" in v]
    assert claims == [{"claimName": "graft-store"}, {"claimName": "rows", "readOnly": True}]
    mounts = pod["containers"][0]["volumeMounts"]
    assert {"name": "store", "mountPath": "/graft/store"} in mounts
    path = "/graft/volumes/pvc/graft-store"
    assert {"name": "store", "mountPath": path, "readOnly": True} in mounts
    bucket = SETTINGS.model_copy(update={"store_uri": "s3://models"})
    pod = last(attempt(subject(data=data), stage="prepare", settings=bucket))["spec"]["template"]
    assert {"name": "data-0", "mountPath": path, "readOnly": True} in pod["spec"]["containers"][0][
        "volumeMounts"
    ]


def test_no_claim_is_made_for_an_s3_store():
    update = {"store_uri": "s3://models", "store_create": {"accessModes": ["ReadWriteMany"]}}
    chosen = SETTINGS.model_copy(update=update)
    made = render(attempt(subject(), settings=chosen, store_known=False))
    assert [body["kind"] for body in made] == ["NetworkPolicy", "Job"]
