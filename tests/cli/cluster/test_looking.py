"""`graft ls`, `show`, `why` and `watch`: what they say of jobs that the test describes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import yaml

from tests.cli.cluster.stage import Stage, says

RUNNING = {
    "phase": "Running",
    "observedGeneration": 1,
    "attempt": 1,
    "workers": {"desired": 2, "ready": 2},
    "progress": {
        "step": 30,
        "totalSteps": 100,
        "progressPercentage": 30,
        "estimatedRemainingSeconds": 340,
    },
    "metrics": [{"name": "loss", "value": "0.34"}, {"name": "accuracy", "value": "0.91"}],
}
HEAD = ["KIND", "NAME", "PHASE", "WORKERS", "PROGRESS", "METRIC", "ETA", "AGE"]
HEAVY = ("kubernetes", "urllib3", "pydantic", "torch", "rich", "requests")


def test_all_kinds_stand_in_one_table(stage: Stage) -> None:
    stage.job()
    stage.job("wiki", kind="PretrainJob")
    stage.status(**RUNNING)
    head, *rows = [line.split() for line in stage.graft("ls").stdout.splitlines()]
    assert head == HEAD
    assert [row[:-1] for row in rows] == [
        ["PretrainJob", "wiki", "New", "0/1", "-", "-", "-"],
        ["TransferJob", "reviews", "Running", "2/2", "30%", "accuracy=0.91", "5m40s"],
    ]


def test_one_kind_by_any_of_its_names(stage: Stage) -> None:
    stage.job()
    stage.job("wiki", kind="PretrainJob")
    for word in ("transfer", "TransferJob", "transferjobs"):
        assert stage.graft("ls", word, "-o", "name").stdout == "transferjob/reviews\n"
    wrong = stage.graft("ls", "pods")
    assert (wrong.returncode, wrong.stderr) == (
        2,
        "graft: error: 'pods' is no kind of job\n  kinds: pretrain, transfer, distill, serve\n",
    )


def test_all_namespaces_are_named(stage: Stage) -> None:
    stage.job()
    lines = stage.graft("ls", "-A", "-n", "default").stdout.splitlines()
    assert lines[0].split() == ["NAMESPACE", *HEAD]
    assert any(line.split()[:3] == [stage.namespace, "TransferJob", "reviews"] for line in lines)


def test_deployments_stand_in_a_table_of_their_own(stage: Stage) -> None:
    stage.job()
    stage.deployment("answers", conditions=[says("Ready", "True", "AsPlanned")], readyReplicas=2)
    jobs, deployments = stage.graft("ls").stdout.split("\n\n")
    assert [line.split()[0] for line in jobs.splitlines()] == ["KIND", "TransferJob"]
    head, row = [line.split() for line in deployments.splitlines()]
    assert head == ["KIND", "NAME", "STATE", "READY", "MODEL", "DIGEST", "AGE"]
    assert row[:-1] == ["ServeDeployment", "answers", "Ready", "2/2", "wiki", "-"]
    assert stage.graft("ls", "serve", "-o", "name").stdout == "servedeployment/answers\n"


def test_why_and_show_take_a_deployment(stage: Stage) -> None:
    waits = "spec.model.from.job: waits for TransferJob wiki, which does not exist yet"
    held = [says(kind, "False", "WaitingForJob", waits) for kind in ("ModelLoaded", "Ready")]
    stage.lease(age=1)
    stage.deployment("answers", conditions=held, observedGeneration=1)
    result = stage.graft("why", "serve/answers", "--operator-namespace", stage.namespace)
    assert result.stdout == (
        f"servedeployment/answers in {stage.namespace}: Waiting\n"
        "\n"
        f"It serves what a job makes: {waits}.\n"
        "  - graft why transferjob/wiki\n"
    )
    shown = stage.graft("show", "answers").stdout.splitlines()
    assert shown[0] == f"ServeDeployment answers in {stage.namespace}: Waiting"


def test_jobs_as_data(stage: Stage) -> None:
    stage.job()
    found = json.loads(stage.graft("ls", "-o", "json").stdout)
    assert (found["kind"], found["items"][0]["kind"]) == ("List", "TransferJob")
    assert found["items"][0]["spec"]["app"]["name"] == "text_classify"
    assert yaml.safe_load(stage.graft("ls", "-o", "yaml").stdout) == found


def test_no_jobs_is_no_error(stage: Stage) -> None:
    result = stage.graft("ls")
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr == (
        f"graft: no jobs in namespace {stage.namespace}; `graft submit job.yaml` starts one\n"
    )


def test_the_list_comes_without_the_client_and_its_seconds(stage: Stage) -> None:
    stage.job()
    code = (
        "import sys; from graft_cli.main import main; main(['ls', '-o', 'name'])\n"
        f"print(sorted(set(sys.modules) & set({HEAVY!r})))"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, env=stage.environ, capture_output=True, text=True, check=True)
    assert result.stdout == "transferjob/reviews\n[]\n"


def test_a_job_is_shown_with_everything_around_it(stage: Stage) -> None:
    stage.job(workers={"desired": 2, "max": 4})
    stage.status(
        **RUNNING,
        conditions=[says("Running", "True", "GangFormed", "2 workers train")],
        checkpoint={"step": 20, "uri": "pvc://graft-store/c"},
        restarts={"disruption": 2},
        goodput={"percentage": 77, "productiveSeconds": 300, "restartingSeconds": 90},
    )
    stage.pod(1, phase="Pending")
    stage.event("Pod/reviews-t1-1-x", "FailedScheduling", "no \x1b[31mred[/] node")
    lines = [line.split() for line in stage.graft("show", "reviews").stdout.splitlines()]
    assert lines[0] == ["TransferJob", "reviews", "in", f"{stage.namespace}:", "Running"]
    for expected in (
        ["model", "zoo", "minilm-l6-en"],
        ["workers", "2", "(1", "to", "4)"],
        ["steps", "30/100", "5m40s", "left"],
        ["metrics", "loss", "0.34", "accuracy", "0.91"],
        ["checkpoint", "step", "20", "pvc://graft-store/c"],
        ["restarts", "2", "disruption"],
        ["time", "goodput", "77", "%:", "5m", "productive,", "90s", "restarting"],
        ["w1", "attempt", "1", "reviews-t1-1-x", "no", "node", "Pending"],
    ):
        assert expected in lines
    (condition,) = [line for line in lines if "GangFormed" in line]
    assert condition[2:] == ["Running", "True", "GangFormed", "2", "workers", "train"]
    (event,) = [line for line in lines if "FailedScheduling" in line]
    assert event[2:] == [
        "Warning", "Pod/reviews-t1-1-x", "FailedScheduling", "no", "\\x1b[31mred[/]", "node",
    ]  # fmt: skip


def test_a_job_is_shown_as_it_is_stored(stage: Stage) -> None:
    stage.job()
    shown = yaml.safe_load(stage.graft("show", "transfer/reviews", "-o", "yaml").stdout)
    assert (shown["kind"], shown["metadata"]["name"]) == ("TransferJob", "reviews")
    assert "managedFields" not in shown["metadata"]


def test_why_without_an_operator(stage: Stage) -> None:
    stage.job()
    result = stage.graft("why", "reviews", "--operator-namespace", stage.namespace)
    assert result.returncode == 0
    assert result.stdout.splitlines()[2].startswith(
        "No operator runs in this cluster: there is no Lease graft-operator in namespace"
        f" {stage.namespace}, and nobody has looked at the job for "
    )


def test_why_tells_the_scheduler_s_words(stage: Stage) -> None:
    stage.job()
    stage.lease(age=1)
    stage.status(phase="Pending", observedGeneration=1, attempt=1)
    unplaced = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    stage.pod(0, phase="Pending", conditions=[unplaced | {"message": "3 Insufficient cpu."}])
    result = stage.graft("why", "reviews", "--operator-namespace", stage.namespace)
    assert result.stdout == (
        f"transferjob/reviews in {stage.namespace}: Pending\n"
        "\n"
        "No node has enough cpu free for pod reviews-t1-0-x: 3 Insufficient cpu.\n"
        "  - wait for others to end, or lower workers.resources or workers.desired\n"
    )


def test_why_tells_of_a_dead_operator_and_of_an_image(stage: Stage) -> None:
    stage.job()
    stage.lease(age=600)
    stage.status(phase="Starting", observedGeneration=1, attempt=1)
    held = {"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}}
    stage.pod(0, phase="Pending", containerStatuses=[_container(held)])
    stage.event("Pod/reviews-t1-0-x", "Failed", 'Failed to pull image "worker:1": not found')
    asked = ("why", "reviews", "--operator-namespace", stage.namespace, "-o", "json")
    told = json.loads(stage.graft(*asked).stdout)
    assert told["cause"]["name"] == "OperatorSilent"
    assert told["cause"]["says"].startswith(
        "The operator does not run: operator-1 renewed its Lease last 10 min ago."
    )
    assert [cause["says"] for cause in told["also"]] == [
        'There is no such image: pod reviews-t1-0-x: Failed to pull image "worker:1": not found.'
    ]
    assert told["events"][0]["reason"] == "Failed"


def test_a_job_is_watched_to_its_end(stage: Stage) -> None:
    stage.job()
    watching = stage.begin("watch", "reviews")
    assert watching.stderr is not None
    assert watching.stderr.readline() == "reviews: New  0/1 workers\n"
    stage.status(phase="Failed", conditions=[says("Failed", "True", "UserError", "it broke")])
    _, rest = watching.communicate(timeout=120)
    assert watching.returncode == 1
    assert rest.splitlines()[:2] == [
        "reviews: Failed  0/1 workers  it broke",
        "graft: error: transferjob/reviews failed: it broke",
    ]


def test_all_jobs_are_watched_until_somebody_leaves(stage: Stage) -> None:
    stage.job()
    watching = stage.begin("watch")
    assert watching.stdout is not None
    assert watching.stdout.readline() == "transferjob/reviews: New  0/1 workers\n"
    stage.job("wiki", kind="PretrainJob")
    assert watching.stdout.readline() == "pretrainjob/wiki: New  0/1 workers\n"
    stage.graft("rm", "reviews", "--yes")
    assert watching.stdout.readline() == "transferjob/reviews: removed\n"
    watching.send_signal(signal.SIGINT)
    _, rest = watching.communicate(timeout=120)
    assert (watching.returncode, rest) == (
        130,
        "\ngraft: nothing was touched; the jobs go on in the cluster\n",
    )


def _container(state: dict[str, object]) -> dict[str, object]:
    return {
        "name": "worker",
        "image": "worker:1",
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": state,
    }
