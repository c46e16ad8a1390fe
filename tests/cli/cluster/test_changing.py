"""`graft stop`, `resume`, `scale` and `rm`: what they ask of the operator."""

from __future__ import annotations

import pytest

from tests.cli.cluster.stage import Stage, says


def test_a_job_is_stopped_and_goes_on(stage: Stage) -> None:
    stage.job()
    stage.status(checkpoint={"step": 40})
    stopped = stage.graft("stop", "reviews")
    assert (stopped.returncode, stopped.stdout) == (0, "transferjob/reviews stopping\n")
    assert stopped.stderr == (
        "graft: a checkpoint is saved first, then its pods go; `graft resume reviews` goes on\n"
    )
    assert suspended(stage)
    assert stage.graft("stop", "reviews").stdout == "transferjob/reviews unchanged\n"
    resumed = stage.graft("resume", "transfer/reviews")
    assert (resumed.returncode, resumed.stdout) == (0, "transferjob/reviews resuming\n")
    assert resumed.stderr == ("graft: it goes on from step 40; `graft watch reviews` follows it\n")
    assert not suspended(stage)
    assert stage.graft("resume", "reviews").stdout == "transferjob/reviews unchanged\n"


def suspended(stage: Stage) -> bool:
    job = stage.get("TransferJob", "reviews")
    assert job is not None
    return bool(job["spec"]["run"]["suspend"])


@pytest.mark.parametrize("verb", [("stop",), ("resume",), ("scale", "2")])
def test_nothing_about_an_ended_job_is_changed(stage: Stage, verb: tuple[str, ...]) -> None:
    stage.job()
    stage.status(phase="Complete", conditions=[says("Complete", "True", "Succeeded")])
    result = stage.graft(verb[0], "reviews", *verb[1:])
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        "graft: error: transferjob/reviews has ended already: Complete\n"
        "  `graft show reviews` shows it\n"
    )


@pytest.mark.parametrize(
    ("workers", "wanted", "said"),
    [
        pytest.param(
            {"min": 2, "max": 4, "desired": 2},
            "3",
            "workers join or leave while the job trains, between 2 and 4",
            id="within the bounds",
        ),
        pytest.param(
            {"min": 2, "max": 4, "desired": 2},
            "1",
            "that is below workers.min: the job goes on with 2",
            id="below the least",
        ),
        pytest.param(
            {"desired": 2},
            "3",
            "the job has a fixed size: a new attempt of the new size starts from a checkpoint",
            id="a fixed size",
        ),
    ],
)
def test_a_job_is_scaled(stage: Stage, workers: dict[str, int], wanted: str, said: str) -> None:
    stage.job(workers=workers)
    result = stage.graft("scale", "reviews", wanted)
    assert (result.returncode, result.stdout) == (0, f"transferjob/reviews scaled to {wanted}\n")
    assert result.stderr == f"graft: {said}\n"
    job = stage.get("TransferJob", "reviews")
    assert job is not None
    assert job["spec"]["workers"]["desired"] == int(wanted)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (
            "9",
            "9 workers are more than workers.max of 4\n"
            "  at most 4 here; workers.max can be raised in the file: graft submit\n",
        ),
        (
            "0",
            "0 workers cannot train\n"
            "  `graft stop reviews` saves a checkpoint and releases all pods\n",
        ),
    ],
)
def test_a_size_that_cannot_be_is_refused(stage: Stage, wanted: str, said: str) -> None:
    stage.job(workers={"max": 4})
    result = stage.graft("scale", "reviews", wanted)
    assert (result.returncode, result.stderr) == (2, f"graft: error: {said}")


def test_a_job_is_removed_when_it_is_meant(stage: Stage) -> None:
    stage.job()
    unsure = stage.graft("rm", "reviews")
    assert (unsure.returncode, unsure.stderr) == (
        2,
        "graft: error: nobody is here to confirm the removal\n  add --yes\n",
    )
    assert stage.get("TransferJob", "reviews") is not None
    result = stage.graft("rm", "reviews", "--yes")
    assert (result.returncode, result.stdout) == (0, "transferjob/reviews removed\n")
    assert result.stderr == "graft: its checkpoints and its artefact stay in the store\n"
    assert stage.get("TransferJob", "reviews") is None


def test_checkpoints_are_not_removed_in_this_version(stage: Stage) -> None:
    stage.job()
    result = stage.graft("rm", "reviews", "--yes", "--checkpoints")
    assert result.returncode == 2
    assert result.stderr.startswith(
        "graft: error: --checkpoints: this version cannot remove checkpoints"
    )
    assert stage.get("TransferJob", "reviews") is not None
