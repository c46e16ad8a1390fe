"""What a run must give whatever happened to it: the same weights, the same curve."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e import jobs

TOLERANCE = 1e-4  # of a loss in fp32
JOB = """\
apiVersion: graft.dev/v1alpha1
kind: TransferJob
metadata: {name: exact}
spec:
  app: {name: text_classify}
  model:
    from: {config: {architecture: bert, layers: 2, hidden: 64, heads: 4}}
    tokenizer: {train: {kind: wordpiece, size: 800}}
  data:
    train: {uri: example://reviews/train.tsv}
    validation: {uri: example://reviews/dev.tsv}
    maxLength: 48
  training:
    duration: {epochs: 4}
    globalBatch: 16
    precision: fp32
    optimizer: {learningRate: 1.0e-3}
    evaluate: {every: {steps: 20}}
  checkpoint: {every: {steps: 5}, keep: 2}
"""


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("job") / "job.yaml"
    path.write_text(JOB)
    return path


@pytest.fixture(scope="module")
def alone(job: Path, tmp_path_factory: pytest.TempPathFactory) -> jobs.Finished:
    return jobs.run(job, tmp_path_factory.mktemp("alone"))


@pytest.fixture(scope="module")
def together(job: Path, tmp_path_factory: pytest.TempPathFactory) -> jobs.Finished:
    return jobs.run(job, tmp_path_factory.mktemp("together"), "workers.desired=2")


def test_same_seed_same_weights(job: Path, alone: jobs.Finished, tmp_path: Path) -> None:
    again = jobs.run(job, tmp_path)
    assert again.weights == alone.weights
    assert again.status["artefact"]["digest"] == alone.status["artefact"]["digest"]


def test_killed_and_run_again_gives_the_weights_of_an_uninterrupted_run(
    job: Path, alone: jobs.Finished, tmp_path: Path
) -> None:
    jobs.kill_after_a_checkpoint(job, tmp_path)
    resumed = jobs.run(job, tmp_path)
    assert resumed.status["attempt"] == 2
    assert resumed.weights == alone.weights
    assert resumed.status["metrics"] == alone.status["metrics"]


def test_two_killed_processes_run_again_give_the_weights_of_two_uninterrupted(
    job: Path, together: jobs.Finished, tmp_path: Path
) -> None:
    jobs.kill_after_a_checkpoint(job, tmp_path, "workers.desired=2")
    resumed = jobs.run(job, tmp_path, "workers.desired=2")
    assert resumed.weights == together.weights


def test_two_processes_follow_the_curve_of_one(
    alone: jobs.Finished, together: jobs.Finished
) -> None:
    assert together.status["workers"]["world"] == 2
    steps = alone.losses.keys() & together.losses.keys()
    assert len(steps) >= 3
    for step in steps:
        assert together.losses[step] == pytest.approx(alone.losses[step], abs=TOLERANCE)
    assert together.metric("accuracy") == pytest.approx(alone.metric("accuracy"), abs=0.01)


@pytest.mark.parametrize("wish", ["strategy=fsdp", "tensor=2"])
def test_processes_that_share_the_model_follow_the_curve_of_one(
    job: Path, alone: jobs.Finished, tmp_path: Path, wish: str
) -> None:
    sharded = jobs.run(job, tmp_path, "workers.desired=2", f"workers.parallel.{wish}")
    for step in alone.losses.keys() & sharded.losses.keys():
        assert sharded.losses[step] == pytest.approx(alone.losses[step], abs=TOLERANCE)
    assert sharded.metric("accuracy") == pytest.approx(alone.metric("accuracy"), abs=0.01)
