"""`graft logs`: whose lines, in which order, and for how long."""

from __future__ import annotations

import json
from typing import Any

from graft_api.vocabulary import Label
from tests.cli.cluster.kubelet import Kubelet
from tests.cli.cluster.stage import Stage, says

NOON = "2026-03-01T12:00:0"


def line(second: int, text: str) -> str:
    return f"{NOON}{second}.000000000Z {text}"


def worker(stage: Stage, kubelet: Kubelet, index: int, **more: Any) -> None:
    """A worker that runs, or that has ended with the exit code given."""
    code, words = more.pop("exit_code", None), more.pop("words", "")
    ended = {"exitCode": code, "reason": "Error", "message": words, "finishedAt": f"{NOON}9Z"}
    container = {
        "name": "worker",
        "image": "worker:1",
        "imageID": "",
        "ready": code is None,
        "restartCount": 0,
        "state": {"running": {}} if code is None else {"terminated": ended},
    }
    phase = "Running" if code is None else "Failed"
    stage.pod(index, node=kubelet.node, phase=phase, containerStatuses=[container], **more)


def test_the_lines_of_all_workers_are_merged_by_time(stage: Stage, kubelet: Kubelet) -> None:
    stage.job()
    worker(stage, kubelet, 0)
    worker(stage, kubelet, 1)
    kubelet.write("reviews-t1-0-x", line(1, "starts"), line(4, "step \x1b[2J 1"))
    kubelet.write("reviews-t1-1-x", line(2, "starts"), line(3, "waits"))
    result = stage.graft("logs", "reviews")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == ("[w0] starts\n[w1] starts\n[w1] waits\n[w0] step \\x1b[2J 1\n")
    one = stage.graft("logs", "reviews", "--worker", "1", "--tail", "1")
    assert one.stdout == "[w1] waits\n"


def test_the_newest_attempt_unless_another_is_asked_for(stage: Stage, kubelet: Kubelet) -> None:
    stage.job()
    worker(stage, kubelet, 0)
    worker(stage, kubelet, 0, name="reviews-t2-0-x", labels={Label.ATTEMPT: "2"})
    worker(stage, kubelet, 0, name="reviews-p1-0-x", labels={Label.ROLE: "prepare"})
    kubelet.write("reviews-t1-0-x", line(1, "first"))
    kubelet.write("reviews-t2-0-x", line(2, "second"))
    kubelet.write("reviews-p1-0-x", line(0, "tokenises"))
    assert stage.graft("logs", "reviews").stdout == "[w0] second\n"
    assert stage.graft("logs", "reviews", "--attempt", "1").stdout == "[w0] first\n"
    assert stage.graft("logs", "reviews", "--stage", "prepare").stdout == "[p0] tokenises\n"


def test_followed_lines_come_as_they_are_written_until_the_job_ends(
    stage: Stage, kubelet: Kubelet
) -> None:
    stage.job()
    worker(stage, kubelet, 0)
    kubelet.write("reviews-t1-0-x", line(1, "one"))
    following = stage.begin("logs", "reviews", "--follow")
    assert following.stdout is not None
    assert following.stdout.readline() == "[w0] one\n"
    kubelet.write("reviews-t1-0-x", line(2, "two"))
    assert following.stdout.readline() == "[w0] two\n"
    worker(stage, kubelet, 1)  # a worker that joins later
    kubelet.write("reviews-t1-1-x", line(3, "three"), over=True)
    assert following.stdout.readline() == "[w1] three\n"
    kubelet.write("reviews-t1-0-x", line(4, "four"), over=True)
    stage.status(phase="Complete", conditions=[says("Complete", "True", "Succeeded")])
    out, rest = following.communicate(timeout=120)
    assert (following.returncode, out, rest) == (0, "[w0] four\n", "")


def test_of_the_failed_ones_the_end_and_the_last_words(stage: Stage, kubelet: Kubelet) -> None:
    words = json.dumps(
        {
            "jobUID": "u",
            "attempt": 1,
            "state": "Failed",
            "message": "KeyError: 'stars'",
            "hint": "see data.train.columns",
        }
    )
    stage.job()
    worker(stage, kubelet, 0)
    worker(stage, kubelet, 1, exit_code=1, words=words)
    kubelet.write("reviews-t1-0-x", line(1, "goes on"))
    kubelet.write("reviews-t1-1-x", line(1, "Traceback"), line(2, "KeyError"))
    result = stage.graft("logs", "reviews", "--failed")
    assert result.stdout == (
        "[w1] attempt 1, pod reviews-t1-1-x: exit code 1 (Error) at 12:00:09 UTC\n"
        "[w1] Traceback\n"
        "[w1] KeyError\n"
        "[w1] KeyError: 'stars'\n"
        "[w1] see data.train.columns\n"
    )


def test_why_shows_the_end_of_the_failed_worker_s_log(stage: Stage, kubelet: Kubelet) -> None:
    stage.job()
    stage.status(
        phase="Failed", observedGeneration=1, conditions=[says("Failed", "True", "UserError", "x")]
    )
    worker(stage, kubelet, 1, exit_code=1)
    kubelet.write("reviews-t1-1-x", line(1, "Traceback"), line(2, "KeyError"))
    told = json.loads(stage.graft("why", "reviews", "-o", "json").stdout)
    assert told["excerpt"] == ["[w1] Traceback", "[w1] KeyError"]


def test_no_worker_has_written_anything(stage: Stage) -> None:
    stage.job()
    result = stage.graft("logs", "reviews")
    assert (result.returncode, result.stderr) == (
        3,
        "graft: error: no worker has written anything yet\n"
        "  `graft why reviews` says how the job stands\n",
    )
