"""Mistakes in the job file and on the command line: told with line and field, nothing written."""

from __future__ import annotations

import pytest

from tests.badinput.desk import JOB, MODEL, Desk, refused

LONG = "a" * 53


def assert_untouched(desk: Desk) -> None:
    """Nothing was read but the job file, so nothing stands in the folder but what was laid."""
    names = {path.name for path in desk.folder.iterdir()}
    assert names <= {"job.yaml", "train.tsv", "dev.tsv"}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        pytest.param(
            "globalBatch",
            "globlBatch",
            ("line 13: spec.training.globlBatch: unknown field", "did you mean globalBatch?"),
            id="a misspelt field",
        ),
        pytest.param(
            "precision: fp32",
            "precision: fp31",
            ('line 13: spec.training.precision: "fp31"', "auto, fp32, bf16, fp16"),
            id="a value that is none of the choices",
        ),
        pytest.param(
            "{config:",
            "{zoo: minilm-l6-en, config:",
            ("line 7: spec.model.from: set exactly one of zoo, uri, job, config",),
            id="two of an exactly-one-of",
        ),
        pytest.param(
            MODEL,
            "{}",
            ("line 7: spec.model.from: set exactly one of zoo, uri, job, config",),
            id="none of an exactly-one-of",
        ),
        pytest.param(
            "epochs: 1",
            "epochs: many",
            ('line 13: spec.training.duration.epochs: expected a number, found "many"',),
            id="a word for a number",
        ),
        pytest.param(
            "maxLength: 16",
            "maxLength: 16\n    maxLength: 32",
            ("line 13: spec.data.maxLength: key is set twice, first in line 12",),
            id="a key that is set twice",
        ),
        pytest.param(
            "name: tiny",
            f"name: {LONG}",
            ("line 3: metadata.name", "longer than 52 characters"),
            id="a name of 53 characters",
        ),
        pytest.param(
            "name: tiny",
            "name: My Job",
            ("line 3: metadata.name: expected lower-case letters", '"My Job"'),
            id="a name with capitals and a space",
        ),
        pytest.param(
            "precision: fp32",
            "optimizer: {learningRate: -0.1}",
            ("line 13: spec.training.optimizer.learningRate: expected more than 0, found -0.1",),
            id="a negative learning rate",
        ),
        pytest.param(
            "precision: fp32",
            "microBatch: 16",
            ("line 13: spec.training.microBatch: microBatch 16 is larger than globalBatch 8",),
            id="a microBatch larger than the globalBatch",
        ),
        pytest.param(
            "heads: 2",
            "heads: 5",
            ("line 7: spec.model.from.config.hidden: hidden 32 must be a multiple of heads 5",),
            id="heads that do not divide the width",
        ),
        pytest.param(
            "kind: TransferJob",
            "kind: TransferJop",
            ('line 2: kind: "TransferJop"', "did you mean TransferJob?"),
            id="a kind that there is not",
        ),
        pytest.param(
            "v1alpha1",
            "v2",
            ('line 1: apiVersion: "graft.dev/v2"', "did you mean graft.dev/v1alpha1?"),
            id="a version of the contract that there is not",
        ),
        pytest.param(
            "  training:",
            "  method: {name: lora}\n  training:",
            ('line 13: spec.method.name: "lora" is not available in this version', "finetune"),
            id="a method that this version does not have",
        ),
        pytest.param(
            MODEL,
            "{job: {kind: TransferJob, name: other}}",
            ("line 7: spec.model.from.job: TransferJob other has not run", "run its file first"),
            id="weights of another job, which nobody has run",
        ),
        pytest.param(
            "  training:",
            "  output: {formats: [safetensors, onnx]}\n  training:",
            ('spec.output.formats[1]: "onnx" is not available in this version', "line 13"),
            id="an export that this version does not have",
        ),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_line(
    desk: Desk, old: str, new: str, words: tuple[str, ...]
) -> None:
    desk.job((old, new))
    refused(desk, desk.run(), "job.yaml: ", *words)
    assert_untouched(desk)


SERVE = """\
apiVersion: graft.dev/v1alpha1
kind: ServeDeployment
metadata: {name: tiny}
spec: {model: {from: {uri: model}}}
"""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param("", ("the file is empty", "`graft init`"), id="an empty file"),
        pytest.param("# later\n", ("the file is empty", "`graft init`"), id="comments only"),
        pytest.param(
            "spec: {a: [1,\nb: }", ("line 2: not valid YAML",), id="a file that is no YAML"
        ),
        pytest.param(
            "train my model please\n",
            ("line 1: expected a mapping", "'train my model please'"),
            id="a sentence instead of a mapping",
        ),
        pytest.param(
            JOB.encode("utf-16"), ("line 1: byte 0xff is not UTF-8",), id="a file in UTF-16"
        ),
        pytest.param(b"\x89PNG\r\n\x1a\n\0\0", ("line 1: byte 0x89 is not UTF-8",), id="a picture"),
        pytest.param(
            JOB + "---\n" + JOB, ("line 14: a second document begins",), id="two jobs in a file"
        ),
        pytest.param("#" * (2**20 + 1), ("larger than 1 MiB",), id="a file over 1 MiB"),
        pytest.param(
            SERVE,
            ("kind: a ServeDeployment is run by a cluster", "graft serve ARTEFACT"),
            id="a kind that only a cluster runs",
        ),
    ],
)
def test_a_file_that_is_no_job_is_told_so(
    desk: Desk, content: str | bytes, words: tuple[str, ...]
) -> None:
    desk.write("job.yaml", content)
    refused(desk, desk.run(), "job.yaml: ", *words)
    assert_untouched(desk)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        pytest.param(
            "training.globlBatch=3",
            ("spec.training.globlBatch: unknown field; did you mean globalBatch?",),
            id="an unknown path",
        ),
        pytest.param(
            "nowhere=3",
            ("spec.nowhere: unknown field; known: ", "training", "data"),
            id="a path that resembles nothing",
        ),
        pytest.param(
            "training.globalBatch=many",
            ('spec.training.globalBatch: expected a whole number, found "many"',),
            id="a bad value",
        ),
        pytest.param(
            "training.globalBatch={",
            ("cannot read the value: not valid YAML",),
            id="a value that is no YAML",
        ),
        pytest.param(
            "training.globalBatch",
            ("expected path=value, such as spec.training.seed=7",),
            id="no value",
        ),
        pytest.param(
            "training.globalBatch=99999999999999999999",
            ("spec.training.globalBatch: expected at most ", "found 99999999999999999999"),
            id="a number out of bounds",
        ),
    ],
)
def test_a_mistake_in_set_names_the_setting(
    desk: Desk, setting: str, words: tuple[str, ...]
) -> None:
    refused(desk, desk.run("--set", setting), "--set ", setting, *words)
    assert_untouched(desk)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(
            ("run", "jop.yaml"), ("jop.yaml: no such file", "graft init"), id="a missing job file"
        ),
        pytest.param(
            ("run", "."), (".: cannot be read: Is a directory",), id="a folder for a job file"
        ),
        pytest.param(
            ("runn", "job.yaml"), ("'runn'", "did you mean `graft run`?"), id="a misspelt verb"
        ),
        pytest.param(
            ("run", "job.yaml", "--stor", "x"),
            ("--stor", "`graft run --help`"),
            id="a misspelt option",
        ),
        pytest.param(
            ("run", "job.yaml", "--metrics-port", "70000"),
            ("--metrics-port", "70000"),
            id="a port that there is not",
        ),
    ],
)
def test_a_mistake_on_the_command_line_is_told(
    desk: Desk, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    refused(desk, desk.graft(*arguments), *words)
    assert_untouched(desk)
