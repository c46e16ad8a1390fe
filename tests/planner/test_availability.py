"""What this version does not do is refused by name, and the rest is accepted."""

from __future__ import annotations

import pytest

from graft_api.availability import LIMITS
from graft_api.blueprints import transferjob
from graft_api.decoding import DecodeError, decode
from graft_api.planner import plan
from tests.api.jobs import PRETRAIN, TRANSFER

APPS = "; available: text_classify, text_match"
DATA = "; use a path, example://, https:// or s3://"
REFUSED = (
    ("spec.app.name=chat", f'spec.app.name: "chat" {{}}{APPS}'),
    ("spec.app.name=text_match_dam", f'spec.app.name: "text_match_dam" {{}}{APPS}'),
    (
        "spec.app={name: text_match, variant: dam}",
        'spec.app.variant: "dam" {}'
        "; available: encoder, textcnn of text_classify; single_tower, bicnn of text_match",
    ),
    (
        "spec.app={entrypoint: 'a:B', source: {image: x}}",
        "spec.app.entrypoint: {}; set name to text_classify or text_match",
    ),
    ("spec.method.name=lora", 'spec.method.name: "lora" {}; available: finetune'),
    (
        "spec.model.from={uri: example://bert}",
        'spec.model.from.uri: "example://bert" {}; use a folder, https://, s3:// or hf://',
    ),
    (
        "spec.model.from={config: {architecture: t5}}",
        'spec.model.from.config.architecture: "t5" {}'
        "; available: bert, albert, and auto for any encoder that transformers knows",
    ),
    (
        "spec.model.from={config: {architecture: bert, attention: {rsa: {}}}}",
        "spec.model.from.config.attention.rsa: {}; leave it out for full attention",
    ),
    (
        "spec.model.tokenizer={train: {kind: unigram}}",
        'spec.model.tokenizer.train.kind: "unigram" {}; available: wordpiece, bpe',
    ),
    (
        "spec.model.tokenizer={from: {uri: example://t}}",
        'spec.model.tokenizer.from.uri: "example://t" {}; use a folder, https://, s3:// or hf://',
    ),
    ("spec.data.train.uri=hf://a/b", f'spec.data.train.uri: "hf://a/b" {{}}{DATA}'),
    (
        "spec.data.validation={uris: [a.tsv, 'gs://b']}",
        f'spec.data.validation.uris[1]: "gs://b" {{}}{DATA}',
    ),
    ("spec.data.test={uri: hf://a}", f'spec.data.test.uri: "hf://a" {{}}{DATA}'),
    ("spec.data.prepare.workers=2", "spec.data.prepare.workers: 2 {}; available: 1"),
    (
        "spec.training.optimizer.name=adafactor",
        'spec.training.optimizer.name: "adafactor" {}; available: adamw, lamb, adam, sgd',
    ),
    (
        "spec.output.formats=[safetensors, onnx]",
        'spec.output.formats[1]: "onnx" {}; available: safetensors',
    ),
    (
        "spec.output.uri=s3://models/x",
        'spec.output.uri: "s3://models/x" {}; use a local folder, or leave it out for the store',
    ),
)


@pytest.mark.parametrize(("override", "message"), REFUSED, ids=[o for o, _ in REFUSED])
def test_a_field_that_does_nothing_yet_is_refused(override: str, message: str) -> None:
    with pytest.raises(DecodeError) as raised:
        plan(decode(TRANSFER, overrides=[override]))
    words = "is not available in this version"
    assert raised.value.message == message.replace("{}", words)


def test_every_row_of_the_table_has_a_job_that_it_refuses() -> None:
    said = " ".join(message for _, message in REFUSED)
    paths = {limit.path.replace("[]", "[1]") for limit in (*LIMITS, *transferjob.LIMITS)}
    split_alike = {p for p in paths if p.startswith("spec.data.") and ".uri" in p}
    assert {p for p in paths - split_alike if f"{p}:" not in said} == set()


REFUSED_OF_PRETRAINING = (
    ("spec.objective.name=clm", 'spec.objective.name: "clm" {}; available: mlm, mlm+nsp, mlm+sop'),
    (
        "spec.model.from={config: {architecture: auto}}",
        'spec.model.from.config.architecture: "auto" {}; available: bert, roberta, albert',
    ),
    ("spec.data.prepare.workers=2", "spec.data.prepare.workers: 2 {}; available: 1"),
)


@pytest.mark.parametrize(
    ("override", "message"), REFUSED_OF_PRETRAINING, ids=[o for o, _ in REFUSED_OF_PRETRAINING]
)
def test_a_field_that_does_nothing_yet_in_pretraining_is_refused(
    override: str, message: str
) -> None:
    with pytest.raises(DecodeError) as raised:
        plan(decode(PRETRAIN, overrides=[override]))
    assert raised.value.message == message.replace("{}", "is not available in this version")


def test_a_pretrain_job_has_the_stages_of_every_training() -> None:
    made = plan(decode(PRETRAIN))
    assert [stage.name for stage in made.stages] == ["prepare", "train"]
    assert made.resolved()["spec"]["objective"] == {
        "name": "mlm",
        "wholeWord": True,
        "online": True,
        "probability": 0.15,
    }


def test_all_refusals_come_at_once() -> None:
    overrides = ["spec.method.name=lora", "spec.output.formats=[onnx]"]
    with pytest.raises(DecodeError) as raised:
        plan(decode(TRANSFER, overrides=overrides))
    paths = [fault.path for fault in raised.value.faults]
    assert paths == ["spec.method.name", "spec.output.formats[0]"]


ACCEPTED = (
    "spec.app.name=text_match_bert",
    "spec.app.variant=encoder",
    "spec.model.from={config: {architecture: auto, options: {model_type: roberta}}}",
    "spec.model.from={uri: hf://owner/name}",
    "spec.model.tokenizer={train: {kind: bpe}}",
    "spec.data.train={uris: [/a/*.tsv, ./b, file:///c, example://d, https://e/f, s3://g/h]}",
    "spec.data.train.format=squad",
    "spec.data.validation={fraction: 0.1}",
    "spec.training={optimizer: {name: sgd}, schedule: {name: polynomial}, precision: fp16}",
    "spec.training={compile: always, packing: never, duration: {tokens: 1000}}",
    "spec.workers={min: 1, max: 8, image: x, parallel: {strategy: fsdp}}",
    "spec.workers={min: 1, max: 8, processes: 2, parallel: {strategy: hsdp}}",
    "spec.workers={resources: {gpu: 8}, parallel: {strategy: hsdp}}",
    "spec.workers={desired: 2, parallel: {tensor: 2}}",
    "spec.workers={desired: 4, min: 2, max: 4, processes: 2, parallel: {tensor: 2}}",
    "spec.workers={processes: 4, parallel: {tensor: 2, strategy: hsdp}}",
    "spec.workers={resources: {gpu: 2}, parallel: {tensor: 2, strategy: ddp}}",
    "spec.workers.env=[{name: GRAFT_FAULTS_ENABLED, value: '1'},"
    " {name: GRAFT_FAULT_AT, value: '0:30:raise'}]",
    "spec.run={queue: team-a, priorityClassName: high, suspend: true}",
    "spec.output.uri=file:///models",
)


@pytest.mark.parametrize("override", ACCEPTED)
def test_what_works_or_matters_in_a_cluster_only_is_accepted(override: str) -> None:
    assert plan(decode(TRANSFER, overrides=[override])).kind == "TransferJob"
