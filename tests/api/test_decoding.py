"""Jobs that are right: what is read, what is filled in, what survives a round trip."""

from __future__ import annotations

import json

import pytest
import yaml

from graft_api.decoding import DecodeError, Fault, decode, decode_json, locate
from graft_api.kinds import KINDS
from graft_api.model import Origin
from graft_api.resources import Resources
from graft_api.training import EvaluationInterval, Length, Optimizer, Schedule
from graft_api.transferjob import TransferJob
from graft_api.workers import Workers
from tests.api.jobs import SHORTEST, TRANSFER, with_line, with_spec

RICH = """\
apiVersion: graft.dev/v1alpha1
kind: TransferJob
metadata: {name: rich, namespace: lab, labels: {team: a}, resourceVersion: "12"}
spec:
  app: {name: text_match, labels: [0, 1, maybe], params: {depth: {of: 3}}}
  model:
    from: {config: {architecture: bert, layers: 2, hidden: 128, heads: 2, options: {a: 1}}}
    tokenizer: {train: {kind: bpe, size: 8000}}
  method: {name: finetune, finetune: {freezeLayers: 2, layerDecay: 0.9}}
  data:
    train:
      uris: [a.tsv, "b/*.tsv"]
      columns: {text_a: premise}
      schema: "label:str:1,text:str:1"
      credentials: {secretName: keys}
    validation: {fraction: 0.1}
    maxLength: 64
  training:
    duration: {steps: 100}
    microBatch: 8
    optimizer: {name: lamb, learningRate: 3e-4}
    schedule: {name: polynomial, power: 2, warmup: 100}
    evaluate: {every: {steps: 10}, metric: f1, mode: max, earlyStopping: {patience: 2}}
  workers:
    min: 2
    max: 4
    resources: {cpu: 2, memory: 1Gi}
    env: [{name: A, value: ""}, {name: B, valueFrom: {configMapKeyRef: {name: c, key: k}}}]
    podTemplate:
      spec:
        nodeSelector: {disk: ssd}
        containers: [{name: worker, env: [{name: A, value: b}], tty: true}]
  checkpoint: {every: {steps: 10}}
  run:
status: {phase: Running, newerField: 1}
"""


def _transfer(text: str) -> TransferJob:
    job = decode(text)
    assert isinstance(job, TransferJob)
    return job


@pytest.mark.parametrize("kind", KINDS)
def test_the_shortest_job_of_each_kind_is_read_as_that_kind(kind: str) -> None:
    assert decode(SHORTEST[kind]).kind == kind


def test_what_the_file_leaves_out_has_the_contract_s_defaults() -> None:
    spec = _transfer(TRANSFER).spec
    assert spec.training.duration == Length(epochs=3)
    assert spec.training.optimizer == Optimizer(name="adamw", learning_rate=3e-5, weight_decay=0.01)
    assert spec.training.schedule == Schedule(name="linear", warmup=0.1)
    assert spec.training.evaluate.every == EvaluationInterval(epochs=1)
    assert (spec.training.global_batch, spec.training.micro_batch) == (32, "auto")
    assert (spec.training.precision, spec.training.compile) == ("auto", "auto")
    assert (spec.training.seed, spec.data.max_length) == (42, 128)
    assert spec.workers == Workers(resources=Resources(cpu="1", memory="4Gi"))
    assert (spec.checkpoint.every, spec.checkpoint.keep) == (None, 3)
    assert (spec.run.deadlines.active, spec.run.ttl_after_finished) == ("7d", "7d")


def test_every_part_of_a_rich_job_is_read_as_it_was_written() -> None:
    spec = _transfer(RICH).spec
    assert spec.app.labels == ("0", "1", "maybe")
    assert spec.app.params == {"depth": {"of": 3}}
    assert spec.data.train.uris == ("a.tsv", "b/*.tsv")
    assert spec.training.optimizer.learning_rate == 3e-4
    assert spec.workers.resources.cpu == "2"
    assert spec.workers.env[1].value_from is not None
    assert spec.run.restarts.max == 3
    overlay = spec.workers.pod_template.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert overlay == yaml.safe_load(RICH)["spec"]["workers"]["podTemplate"]


@pytest.mark.parametrize("text", [*SHORTEST.values(), RICH], ids=[*KINDS, "a rich job"])
def test_a_job_survives_canonical_json(text: str) -> None:
    job = decode(text)
    canonical = job.model_dump_json(by_alias=True, exclude_none=True)
    again = decode_json(canonical)
    assert again == job
    assert again.model_dump_json(by_alias=True, exclude_none=True) == canonical


def test_bytes_with_a_byte_order_mark_and_windows_line_ends_read_the_same() -> None:
    windows = b"\xef\xbb\xbf" + TRANSFER.replace("\n", "\r\n").encode()
    assert decode(windows) == decode(TRANSFER)


def test_numbers_words_and_empty_values_are_read_as_kubectl_reads_them() -> None:
    text = with_spec(
        "app: {name: text_classify, params: {a: 3e-5, b: 12:30, c: 2026-01-01, d: 1_000}}"
    )
    job = _transfer(text.replace("  app:\n    name: text_classify\n", ""))
    assert job.spec.app.params == {"a": 3e-5, "b": "12:30", "c": "2026-01-01", "d": 1000}
    assert _transfer(with_spec("training:")).spec.training == _transfer(TRANSFER).spec.training


def test_python_code_may_use_its_own_names() -> None:
    assert Origin(zoo="minilm-l6-en").zoo == "minilm-l6-en"
    assert Length(epochs=2).model_dump(exclude_none=True) == {"epochs": 2}


def test_faults_are_values_in_the_order_of_the_file() -> None:
    text = with_line(7, "    nme: x") + "  workers: {min: 0}\n"
    with pytest.raises(DecodeError) as raised:
        decode(text)
    assert raised.value.faults == (
        Fault(path="spec.app.nme", line=7, message="unknown field; did you mean name?"),
        Fault(path="spec.workers.min", line=15, message="expected at least 1, found 0"),
    )


def test_json_names_fields_without_lines() -> None:
    data = json.dumps(yaml.safe_load(with_spec("training: {seed: -1}")))
    with pytest.raises(DecodeError) as raised:
        decode_json(data)
    assert raised.value.message == "spec.training.seed: expected at least 0, found -1"


def test_faults_found_later_are_given_the_lines_of_the_file() -> None:
    later = DecodeError(
        [
            Fault(path="spec.training.optimizer.name", line=0, message="a"),
            Fault(path="spec.data.train.uri", line=0, message="b"),
        ]
    )
    assert locate(later, TRANSFER).message == (
        "line 5: spec.training.optimizer.name: a\nline 12: spec.data.train.uri: b"
    )
