"""What a DistillJob cannot be is said before anything is written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from graft_api.errors import ConfigError, StoreError
from graft_worker.export.artefact import publish
from graft_worker.export.contents import Words
from tests.worker import small
from tests.worker.distill import jobs

MakeJob = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            {"student": {"from": {"teacher": {"layers": 3}}}},
            "spec.student.from.teacher.layers: 3, but the teacher has 2\n  use 1 to 2",
            id="more layers than there are",
        ),
        pytest.param(
            {"app": {"name": "text_match"}},
            "spec.app.name: text_match, but the teacher was trained for text_classify\n"
            "  set it to text_classify, or take another teacher",
            id="another app",
        ),
        pytest.param(
            {"app": {"name": "text_classify", "labels": ["y", "n"]}},
            "spec.app.labels: y, n, but the teacher's are n, y, in this order\n"
            "  leave them out: the teacher knows",
            id="labels in another order",
        ),
        pytest.param(
            {"app": {"name": "text_classify", "params": {"problem": "regression"}}},
            "spec.app.params.problem: regression, but the teacher's is single_label\n"
            "  leave it out: the teacher knows",
            id="another problem",
        ),
        pytest.param(
            {"student": {"from": {"uri": "/nowhere"}}},
            "spec.student.from.uri: /nowhere does not exist\n"
            "  name a folder with config.json, model.safetensors and tokenizer.json",
            id="no student",
        ),
        pytest.param(
            {"teacher": {"from": {"uri": "/nowhere"}}},
            "spec.teacher.from.uri: /nowhere does not exist\n"
            "  name the artefact of a TransferJob: its status says artefact.uri",
            id="no teacher",
        ),
    ],
)
def test_what_does_not_fit_the_teacher_is_refused_before_anything_is_written(
    root: Path, make: MakeJob, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        jobs.run(tmp_path, make("refused", **change))
    assert str(caught.value) == message
    assert not list(tmp_path.glob("cache/*"))


def test_a_teacher_that_is_not_the_pinned_one_is_refused(
    make: MakeJob, teacher: jobs.Done, tmp_path: Path
) -> None:
    pinned = f"sha256:{'0' * 64}"
    told = make("pinned", teacher={"from": {"uri": str(teacher.artefact)}, "revision": pinned})
    with pytest.raises(ConfigError) as caught:
        jobs.run(tmp_path, told)
    assert str(caught.value).splitlines()[0] == (
        f"spec.teacher.revision: pinned to {pinned}, but {teacher.artefact} has"
        f" {teacher.words.artefact_digest}"
    )


def test_a_job_whose_artefact_is_not_known_is_no_teacher_yet(make: MakeJob, tmp_path: Path) -> None:
    asked = {"kind": "TransferJob", "name": "reviews"}
    with pytest.raises(ConfigError) as caught:
        jobs.run(tmp_path, make("unknown", teacher={"from": {"job": asked}}))
    assert str(caught.value) == (
        "spec.teacher.from.job: what TransferJob reviews has made is not known here\n"
        "  `graft run` finds it in its store; `graft validate --no-data` checks the file alone"
    )


def test_a_damaged_teacher_teaches_nobody(
    make: MakeJob, teacher: jobs.Done, tmp_path: Path
) -> None:
    copy = shutil.copytree(teacher.artefact, tmp_path / "copy")
    (copy / "model.safetensors").write_bytes(b"")
    told = make("damaged", teacher={"from": {"uri": str(copy)}})
    with pytest.raises(StoreError, match=r"copy/model\.safetensors: damaged: 0 bytes"):
        jobs.run(tmp_path / "store", told)


def test_a_number_has_no_distribution_to_imitate(tmp_path: Path) -> None:
    teacher = small.published(tmp_path / "store", small.app(problem="regression")).uri
    spec = {
        "teacher": {"from": {"uri": str(teacher)}},
        "student": {"from": {"teacher": {"layers": 1}}},
        "data": {"train": {"uri": "train.tsv"}},
    }
    with pytest.raises(ConfigError) as caught:
        jobs.run(tmp_path, jobs.job("DistillJob", "numbers", spec))
    assert str(caught.value) == (
        "spec.method.vanilla.loss: kl compares distributions, but the teacher answers with a"
        " number\n  set it to mse"
    )


def test_a_model_that_knows_no_task_teaches_nothing(make: MakeJob, tmp_path: Path) -> None:
    made = small.app()
    module = small.classifier(made)
    words = Words(kind="PretrainJob", pipeline="fill-mask", about="", loader="", limits=())
    kept = {"app": "", "variant": "", "problem": None, "labels": (), "words": words}
    folder = publish(tmp_path / "store", small.contents(made, module, **kept)).uri
    with pytest.raises(ConfigError) as caught:
        jobs.run(tmp_path, make("words", teacher={"from": {"uri": str(folder)}}))
    assert str(caught.value) == (
        f"spec.teacher.from.uri: {folder}: knows no task\n"
        "  name the artefact of a TransferJob: its status says artefact.uri"
    )


PROBES = {"name": "probes"}


def convolutional(folder: Path) -> dict[str, Any]:
    """A job that trains a network without layers on three rows."""
    (folder / "train.tsv").write_text("text\tlabel\ngood film\ty\nbad\tn\nthe end\ty\n")
    spec = {
        "app": {"name": "text_classify", "variant": "textcnn", "params": {"filters": 2}},
        "data": {"train": {"uri": str(folder / "train.tsv")}},
        "training": {"duration": {"steps": 1}},
    }
    return jobs.job("TransferJob", "windows", spec)


def test_probes_need_layers_of_teacher_and_of_student(make: MakeJob, tmp_path: Path) -> None:
    without = jobs.run(tmp_path / "store", convolutional(tmp_path)).artefact
    origin = {"from": {"uri": str(without)}}
    for part in ("teacher", "student"):
        with pytest.raises(ConfigError) as caught:
            jobs.run(tmp_path / part, make("refused", method=PROBES, **{part: origin}))
        assert str(caught.value) == (
            f"spec.{part}.from: {without} is a textcnn, which has no layers for method probes\n"
            "  use method vanilla, which needs no layers"
        )
        assert not list((tmp_path / part).glob("cache/*"))
