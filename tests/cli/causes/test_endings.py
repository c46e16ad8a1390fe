"""Why a job has ended."""

from __future__ import annotations

from typing import Any

import pytest

from graft_cli.causes.table import causes
from tests.cli.causes.situations import facts, job, pod, says

OTHER_NAME = "submit under another name"


def failed(reason: str, message: str = "it went wrong", **status: Any) -> dict[str, Any]:
    return job(conditions=[says("Failed", "True", reason, message)], **status)


def failure(message: str, **more: Any) -> dict[str, Any]:
    return {"message": message} | more


@pytest.mark.parametrize(
    ("raw", "name", "sentence", "first"),
    [
        pytest.param(
            job(
                conditions=[says("Complete", "True", "Succeeded")],
                artefact={"uri": "pvc://store/artefacts/sha256-1"},
            ),
            "Complete",
            "The job is complete; its model is in pvc://store/artefacts/sha256-1.",
            "graft show reviews",
            id="a complete job names its model",
        ),
        pytest.param(
            failed(
                "DataError",
                failure=failure("train.tsv:7: 2 columns, expected 3.", hint="see line 7"),
            ),
            "DataError",
            "The data cannot be used: train.tsv:7: 2 columns, expected 3.",
            "see line 7",
            id="bad data names the place and gives the worker's own hint",
        ),
        pytest.param(
            failed("ConfigError", "no column stars in train.tsv"),
            "ConfigError",
            "The job asks for something that cannot be: no column stars in train.tsv.",
            "correct the file: graft validate FILE",
            id="a job that cannot be",
        ),
        pytest.param(
            failed("ImagePull", "pod reviews-t1-0-x: no such image"),
            "ImagePull",
            "The image of the workers could not be pulled: pod reviews-t1-0-x: no such image.",
            "correct workers.image, or give the pods a pull secret",
            id="an image that never came",
        ),
        pytest.param(
            failed(
                "UserError",
                restarts={"lastReason": "OOMKilled"},
                spec={"workers": {"resources": {"memory": "2Gi"}}},
                failure=failure("pod reviews-t1-0-x used more than its 2Gi of memory"),
            ),
            "OOMKilled",
            "A worker used more than its 2Gi of memory and was killed:"
            " pod reviews-t1-0-x used more than its 2Gi of memory.",
            "raise workers.resources.memory, or lower training.microBatch or data.maxLength",
            id="memory, twice",
        ),
        pytest.param(
            failed("RestartLimit", failure=failure("no step for 5 min", exitCode=70)),
            "HangDetected",
            "The workers stood still, more often than restarts are allowed: no step for 5 min.",
            "graft logs reviews --failed    # the stacks of all threads stand at the end",
            id="a hang",
        ),
        pytest.param(
            failed("RestartLimit", failure=failure("the clock is 4 s off", exitCode=71)),
            "BadNode",
            "A node is unfit for this job: the clock is 4 s off.",
            "tell those who run the cluster",
            id="a bad node",
        ),
        pytest.param(
            failed("RestartLimit", failure=failure("no space left on device", exitCode=74)),
            "StoreError",
            "The store of checkpoints cannot be used: no space left on device.",
            "see the space that is left: kubectl -n team-a get pvc",
            id="a full store",
        ),
        pytest.param(
            failed("RestartLimit", failure=failure("1 of 2 processes came", exitCode=69)),
            "WorldTooSmall",
            "Too few workers found each other: 1 of 2 processes came.",
            "lower workers.min, or see what kept the others from starting",
            id="too small a world",
        ),
        pytest.param(
            failed("DeadlineExceeded", "no step within deadlines.start (0:30:00)"),
            "DeadlineExceeded",
            "The job took longer than its deadlines allow:"
            " no step within deadlines.start (0:30:00).",
            "set run.deadlines in the file, and submit under another name",
            id="a deadline",
        ),
        pytest.param(
            failed("ExitedWithoutCompletion", "Job reviews-t1 succeeded without a model"),
            "ExitedWithoutCompletion",
            "The worker ended without an error and without a model:"
            " Job reviews-t1 succeeded without a model.",
            "see that workers.image runs the worker of this version, and nothing else",
            id="no marker",
        ),
        pytest.param(
            failed("RestartLimit", "4 failures within 3600 s"),
            "RestartLimit",
            "The job failed more often than it may start again: 4 failures within 3600 s.",
            "graft logs reviews --failed",
            id="the budget is spent",
        ),
        pytest.param(
            failed(
                "UserError",
                failure=failure(
                    "KeyError: 'stars'", worker=1, exitCode=1, step=812, hint="see app"
                ),
            ),
            "UserError",
            "The job failed: worker 1 ended at step 812 with exit code 1: KeyError: 'stars'.",
            "see app",
            id="a crash of the user's code",
        ),
    ],
)
def test_an_end_has_one_cause(raw: dict[str, Any], name: str, sentence: str, first: str) -> None:
    (found,) = causes(facts(raw))
    assert (found.name, found.says, found.do[0]) == (name, sentence, first)


def test_a_bad_end_of_data_asks_for_another_name() -> None:
    (found,) = causes(facts(failed("DataError")))
    assert found.do[-1] == OTHER_NAME


def test_an_end_is_told_alone_whatever_else_is_wrong() -> None:
    raw = failed("UserError")
    (found,) = causes(facts(raw, operator=None, pods=(pod(waiting="ImagePullBackOff"),)))
    assert found.name == "UserError"
