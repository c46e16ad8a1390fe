"""Mistakes in one field: kinds, names, types, choices."""

from __future__ import annotations

import pytest

from graft_api.decoding import DecodeError, decode
from tests.api.jobs import TRANSFER, with_line, with_spec

CASES = (
    pytest.param(
        with_line(2, "kind: TransferJop"),
        (
            'line 2: kind: "TransferJop" is not one of PretrainJob, TransferJob, '
            "DistillJob, ServeDeployment; did you mean TransferJob?"
        ),
        id="a misspelt kind",
    ),
    pytest.param(
        with_line(2, "kind: Pod"),
        ('line 2: kind: "Pod" is not one of PretrainJob, TransferJob, DistillJob, ServeDeployment'),
        id="a kind that nobody knows",
    ),
    pytest.param(
        with_line(2, ""),
        ("line 1: kind: is required: PretrainJob or TransferJob or DistillJob or ServeDeployment"),
        id="no kind",
    ),
    pytest.param(
        with_line(1, "apiVersion: graft.dev/v1"),
        (
            'line 1: apiVersion: "graft.dev/v1" is not one of graft.dev/v1alpha1;'
            " did you mean graft.dev/v1alpha1?"
        ),
        id="another version",
    ),
    pytest.param(
        with_line(6, "  ap:"),
        ("line 5: spec.app: is required\nline 6: spec.ap: unknown field; did you mean app?"),
        id="a misspelt section",
    ),
    pytest.param(
        with_spec("training: {lerningRate: 1}"),
        ("line 15: spec.training.lerningRate: unknown field; did you mean optimizer.learningRate?"),
        id="a misspelt field",
    ),
    pytest.param(
        with_spec("training: {global_batch: 8}"),
        ("line 15: spec.training.global_batch: unknown field; did you mean globalBatch?"),
        id="a field in snake case",
    ),
    pytest.param(
        with_spec("checkpoint: {kep: 3}"),
        ("line 15: spec.checkpoint.kep: unknown field; did you mean keep?"),
        id="a field of a small block",
    ),
    pytest.param(
        with_line(7, "    name: text_clasify"),
        (
            'line 7: spec.app.name: "text_clasify" is not one of text_vectorize, '
            "text_classify, text_match, text_comprehension, sequence_label, response_rank, "
            "chat, image_text_match, field_label, rainfall, helpfulness, lexical_relation "
            "and 18 more; did you mean text_classify?"
        ),
        id="an app with a slip",
    ),
    pytest.param(
        with_spec("training: {optimizer: {name: adamv}}"),
        (
            'line 15: spec.training.optimizer.name: "adamv" is not one of adamw, lamb, '
            "adafactor, sgd, adam; did you mean adam?"
        ),
        id="an enum value with a slip",
    ),
    pytest.param(
        with_spec("training: {schedule: {name: step}}"),
        (
            'line 15: spec.training.schedule.name: "step" is not one of constant, linear, '
            "cosine, polynomial"
        ),
        id="a value of a small enum",
    ),
    pytest.param(
        with_spec("training: {compile: on}"),
        ("line 15: spec.training.compile: true is not one of auto, always, never"),
        id="on, which YAML reads as true",
    ),
    pytest.param(
        with_line(9, "    from: {zoo: a, uri: s3://b}"),
        ("line 9: spec.model.from: set exactly one of zoo, uri, job, config"),
        id="two of exactly one",
    ),
    pytest.param(
        with_line(9, "    from: {}"),
        ("line 9: spec.model.from: set exactly one of zoo, uri, job, config"),
        id="none of exactly one",
    ),
    pytest.param(
        TRANSFER.replace("  model:\n    from: {zoo: minilm-l6-en}\n", ""),
        (
            "line 5: spec.model: model is required: this app starts from a pretrained "
            "encoder, for example {from: {zoo: minilm-l6-en}}"
        ),
        id="no model",
    ),
    pytest.param(
        with_spec("training: {duration: {epochs: 3, steps: 10}}"),
        ("line 15: spec.training.duration: set exactly one of epochs, steps, tokens"),
        id="two durations",
    ),
    pytest.param(
        with_spec('training: {globalBatch: "32"}'),
        ('line 15: spec.training.globalBatch: expected a whole number, found "32"'),
        id="a number as text",
    ),
    pytest.param(
        with_spec("training: {globalBatch: 3.5}"),
        ("line 15: spec.training.globalBatch: expected a whole number, found 3.5"),
        id="a fraction where a whole number belongs",
    ),
    pytest.param(
        with_spec("training: {microBatch: many}"),
        ('line 15: spec.training.microBatch: expected auto or a whole number from 1, found "many"'),
        id="a word for micro batch",
    ),
    pytest.param(
        with_spec("training: {microBatch: 64}"),
        ("line 15: spec.training.microBatch: microBatch 64 is larger than globalBatch 32"),
        id="a micro batch above the global one",
    ),
    pytest.param(
        with_spec("training: {optimizer: {learningRate: 0}}"),
        ("line 15: spec.training.optimizer.learningRate: expected more than 0, found 0"),
        id="a learning rate of zero",
    ),
    pytest.param(
        with_spec("training: {optimizer: {momentum: 0.9}}"),
        (
            "line 15: spec.training.optimizer.momentum: momentum has no effect unless name "
            "is sgd; found adamw"
        ),
        id="an option of another optimizer",
    ),
    pytest.param(
        with_spec("training: {schedule: {warmup: 1.5}}"),
        (
            "line 15: spec.training.schedule.warmup: warmup 1.5 is neither a share below 1 "
            "nor a whole number of steps"
        ),
        id="a warm-up that is neither",
    ),
    pytest.param(
        with_spec("training: {seed: -1}"),
        ("line 15: spec.training.seed: expected at least 0, found -1"),
        id="a negative seed",
    ),
    pytest.param(
        TRANSFER.replace("    validation:\n      uri: s3://bucket/dev.tsv\n", "")
        + "  training: {evaluate: {earlyStopping: {}}}\n",
        (
            "line 13: spec.training.evaluate.earlyStopping: training.evaluate.earlyStopping"
            " needs data.validation"
        ),
        id="early stopping without validation",
    ),
    pytest.param(
        with_line(9, "    from: [minilm-l6-en]"),
        ('line 9: spec.model.from: expected a mapping, found ["minilm-l6-en"]'),
        id="a list where a mapping belongs",
    ),
    pytest.param(
        with_spec("output: {formats: {safetensors: true}}"),
        ('line 15: spec.output.formats: expected a list, found {"safetensors": true}'),
        id="a mapping where a list belongs",
    ),
    pytest.param(
        with_spec("run: {suspend: maybe}"),
        ('line 15: spec.run.suspend: expected true or false, found "maybe"'),
        id="text where true or false belongs",
    ),
    pytest.param(
        with_line(7, "    name: [text_classify]"),
        (
            'line 7: spec.app.name: ["text_classify"] is not one of text_vectorize, '
            "text_classify, text_match, text_comprehension, sequence_label, response_rank, "
            "chat, image_text_match, field_label, rainfall, helpfulness, lexical_relation "
            "and 18 more; did you mean text_classify?"
        ),
        id="a list of text for text",
    ),
    pytest.param(
        with_line(12, "      uri: [a.tsv, b.tsv]"),
        (
            'line 12: spec.data.train.uri: expected text (quote it), found ["a.tsv", '
            '"b.tsv"]; for a list write uris'
        ),
        id="uri as a list",
    ),
    pytest.param(
        with_line(7, "    name: text_classify\n    labels: [yes, no]"),
        (
            "line 8: spec.app.labels[0]: expected text or a whole number (quote yes, no, "
            "on, off), found true\n"
            "line 8: spec.app.labels[1]: expected text or a whole number (quote yes, no, "
            "on, off), found false"
        ),
        id="labels that are booleans",
    ),
)


@pytest.mark.parametrize(("text", "message"), CASES)
def test_a_mistake_is_told_with_its_place_and_remedy(text: str, message: str) -> None:
    with pytest.raises(DecodeError) as raised:
        decode(text)
    assert raised.value.message == message
