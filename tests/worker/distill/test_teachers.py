"""A teacher that no job has made: a model with a head, by its name in the zoo or by its path."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file, save_file

from graft_api.errors import ConfigError, DataError
from graft_worker.distributed.process import Process
from graft_worker.run import prepare
from tests.worker.distill import jobs

MakeJob = Callable[..., dict[str, Any]]
FILES = ("config.json", "model.safetensors", "tokenizer.json")
ZOO = {"from": {"zoo": "judge"}}
ONE_STEP = {"duration": {"steps": 1}, "optimizer": {"learningRate": 1e-12}}


def put(zoo: Path, teacher: jobs.Done, **changed: Any) -> Path:
    """The files that `transformers` reads of a model, and nothing of ours; a key of None is cut."""
    folder = zoo / "judge"
    folder.mkdir(parents=True)
    for name in FILES:
        shutil.copy(teacher.artefact / name, folder)
    config = json.loads((folder / "config.json").read_text()) | changed
    del config["graft"]
    kept = {key: value for key, value in config.items() if value is not None}
    (folder / "config.json").write_text(json.dumps(kept))
    return folder


def without(folder: Path, part: str) -> None:
    """Takes the tensors of that name from the weights."""
    path = folder / "model.safetensors"
    kept = {name: tensor for name, tensor in load_file(path).items() if part not in name}
    save_file(kept, path, {"format": "pt"})


def run(store: Path, told: dict[str, Any], zoo: Path) -> jobs.Done:
    environ = jobs.contract(store, told, "") | {"GRAFT_ZOO": str(zoo)}
    prepare.main(environ)
    return jobs.trained(store, environ, Process())


def refused(store: Path, told: dict[str, Any], zoo: Path) -> str:
    """What is said, before anything is written."""
    with pytest.raises((ConfigError, DataError)) as caught:
        run(store, told, zoo)
    assert not list(store.glob("cache/*"))
    return str(caught.value)


def test_a_model_of_the_zoo_with_a_head_teaches_as_the_job_does_that_has_made_it(
    make: MakeJob, teacher: jobs.Done, student: jobs.Done, tmp_path: Path
) -> None:
    put(tmp_path, teacher)
    done = run(tmp_path / "store", make("of-the-zoo", teacher=ZOO), tmp_path)
    assert done.weights == student.weights
    assert done.words.comparison["teacher"] == student.words.comparison["teacher"]
    assert done.words.comparison["sizeRatio"] == student.words.comparison["sizeRatio"]


def test_an_artefact_in_the_zoo_is_taken_as_it_is_and_has_answered_already(
    root: Path, make: MakeJob, teacher: jobs.Done, student: jobs.Done, tmp_path: Path
) -> None:
    shutil.copytree(teacher.artefact, tmp_path / "judge")
    before = set((root / "store" / "cache").iterdir())
    done = run(root / "store", make("ours", teacher=ZOO, training=ONE_STEP), tmp_path)
    assert done.words.comparison["teacher"] == student.words.comparison["teacher"]
    assert set((root / "store" / "cache").iterdir()) == before


def test_the_command_line_runs_a_student_of_such_a_teachers_layers(
    make: MakeJob, teacher: jobs.Done, tmp_path: Path
) -> None:
    """Its outputs have no names here, and the job names them; it is pinned, too."""
    folder = put(tmp_path, teacher, id2label=None, label2id=None, problem_type=None)
    told = make(
        "from-the-line",
        app={"name": "text_classify", "labels": ["n", "y"]},
        teacher=ZOO,
        student={"from": {"teacher": {"layers": 2}}},
        training=ONE_STEP,
    )
    file = tmp_path / "job.json"
    file.write_text(json.dumps(told))
    graft = [sys.executable, "-m", "graft_cli", "run", str(file), "--store", str(tmp_path / "s")]
    done = subprocess.run(
        [*graft, "-o", "json"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GRAFT_ZOO": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    beside = json.loads(done.stdout)["comparison"]
    assert beside["sizeRatio"] == 1.0
    assert beside["student"] == beside["teacher"]
    assert (folder / "config.json").is_file()


FIRST = (
    "\n  train it by a TransferJob, then: teacher: {from: {job: {kind: TransferJob, name: NAME}}}"
)


def test_a_name_of_the_zoo_that_is_only_pretrained_knows_no_task(
    make: MakeJob, tmp_path: Path
) -> None:
    told = make("bare", teacher={"from": {"zoo": "minilm-l6-en"}})
    assert refused(tmp_path / "store", told, tmp_path) == (
        "spec.teacher.from.zoo: minilm-l6-en has no head: it knows no task yet"
        f"{FIRST}; or put a model that has one into <zoo>/minilm-l6-en/ and set GRAFT_ZOO"
    )


def test_a_name_that_is_none_of_the_zoo_is_told_by_the_teachers_field(
    make: MakeJob, tmp_path: Path
) -> None:
    said = refused(tmp_path / "store", make("unknown", teacher=ZOO), tmp_path)
    assert said.startswith("spec.teacher.from.zoo: no model named 'judge'")


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        pytest.param({}, "classifier.", id="no head"),
        pytest.param({}, "pooler.", id="nothing that the head reads"),
        pytest.param({"model_type": "roberta"}, "-", id="another form of head"),
        pytest.param({"architectures": ["BertForMultipleChoice"]}, "-", id="another kind of head"),
    ],
)
def test_a_model_without_a_classifiers_head_is_refused(
    make: MakeJob, teacher: jobs.Done, tmp_path: Path, changed: dict[str, Any], part: str
) -> None:
    folder, family = put(tmp_path, teacher, **changed), changed.get("model_type", "bert")
    without(folder, part)
    assert refused(tmp_path / "store", make("headless", teacher=ZOO), tmp_path) == (
        f"spec.teacher.from.zoo: {folder} has no head of a classifier, as BERT and ALBERT have it:"
        f" this {family} knows no task yet{FIRST}"
    )


def test_outputs_without_names_have_to_be_named(
    make: MakeJob, teacher: jobs.Done, tmp_path: Path
) -> None:
    folder = put(tmp_path, teacher, id2label=None)
    assert refused(tmp_path / "store", make("nameless", teacher=ZOO), tmp_path) == (
        "spec.app.labels: none, but the teacher has 2 outputs without names:"
        f" {folder}/config.json calls them LABEL_0, LABEL_1\n"
        "  name all of them, in this order, as the data do"
    )


def test_labels_of_the_data_that_the_teacher_does_not_know_are_refused_with_their_rows(
    root: Path, make: MakeJob, teacher: jobs.Done, tmp_path: Path
) -> None:
    put(tmp_path, teacher, id2label={"0": "n", "1": "maybe"})
    said = refused(tmp_path / "store", make("others", teacher=ZOO), tmp_path)
    asked = "unknown label 'y', the labels of spec.teacher are n, maybe: "
    assert [asked in line for line in said.splitlines()] == [False, True, True]
    assert f"first at {root}/few.tsv:" in said


def test_texts_longer_than_the_teacher_reads_are_refused(
    make: MakeJob, teacher: jobs.Done, tmp_path: Path
) -> None:
    put(tmp_path, teacher, max_position_embeddings=12)
    assert refused(tmp_path / "store", make("long", teacher=ZOO), tmp_path) == (
        "spec.data.maxLength: 16, but the teacher has 12 positions\n"
        "  use at most 12, or another teacher"
    )


def test_a_problem_that_does_not_fit_the_head_is_refused(
    make: MakeJob, teacher: jobs.Done, tmp_path: Path
) -> None:
    folder = put(tmp_path, teacher, problem_type="regression")
    assert refused(tmp_path / "store", make("number", teacher=ZOO), tmp_path) == (
        f"spec.teacher.from.zoo: {folder}/config.json: problem_type is 'regression',"
        " and the head has 2 outputs\n"
        "  regression has one output, the others have more:"
        " single_label_classification, multi_label_classification, regression"
    )


def test_another_revision_than_the_pinned_one_is_refused_for_a_folder_named_by_path_too(
    make: MakeJob, teacher: jobs.Done, tmp_path: Path
) -> None:
    folder, pin = put(tmp_path, teacher), f"sha256:{'0' * 64}"
    told = make("pinned", teacher={"from": {"uri": str(folder)}, "revision": pin})
    said = refused(tmp_path / "store", told, tmp_path)
    assert said.startswith(f"spec.teacher.revision: pinned to {pin}, but {folder} has sha256:")
