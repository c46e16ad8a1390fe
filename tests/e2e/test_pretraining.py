"""A PretrainJob from its file to a model that others start from."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.e2e import jobs

JOB = """\
apiVersion: graft.dev/v1alpha1
kind: PretrainJob
metadata: {name: words}
spec:
  model:
    from: {config: {architecture: bert, layers: 1, hidden: 32, heads: 2}}
    tokenizer: {train: {kind: wordpiece, size: 400}}
  data:
    train: {uri: example://harbour/train.txt}
    validation: {uri: example://harbour/dev.txt}
    maxLength: 32
  training:
    duration: {steps: 30}
    globalBatch: 16
    precision: fp32
    evaluate: {every: {steps: 10}}
  checkpoint: {every: {steps: 5}, keep: 2}
"""
TRANSFER = """\
apiVersion: graft.dev/v1alpha1
kind: TransferJob
metadata: {name: reviews}
spec:
  app: {name: text_classify}
  model: {from: {uri: MODEL}}
  data: {train: {uri: example://reviews/train.tsv}, maxLength: 32}
  training: {duration: {steps: 2}}
"""


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("job") / "job.yaml"
    path.write_text(JOB)
    return path


@pytest.fixture(scope="module")
def done(job: Path, tmp_path_factory: pytest.TempPathFactory) -> jobs.Finished:
    return jobs.run(job, tmp_path_factory.mktemp("store"))


def test_a_killed_run_ends_with_the_weights_of_an_uninterrupted_one(
    job: Path, done: jobs.Finished, tmp_path: Path
) -> None:
    jobs.kill_after_a_checkpoint(job, tmp_path)
    resumed = jobs.run(job, tmp_path)
    assert resumed.status["attempt"] == 2
    assert resumed.weights == done.weights
    assert resumed.status["metrics"] == done.status["metrics"]


def test_its_status_names_the_metrics_of_masked_words(done: jobs.Finished) -> None:
    assert done.status["phase"] == "Complete"
    names = [metric["name"] for metric in done.status["metrics"]]
    assert names == ["loss", "mlm_loss", "mlm_accuracy"]
    assert done.status["dataset"]["columns"] == ["text"]
    assert "labels" not in done.status["dataset"]


def test_the_library_names_the_words_that_its_artefact_hides(done: jobs.Finished) -> None:
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(done.artefact)
    model = AutoModelForMaskedLM.from_pretrained(done.artefact).eval()
    assert type(model).__name__ == "BertForMaskedLM"
    said = model(**tokenizer("The ferry [MASK] came in.", return_tensors="pt")).logits
    assert said.shape[-1] == len(tokenizer)
    card = (done.artefact / "model_card.md").read_text()
    assert "pipeline_tag: fill-mask" in card
    assert "AutoModelForMaskedLM.from_pretrained" in card
    assert "graft predict" not in card


def test_pretraining_goes_on_from_its_artefact(done: jobs.Finished, tmp_path: Path) -> None:
    wish = f"spec.model={{from: {{uri: {done.artefact}}}}}"
    job = yaml.safe_load(JOB)
    job["spec"]["training"]["duration"] = {"steps": 10}
    job["spec"]["training"]["evaluate"] = {"every": {"steps": 5}}
    path = tmp_path / "more.yaml"
    path.write_text(yaml.safe_dump(job))
    more = jobs.run(path, tmp_path / "store", wish)
    assert more.metric("mlm_loss") < done.metric("mlm_loss")


def test_an_albert_learns_pairs_beside_words_and_a_transfer_job_starts_from_it(
    job: Path, tmp_path: Path
) -> None:
    sizes = "{config: {architecture: albert, layers: 2, hidden: 32, heads: 2, innerGroups: 2}}"
    wishes = ("spec.objective.name=mlm+sop", "spec.training.duration={steps: 10}")
    made = jobs.run(job, tmp_path, *wishes, f"spec.model.from={sizes}")
    assert 0.3 < made.metric("sop_accuracy") < 1
    assert made.status["dataset"]["columns"] == ["text", "document"]
    assert architecture(made) == "AlbertForPreTraining"
    path = tmp_path / "transfer.yaml"
    path.write_text(TRANSFER.replace("MODEL", str(made.artefact)))
    tuned = jobs.run(path, tmp_path)
    assert architecture(tuned) == "AlbertForSequenceClassification"
    assert f"the weights of `{made.artefact}`" in (tuned.artefact / "model_card.md").read_text()


def architecture(made: jobs.Finished) -> str:
    told = json.loads((made.artefact / "config.json").read_text())
    assert (told["model_type"], told["inner_group_num"]) == ("albert", 2)
    (name,) = told["architectures"]
    return str(name)


def test_an_artefact_that_answers_nothing_says_what_to_do_with_it(done: jobs.Finished) -> None:
    (done.store / "in.tsv").write_text("text\na\n")
    command = [*jobs.GRAFT, "predict", str(done.artefact), "--input", str(done.store / "in.tsv")]
    said = subprocess.run(
        [*command, "--output", str(done.store / "out.tsv")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 2
    assert "a pretrained model, which answers nothing yet" in said.stderr
    assert "start a TransferJob from it" in said.stderr
