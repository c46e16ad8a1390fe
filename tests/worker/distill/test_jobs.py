"""DistillJobs from file to artefact: what the student learns, and what it is compared with."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from graft_api.decoding import decode_json
from graft_cli.verbs.validate import report
from graft_worker.distributed.process import Process
from graft_worker.models.weights import read_weights
from graft_worker.run import prepare
from graft_worker.run.evaluate import evaluate
from graft_worker.run.predict import predict
from tests.worker import small
from tests.worker.distill import jobs
from tests.worker.distributed import gang

MakeJob = Callable[..., dict[str, Any]]


def test_the_student_beats_the_same_student_on_labels_alone(
    root: Path, make: MakeJob, student: jobs.Done
) -> None:
    alone = make("alone", method={"name": "vanilla", "vanilla": {"alpha": 0.0}})
    del alone["spec"]["data"]["unlabelled"]
    on_labels = jobs.run(root / "store", alone)
    assert student.words.metrics["accuracy"] >= on_labels.words.metrics["accuracy"] + 0.05
    assert student.words.metrics["accuracy"] >= 0.85


def test_the_status_has_both_on_the_same_split(
    root: Path, teacher: jobs.Done, student: jobs.Done
) -> None:
    told = student.words.comparison
    of_teacher = evaluate(teacher.artefact, str(root / "dev.tsv"))
    assert told["metric"] == "accuracy"
    assert told["teacher"] == f"{of_teacher['accuracy']:.6g}"
    assert told["student"] == f"{student.words.metrics['accuracy']:.6g}"
    sizes = [
        sum(t.numel() for t in read_weights(made.artefact).values()) for made in (teacher, student)
    ]
    assert told["sizeRatio"] == round(sizes[0] / sizes[1], 2)
    assert told["speedRatio"] > 0
    card = (student.artefact / "model_card.md").read_text()
    assert "Made by Graft's DistillJob `student`" in card
    assert f"Its teacher was `{teacher.words.artefact_digest}`." in card
    line = f"teacher {of_teacher['accuracy']:.4f}, this student {float(told['student']):.4f}."
    assert f"accuracy on the validation split: {line}" in card


def test_the_artefact_answers_as_any_other(root: Path, student: jobs.Done, tmp_path: Path) -> None:
    found = evaluate(student.artefact, str(root / "dev.tsv"))
    assert found["accuracy"] == pytest.approx(student.words.metrics["accuracy"], abs=1e-6)
    output = tmp_path / "out.jsonl"
    assert predict(student.artefact, str(root / "bare.tsv"), output) == 600
    assert set(json.loads(output.read_text().splitlines()[0])["predictions"]) <= {"n", "y"}


def test_a_second_job_finds_the_answers_of_the_first(
    root: Path, make: MakeJob, student: jobs.Done
) -> None:
    before = kept(root)
    jobs.run(root / "store", make("second", training={"duration": {"steps": 2}}))
    assert kept(root) == before
    assert len(before) == 3  # train, unlabelled and validation


def kept(root: Path) -> dict[str, int]:
    """Folders of answers, and when they were written."""
    files = (root / "store" / "cache").glob("sha256-*/example.logits.bin")
    return {path.parent.name: path.stat().st_mtime_ns for path in files}


def test_a_job_that_failed_and_runs_again_gives_the_weights_of_an_uninterrupted_one(
    root: Path, make: MakeJob, student: jobs.Done
) -> None:
    told = make("student")
    store = root / "again"
    with pytest.raises(RuntimeError, match="a rehearsed failure"):
        jobs.run(store, told, fault="0:50:raise")
    assert not list(store.glob("artefacts/*"))
    resumed = jobs.run(store, told)
    assert resumed.weights == student.weights
    assert resumed.words.artefact_digest == student.words.artefact_digest


def in_gang(process: Process, store: str, told: dict[str, Any]) -> tuple[str, dict[str, float]]:
    done = jobs.run(Path(store), told, process=process)
    return done.words.artefact_uri, dict(done.words.metrics)


def test_training_needs_no_data_but_what_was_prepared(
    root: Path, make: MakeJob, tmp_path: Path
) -> None:
    copies = {name: shutil.copy(root / f"{name}.tsv", tmp_path) for name in ("few", "dev")}
    data = {"train": {"uri": str(copies["few"])}, "validation": {"uri": str(copies["dev"])}}
    told = make("blind", data=data | {"maxLength": 16}, training={"duration": {"steps": 1}})
    environ = jobs.contract(root / "store", told, "")
    prepare.main(environ)
    rows = Path(copies["dev"]).read_text().splitlines()[1:9]
    for copy in copies.values():
        Path(copy).unlink()
    done = jobs.trained(root / "store", environ, Process())
    golden = [
        json.loads(line) for line in (done.artefact / "golden.jsonl").read_text().splitlines()
    ]
    assert [g["inputs"] for g in golden] == [{"text": row.partition("\t")[0]} for row in rows]


def test_two_processes_follow_one(root: Path, make: MakeJob, student: jobs.Done) -> None:
    (artefact, metrics), _ = gang.run(2, in_gang, str(root / "two"), make("student"))
    assert metrics["accuracy"] == pytest.approx(student.words.metrics["accuracy"], abs=0.01)
    whole, found = read_weights(student.artefact), read_weights(Path(artefact))
    assert all(torch.allclose(found[name], whole[name], atol=1e-2) for name in whole)
    alone, together = (
        {path.parent.name: path.read_bytes() for path in folder.glob("sha256-*/example.logits.bin")}
        for folder in (root / "store" / "cache", root / "two" / "cache")
    )
    assert together == alone


def test_a_student_of_the_teachers_layers_starts_with_its_weights_and_its_head(
    root: Path, make: MakeJob, teacher: jobs.Done
) -> None:
    told = make(
        "taken",
        student={"from": {"teacher": {"layers": 2}}},
        training={"duration": {"steps": 1}, "optimizer": {"learningRate": 1e-12}},
    )
    done = jobs.run(root / "store", told)
    whole, found = read_weights(teacher.artefact), read_weights(done.artefact)
    assert found.keys() == whole.keys()
    assert all(torch.allclose(found[name], whole[name], atol=1e-6) for name in whole)
    assert done.words.comparison["sizeRatio"] == 1.0
    assert done.words.comparison["student"] == done.words.comparison["teacher"]


def test_an_albert_learns_and_teaches_another_of_fewer_steps(root: Path, make: MakeJob) -> None:
    sizes = {**jobs.MODEL, "architecture": "albert", "layers": 3, "options": {"embedding_size": 16}}
    one = jobs.run(root / "store", make("albert", student={"from": {"config": sizes}}))
    assert one.words.metrics["accuracy"] >= 0.85
    told = make(
        "albert-of-one",
        teacher={"from": {"uri": str(one.artefact)}},
        student={"from": {"teacher": {"layers": 1}}},
    )
    other = jobs.run(root / "store", told)
    assert other.words.comparison["sizeRatio"] == 1.0
    config = json.loads((other.artefact / "config.json").read_text())
    assert (config["num_hidden_layers"], config["num_hidden_groups"]) == (1, 1)


def test_a_student_may_read_with_a_tokenizer_of_its_own(root: Path, make: MakeJob) -> None:
    told = make(
        "own-pieces",
        student={
            "from": {"config": jobs.MODEL},
            "tokenizer": {"train": {"kind": "wordpiece", "size": 110}},
        },
    )
    before = kept(root)
    done = jobs.run(root / "store", told)
    assert done.words.metrics["accuracy"] >= 0.85
    assert kept(root) == before  # the teacher reads what it has read before


@pytest.mark.parametrize("key", ["zoo", "uri"])
def test_a_student_may_start_from_a_model_with_its_own_tokenizer(
    root: Path, make: MakeJob, tmp_path: Path, key: str
) -> None:
    model = shutil.copytree(small.published(tmp_path / "made").uri, tmp_path / "zoo" / "tiny")
    source = {"zoo": "tiny", "uri": str(model)}[key]
    told = make(
        f"from-{key}",
        student={"from": {key: source}},
        training={"duration": {"steps": 1}, "optimizer": {"learningRate": 1e-12}},
    )
    environ = jobs.contract(root / "store", told, "") | {"GRAFT_ZOO": str(tmp_path / "zoo")}
    prepare.main(environ)
    done = jobs.trained(root / "store", environ, Process())
    whole, found = read_weights(model), read_weights(done.artefact)
    assert all(
        torch.allclose(found[name], whole[name], atol=1e-6) for name in whole if "bert." in name
    )
    assert (done.artefact / "tokenizer.json").read_text() == (model / "tokenizer.json").read_text()
    assert f"`{source}`" in (done.artefact / "model_card.md").read_text()


def test_what_the_data_hold_is_told_before_anything_runs(make: MakeJob) -> None:
    lines = report(decode_json(json.dumps(make("told"))))
    assert lines[0] == "target: one label per row, 2 labels: n, y"
    assert [line.partition(",")[0] for line in lines if " rows, longest" in line] == [
        "train: 60 rows",
        "validation: 400 rows",
        "unlabelled: 600 rows",
    ]


def test_several_labels_are_learned(tmp_path: Path) -> None:
    teacher = small.published(tmp_path / "store", small.app(problem="multi_label")).uri
    lines = ["text\tlabel", "good film\tdull,slow", "bad\t", "very dull\tbright", "the end\tslow"]
    (tmp_path / "train.tsv").write_text("\n".join(lines))
    spec = {
        "teacher": {"from": {"uri": str(teacher)}},
        "student": {"from": {"teacher": {"layers": 1}}},
        "data": {"train": {"uri": str(tmp_path / "train.tsv")}},
        "training": {"duration": {"steps": 3}},
    }
    done = jobs.run(tmp_path / "store", jobs.job("DistillJob", "sets", spec))
    assert done.words.comparison.keys() == {"sizeRatio", "speedRatio"}


def test_a_number_is_imitated_by_its_square(tmp_path: Path) -> None:
    teacher = small.published(tmp_path / "store", small.app(problem="regression")).uri
    (tmp_path / "train.tsv").write_text("text\tlabel\ngood film\t1.5\nbad\t-2\nthe end\t0\n")
    spec = {
        "teacher": {"from": {"uri": str(teacher)}},
        "student": {"from": {"teacher": {"layers": 1}}},
        "method": {"name": "vanilla", "vanilla": {"loss": "mse", "alpha": 0.5}},
        "data": {
            "train": {"uri": str(tmp_path / "train.tsv")},
            "test": {"uri": str(tmp_path / "train.tsv")},
        },
        "training": {"duration": {"steps": 3}},
    }
    done = jobs.run(tmp_path / "store", jobs.job("DistillJob", "numbers", spec))
    found = evaluate(teacher, str(tmp_path / "train.tsv"))
    assert done.words.comparison["metric"] == "mse"
    assert done.words.comparison["teacher"] == f"{found['mse']:.6g}"
