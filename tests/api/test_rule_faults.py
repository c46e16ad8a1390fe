"""Mistakes of grammar and of fields that do not fit together."""

from __future__ import annotations

import pytest

from graft_api.decoding import DecodeError, decode
from tests.api.jobs import with_line, with_spec

CASES = (
    pytest.param(
        with_line(7, "    name: text_match\n    variant: textcnn"),
        ("line 8: spec.app.variant: variant textcnn does not belong to app text_match"),
        id="a variant of another app",
    ),
    pytest.param(
        with_line(7, '    entrypoint: "a.b:C"'),
        ("line 6: spec.app.source: entrypoint and source go together: set both or none"),
        id="an entry point without its code",
    ),
    pytest.param(
        with_line(7, '    name: text_match\n    entrypoint: "a.b:C"\n    source: {image: x}'),
        ("line 6: spec.app: set exactly one of name, entrypoint"),
        id="a name and an entry point",
    ),
    pytest.param(
        with_spec("method: {name: drss}"),
        ("line 10: spec.data.source: data.source is required by this method"),
        id="a method that needs sources",
    ),
    pytest.param(
        with_spec("method: {name: lora, adapter: {size: 4}}"),
        (
            "line 15: spec.method.adapter: adapter has no effect with method lora: remove "
            "it or set name to adapter"
        ),
        id="parameters of another method",
    ),
    pytest.param(
        with_line(10, "  data:\n    source: [{name: quora, uri: s3://q}]"),
        ("line 11: spec.data.source: data.source has no effect with this method"),
        id="sources for a method that has none",
    ),
    pytest.param(
        with_spec("workers: {resources: {memory: 4GB}}"),
        (
            "line 15: spec.workers.resources.memory: expected a quantity such as 500m, 2 or"
            ' 4Gi (quote fractions: "0.5"), found "4GB"'
        ),
        id="a quantity with a wrong unit",
    ),
    pytest.param(
        with_spec("workers: {resources: {cpu: 0.5}}"),
        (
            "line 15: spec.workers.resources.cpu: expected a quantity such as 500m, 2 or "
            '4Gi (quote fractions: "0.5"), found 0.5'
        ),
        id="a fraction of a core without quotes",
    ),
    pytest.param(
        with_spec("run: {deadlines: {queue: 1 day}}"),
        (
            "line 15: spec.run.deadlines.queue: expected a duration such as 90s, 1h30m or "
            '7d, found "1 day"'
        ),
        id="a duration in words",
    ),
    pytest.param(
        with_spec("run: {deadlines: {queue: 1d12h}}"),
        (
            "line 15: spec.run.deadlines.queue: expected a duration such as 90s, 1h30m or "
            '7d, found "1d12h"'
        ),
        id="days and hours together",
    ),
    pytest.param(
        with_spec("workers: {desired: 8, max: 4}"),
        ("line 15: spec.workers.desired: desired 8 is above max 4"),
        id="more workers wanted than allowed",
    ),
    pytest.param(
        with_spec("workers: {min: 5, max: 4}"),
        ("line 15: spec.workers.min: min 5 is above max 4"),
        id="a minimum above the maximum",
    ),
    pytest.param(
        with_spec("workers: {desired: 8, parallel: {strategy: hsdp}}"),
        (
            "line 15: spec.workers.parallel.strategy: strategy hsdp shards within a worker:"
            " processes must be twice parallel.tensor, or another multiple of it; or use fsdp"
        ),
        id="shards of workers that are one process each",
    ),
    pytest.param(
        with_spec("workers: {processes: 3, desired: 2, parallel: {strategy: hsdp, tensor: 2}}"),
        (
            "line 15: spec.workers.parallel.strategy: strategy hsdp shards within a worker:"
            " processes must be twice parallel.tensor, or another multiple of it; or use fsdp"
        ),
        id="shards of workers whose layers are split beyond them",
    ),
    pytest.param(
        with_spec("workers: {desired: 3, parallel: {tensor: 2}}"),
        (
            "line 15: spec.workers.parallel.tensor: tensor must divide the processes of a worker,"
            " or all of a gang of fixed size: change processes, or the number of workers"
        ),
        id="a gang that cannot be divided",
    ),
    pytest.param(
        with_spec("workers: {desired: 2, min: 2, max: 4, parallel: {tensor: 2}}"),
        (
            "line 15: spec.workers.parallel.tensor: tensor must divide the processes of a worker,"
            " or all of a gang of fixed size: change processes, or the number of workers"
        ),
        id="a gang that may grow to what cannot be divided",
    ),
    pytest.param(
        with_spec("workers: {desired: 2, parallel: {tensor: 2}}\n  training: {precision: fp16}"),
        (
            "line 16: spec.training.precision: fp16 is not available with"
            " workers.parallel.tensor: use bf16, fp32 or auto"
        ),
        id="split layers in fp16",
    ),
    pytest.param(
        with_spec("workers: {desired: 2, parallel: {tensor: 2}}\n  training: {compile: always}"),
        (
            "line 16: spec.training.compile: layers that are split by workers.parallel.tensor"
            " are not compiled: use auto or never"
        ),
        id="split layers that are to be compiled",
    ),
    pytest.param(
        with_spec("workers: {env: [{name: PET_NNODES, value: '2'}]}"),
        (
            "line 15: spec.workers.env[0].name: PET_NNODES is reserved: names starting with"
            " PET_, TORCHELASTIC_, GRAFT_ and the loader's variables are set by the "
            "operator"
        ),
        id="a reserved variable",
    ),
    pytest.param(
        with_spec(
            "workers: {env: [{name: A, value: b, valueFrom: {secretKeyRef: {name: s, key: k}}}]}"
        ),
        ("line 15: spec.workers.env[0]: set exactly one of value, valueFrom"),
        id="a variable with value and reference",
    ),
    pytest.param(
        with_spec(
            "workers: {podTemplate: {spec: {containers: "
            "[{name: worker, env: [{name: GRAFT_STORE, value: x}]}]}}}"
        ),
        (
            "line 15: spec.workers.podTemplate.spec.containers[0].env[0].name: GRAFT_STORE "
            "is reserved: names starting with PET_, TORCHELASTIC_, GRAFT_ and the loader's "
            "variables are set by the operator"
        ),
        id="a reserved variable in the overlay",
    ),
    pytest.param(
        with_line(9, "    from: {zoo: a}\n    revision: sha256:abc"),
        (
            "line 10: spec.model.revision: expected sha256: and 64 hexadecimal digits, "
            'found "sha256:abc"'
        ),
        id="a digest that is none",
    ),
    pytest.param(
        with_line(9, "    from: {config: {architecture: bert, hidden: 100, heads: 12}}"),
        ("line 9: spec.model.from.config.hidden: hidden 100 must be a multiple of heads 12"),
        id="a hidden width that heads do not divide",
    ),
    pytest.param(
        with_line(4, "  name: " + "a" * 53),
        (
            "line 4: metadata.name: metadata.name is longer than 52 characters, the room "
            "that the names of its pods leave"
        ),
        id="a name that is too long",
    ),
    pytest.param(
        with_line(4, "  name: Reviews"),
        (
            "line 4: metadata.name: expected lower-case letters, digits, - and . with a "
            'letter or digit at both ends, found "Reviews"'
        ),
        id="a name with capitals",
    ),
    pytest.param(
        with_line(4, "  labels: {}"),
        ("line 3: metadata.name: is required"),
        id="no name",
    ),
    pytest.param(
        with_spec("managedBy: kueue.x-k8s.io/multikueue"),
        ("line 5: spec.run.queue: managedBy MultiKueue needs run.queue"),
        id="MultiKueue without a queue",
    ),
    pytest.param(
        with_spec("app: {name: text_match}"),
        ("line 15: spec.app: key is set twice, first in line 6"),
        id="the same key twice",
    ),
    pytest.param(
        with_line(14, "      uri: s3://b\n      fraction: 0.1"),
        ("line 13: spec.data.validation: set exactly one of uri, uris, fraction"),
        id="a validation share and a file",
    ),
    pytest.param(
        with_line(7, "    nme: text_classify") + "  training: {seed: -1}\n  workers: {min: 0}\n",
        (
            "line 7: spec.app.nme: unknown field; did you mean name?\n"
            "line 15: spec.training.seed: expected at least 0, found -1\n"
            "line 16: spec.workers.min: expected at least 1, found 0"
        ),
        id="three mistakes at once",
    ),
)


@pytest.mark.parametrize(("text", "message"), CASES)
def test_a_mistake_is_told_with_its_place_and_remedy(text: str, message: str) -> None:
    with pytest.raises(DecodeError) as raised:
        decode(text)
    assert raised.value.message == message
