"""`graft submit`: what it sends, what it says, how it waits."""

from __future__ import annotations

import signal
from typing import Any

import pytest
import yaml

from tests.cli.cluster.stage import JOB, Stage, says

NEXT = """\
next:
  graft watch reviews
  graft logs reviews
  graft why reviews
  graft stop reviews
"""


def test_the_same_file_twice_changes_nothing(stage: Stage) -> None:
    first = stage.graft("submit", "job.yaml")
    assert (first.returncode, first.stdout) == (0, "transferjob/reviews created\n")
    assert first.stderr == NEXT
    again = stage.graft("submit", "job.yaml")
    assert (again.returncode, again.stdout) == (0, "transferjob/reviews unchanged\n")
    job = stage.get("TransferJob", "reviews")
    assert job is not None
    assert job["metadata"]["generation"] == 1
    assert [m["manager"] for m in job["metadata"]["managedFields"]] == ["graft-cli"]


def test_a_changed_file_changes_the_job(stage: Stage) -> None:
    stage.graft("submit", "job.yaml")
    result = stage.graft("submit", "-", "--set", "workers.desired=3", stdin=JOB)
    assert (result.returncode, result.stdout) == (0, "transferjob/reviews configured\n")
    job = stage.get("TransferJob", "reviews")
    assert job is not None
    assert job["spec"]["workers"]["desired"] == 3


def test_what_is_fixed_is_refused_with_the_way_out(stage: Stage) -> None:
    stage.graft("submit", "job.yaml")
    result = stage.graft("submit", "job.yaml", "--set", "data.maxLength=33")
    assert result.returncode == 2
    assert "maxLength cannot be changed once the job exists" in result.stderr
    assert "\n  give it another name, or remove the old one first: graft rm reviews\n" in (
        result.stderr
    )


def test_what_others_changed_is_not_overwritten_unasked(stage: Stage) -> None:
    stage.job(workers={"desired": 2})
    asked = ("submit", "job.yaml", "--set", "workers.desired=3")
    result = stage.graft(*asked)
    assert result.returncode == 2
    assert "others have changed what the file sets" in result.stderr
    assert ".spec.workers.desired" in result.stderr
    assert "--force sets what the file says" in result.stderr
    assert stage.graft(*asked, "--force").stdout == "transferjob/reviews configured\n"


def test_a_dry_run_prints_what_would_be_stored_and_stores_nothing(stage: Stage) -> None:
    result = stage.graft("submit", "job.yaml", "--dry-run")
    assert result.returncode == 0
    printed = yaml.safe_load(result.stdout)
    assert printed["metadata"]["namespace"] == stage.namespace
    assert printed["spec"]["data"]["maxLength"] == 128
    assert stage.get("TransferJob", "reviews") is None


def test_a_namespace_that_is_not_there_is_named(stage: Stage) -> None:
    result = stage.graft("submit", "job.yaml", "-n", "nowhere-at-all")
    assert (result.returncode, result.stdout) == (3, "")
    assert result.stderr == 'graft: error: namespaces "nowhere-at-all" not found\n'


@pytest.mark.parametrize(
    ("status", "code", "last"),
    [
        pytest.param(
            {
                "conditions": [says("Complete", "True", "Succeeded")],
                "artefact": {"uri": "pvc://graft-store/artefacts/sha256-1"},
            },
            0,
            "graft: transferjob/reviews is complete;"
            " the model is in pvc://graft-store/artefacts/sha256-1\n",
            id="complete",
        ),
        pytest.param(
            {
                "conditions": [says("Failed", "True", "UserError", "KeyError")],
                "failure": {"message": "KeyError: 'stars'", "hint": "see app.params"},
            },
            1,
            "graft: error: transferjob/reviews failed: KeyError: 'stars'\n  see app.params\n"
            "  more: graft why reviews, graft logs reviews --failed\n",
            id="failed",
        ),
    ],
)
def test_waiting_ends_as_the_job_ends(
    stage: Stage, status: dict[str, Any], code: int, last: str
) -> None:
    waiting = stage.begin("submit", "job.yaml", "--wait", "--timeout", "1m")
    assert waiting.stderr is not None
    assert waiting.stderr.readline() == "reviews: New  0/1 workers\n"
    stage.status(
        phase="Running", observedGeneration=1, progress={"step": 3, "progressPercentage": 30}
    )
    assert waiting.stderr.readline() == "reviews: Running  0/1 workers  step 3  30%\n"
    stage.status(phase="Ended", **status)
    out, rest = waiting.communicate(timeout=120)
    assert (waiting.returncode, out) == (code, "transferjob/reviews created\n")
    assert rest.endswith(last)


def test_a_wait_that_is_too_long_leaves_the_job_alone(stage: Stage) -> None:
    result = stage.graft("submit", "job.yaml", "--wait", "--timeout", "1s")
    assert result.returncode == 4
    assert result.stderr.endswith(
        "graft: error: transferjob/reviews has not ended after 1s; it goes on in the cluster\n"
        "  `graft watch reviews` looks again, `graft why reviews` says what holds it up\n"
    )
    assert stage.get("TransferJob", "reviews") is not None


def test_a_job_that_is_removed_ends_the_wait(stage: Stage) -> None:
    waiting = stage.begin("submit", "job.yaml", "--wait")
    assert waiting.stderr is not None
    waiting.stderr.readline()
    assert stage.graft("rm", "reviews", "--yes").returncode == 0
    _, rest = waiting.communicate(timeout=120)
    assert (waiting.returncode, rest) == (
        3,
        "graft: error: transferjob/reviews was removed meanwhile\n",
    )


def test_ctrl_c_never_cancels_a_job(stage: Stage) -> None:
    waiting = stage.begin("submit", "job.yaml", "--wait")
    assert waiting.stderr is not None
    waiting.stderr.readline()
    waiting.send_signal(signal.SIGINT)
    _, rest = waiting.communicate(timeout=120)
    assert waiting.returncode == 130
    assert rest == (
        "\ngraft: transferjob/reviews was not touched and goes on in the cluster;"
        " `graft watch reviews` looks again, `graft stop reviews` stops it\n"
    )
    job = stage.get("TransferJob", "reviews")
    assert job is not None
    assert not job["spec"]["run"]["suspend"]
