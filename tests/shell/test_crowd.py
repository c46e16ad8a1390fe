"""The more jobs want to be looked at, the rarer each is."""

from __future__ import annotations

from graft_operator.shell.crowd import Crowd


def key(number: int) -> tuple[str, str, str]:
    return "TransferJob", "team", f"job-{number}"


def test_looks_of_all_jobs_together_stay_below_a_rate():
    crowd = Crowd()
    pauses = [crowd.pause(key(number), "pods") for number in range(1000)]
    assert (pauses[0], pauses[499], pauses[999]) == (0.04, 20.0, 40.0)


def test_a_job_counts_once_and_for_what_it_wants_now():
    crowd = Crowd()
    for want in ("pods", "pods", "progress"):
        last = crowd.pause(key(1), want)
    assert last == 0.01
    assert crowd.pause(key(2), "pods") == 0.04


def test_a_job_that_wants_nothing_counts_no_more():
    crowd = Crowd()
    crowd.pause(key(1), "pods")
    assert crowd.pause(key(1), "nothing") == 0.0
    assert crowd.pause(key(2), "pods") == 0.04
