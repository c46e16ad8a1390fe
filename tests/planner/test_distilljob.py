"""The plan of a DistillJob, and what of its fields does nothing yet."""

from __future__ import annotations

import pytest

from graft_api.availability import LIMITS
from graft_api.blueprints import distilljob
from graft_api.decoding import DecodeError, decode
from graft_api.planner import plan

JOB = """\
apiVersion: graft.dev/v1alpha1
kind: DistillJob
metadata: {name: reviews-small}
spec:
  app: {name: text_classify}
  teacher: {from: {uri: pvc://models/reviews}}
  student: {from: {teacher: {layers: 3}}}
  data:
    train: {uri: example://reviews/train.tsv}
    unlabelled: {uri: pvc://texts/reviews.txt, credentials: {secretName: texts}}
"""


def test_both_stages_read_the_teacher_and_only_the_first_the_unlabelled_rows() -> None:
    made = plan(decode(JOB))
    assert [stage.name for stage in made.stages] == ["prepare", "train"]
    assert [[mount.name for mount in stage.mounts] for stage in made.stages] == [
        ["models", "texts"],
        ["models"],
    ]
    assert [stage.secrets for stage in made.stages] == [("texts",), ()]


def test_the_resolved_job_has_every_default_and_the_paths_of_mounts() -> None:
    made = plan(decode(JOB))
    spec = made.resolved()["spec"]
    assert spec["method"] == {
        "name": "vanilla",
        "vanilla": {"temperature": 5.0, "alpha": 0.2, "loss": "kl"},
    }
    assert spec["app"]["variant"] == "encoder"
    (folder,) = (m.path for m in made.stage("train").mounts)
    assert spec["teacher"]["from"]["uri"] == f"{folder}/reviews"
    assert spec["student"]["from"] == {"teacher": {"layers": 3}}


def test_probes_have_their_defaults_written_out() -> None:
    made = plan(decode(JOB, overrides=["spec.method={name: probes, probes: {weight: 0.5}}"]))
    probes = {"probeEpochs": 5, "probeLearningRate": 0.005, "weight": 0.5}
    assert made.resolved()["spec"]["method"] == {"name": "probes", "probes": probes}


APPS = "available: text_classify, text_match"
MODELS = "use a folder, https://, s3:// or hf://"
FIRST = "train it by a TransferJob, then: teacher: {from: {job: {kind: TransferJob, name: NAME}}}"
REFUSED = (
    ("spec.app.name=chat", f'spec.app.name: "chat" {{}}; {APPS}'),
    (
        "spec.app.variant=textcnn",
        'spec.app.variant: "textcnn" {}'
        "; available: encoder of text_classify; single_tower of text_match",
    ),
    (
        "spec.app={entrypoint: 'a:B', source: {image: x}}",
        "spec.app.entrypoint: {}; set name to text_classify or text_match",
    ),
    ("spec.method.name=pkd", 'spec.method.name: "pkd" {}; available: vanilla, probes'),
    (
        "spec.teacher={from: {zoo: minilm-l6-en}, finetune: {}}",
        f"spec.teacher.finetune: {{}}; {FIRST}",
    ),
    (
        "spec.teacher.from={uri: s3://models/a}",
        'spec.teacher.from.uri: "s3://models/a" {}; use a folder of this machine or of a volume',
    ),
    ("spec.teacher.outputs=online", 'spec.teacher.outputs: "online" {}; available: cached'),
    (
        "spec.student.from={uri: example://bert}",
        f'spec.student.from.uri: "example://bert" {{}}; {MODELS}',
    ),
    (
        "spec.student.from={config: {architecture: t5}}",
        'spec.student.from.config.architecture: "t5" {}'
        "; available: bert, albert, and auto for any encoder that transformers knows",
    ),
    (
        "spec.student.from={config: {architecture: bert, attention: {rsa: {}}}}",
        "spec.student.from.config.attention.rsa: {}; leave it out for full attention",
    ),
    (
        "spec.student.tokenizer={train: {kind: unigram}}",
        'spec.student.tokenizer.train.kind: "unigram" {}; available: wordpiece, bpe',
    ),
    (
        "spec.student.tokenizer={from: {uri: example://t}}",
        f'spec.student.tokenizer.from.uri: "example://t" {{}}; {MODELS}',
    ),
    (
        "spec.workers={desired: 2, parallel: {tensor: 2}}",
        "spec.workers.parallel.tensor: 2 {}; available: 1",
    ),
    (
        "spec.data.unlabelled={uri: hf://a}",
        'spec.data.unlabelled.uri: "hf://a" {}; use a path, example://, https:// or s3://',
    ),
)


@pytest.mark.parametrize(("override", "message"), REFUSED, ids=[o for o, _ in REFUSED])
def test_a_field_that_does_nothing_yet_is_refused(override: str, message: str) -> None:
    with pytest.raises(DecodeError) as raised:
        plan(decode(JOB, overrides=[override]))
    words = "is not available in this version"
    assert raised.value.message == message.replace("{}", words)


def test_every_row_of_the_kinds_table_has_a_job_that_it_refuses() -> None:
    said = " ".join(message for _, message in REFUSED)
    assert {limit.path for limit in distilljob.LIMITS if f"{limit.path}:" not in said} == set()
    assert "spec.data.unlabelled.uri" in {limit.path for limit in LIMITS}


@pytest.mark.parametrize(
    "override",
    [
        "spec.student.from={zoo: minilm-l6-en}",
        "spec.student.from={job: {kind: PretrainJob, name: wiki}}",
        "spec.teacher.from={job: {kind: TransferJob, name: reviews}}",
        "spec.teacher.from={zoo: my-judge}",
        "spec.student.from={uri: s3://models/a}",
        "spec.student={from: {config: {architecture: bert}}, tokenizer: {train: {}}}",
        "spec.method={name: vanilla, vanilla: {loss: mse, alpha: 1}}",
        "spec.teacher={from: {uri: /models/a}, outputs: cached}",
        "spec.app.name=text_match_bert",
    ],
)
def test_what_works_is_accepted(override: str) -> None:
    assert plan(decode(JOB, overrides=[override])).kind == "DistillJob"
