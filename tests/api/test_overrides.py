"""`--set path=value`: what it sets, and how its mistakes are told apart from the file's."""

from __future__ import annotations

import pytest

from graft_api.decoding import DecodeError, decode
from graft_api.transferjob import TransferJob
from tests.api.jobs import TRANSFER, with_spec


def _decoded(text: str, *overrides: str) -> TransferJob:
    job = decode(text, overrides=overrides)
    assert isinstance(job, TransferJob)
    return job


def test_a_value_is_read_as_yaml_and_makes_the_blocks_above_it() -> None:
    job = _decoded(
        TRANSFER,
        "spec.training.seed=7",
        "spec.training.optimizer.learningRate=3e-4",
        "spec.app.labels=[a, b]",
        'spec.app.params={dropout: 0.2, name: "x=y"}',
    )
    assert job.spec.training.seed == 7
    assert job.spec.training.optimizer.learning_rate == 3e-4
    assert job.spec.app.labels == ("a", "b")
    assert job.spec.app.params == {"dropout": 0.2, "name": "x=y"}


def test_items_of_lists_are_named_by_their_place() -> None:
    text = with_spec("output: {formats: [safetensors, safetensors]}")
    job = _decoded(text, "spec.output.formats[1]=onnx", "spec.output.formats.0=onnx")
    assert job.spec.output.formats == ("onnx", "onnx")


def test_later_values_win_over_earlier_ones_and_null_removes() -> None:
    job = _decoded(
        TRANSFER,
        "spec.training.seed=7",
        "spec.training.seed=8",
        "spec.data.validation=null",
        "metadata.name=other",
    )
    assert job.spec.training.seed == 8
    assert job.spec.data.validation is None
    assert job.metadata.name == "other"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        pytest.param(
            "spec.trainig.seed=7",
            "--set spec.trainig.seed=7: spec.trainig: unknown field; did you mean training?",
            id="an unknown block",
        ),
        pytest.param(
            "spec.training.seed=-1",
            "--set spec.training.seed=-1: spec.training.seed: expected at least 0, found -1",
            id="a value out of bounds",
        ),
        pytest.param(
            "training.seed=7",
            "--set training.seed=7: training is no field of a job;"
            " did you mean spec.training.seed?",
            id="a path without spec",
        ),
        pytest.param(
            "spec.training.seed",
            "--set spec.training.seed: expected path=value, such as spec.training.seed=7",
            id="no value",
        ),
        pytest.param(
            "spec..seed=1",
            "--set spec..seed=1: expected path=value, such as spec.training.seed=7",
            id="a path with a hole",
        ),
        pytest.param(
            "spec.app.name.x=1",
            "--set spec.app.name.x=1: spec.app.name holds 'text_classify', which has no fields",
            id="a field of a word",
        ),
        pytest.param(
            "spec.app.labels[0]=a",
            "--set spec.app.labels[0]=a: spec.app.labels is not set, so it has no items",
            id="an item of a list that is not there",
        ),
        pytest.param(
            "spec.output.formats[3]=onnx",
            "--set spec.output.formats[3]=onnx: spec.output.formats has 1 items, counted from 0",
            id="an item beyond the end",
        ),
        pytest.param(
            "spec.output.formats.first=onnx",
            "--set spec.output.formats.first=onnx:"
            " spec.output.formats is a list: name an item, such as [0]",
            id="a word where a place belongs",
        ),
        pytest.param(
            "spec.app[0]=x", "--set spec.app[0]=x: spec.app is no list", id="an item of a mapping"
        ),
        pytest.param(
            "spec.app.labels=[a",
            "--set spec.app.labels=[a: cannot read the value:"
            " not valid YAML: did not find expected ',' or ']'",
            id="a value that is no YAML",
        ),
    ],
)
def test_a_mistake_names_the_override_and_not_a_line(override: str, message: str) -> None:
    with pytest.raises(DecodeError) as raised:
        decode(with_spec("output: {formats: [safetensors]}"), overrides=[override])
    assert raised.value.message == message


def test_mistakes_of_the_file_and_of_overrides_are_told_together() -> None:
    with pytest.raises(DecodeError) as raised:
        decode(with_spec("training: {seed: -1}"), overrides=["spec.workers.min=0"])
    assert [(f.line, f.override, f.path) for f in raised.value.faults] == [
        (15, "", "spec.training.seed"),
        (0, "spec.workers.min=0", "spec.workers.min"),
    ]
