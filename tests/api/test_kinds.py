"""The jobs of the design pages are accepted, and what does not fit in them is refused."""

from __future__ import annotations

import pytest

from graft_api.decoding import DecodeError, decode
from graft_api.distilljob import DistillJob
from graft_api.pretrainjob import PretrainJob
from graft_api.servedeployment import ServeDeployment
from graft_api.serving import RolloutStep
from tests.api.jobs import DISTILL, PRETRAIN, SERVE, with_spec

RICH_PRETRAIN = with_spec(
    "objective: {name: mlm+sop, wholeWord: true, online: true, probability: 0.15}\n"
    "  training: {duration: {steps: 10000}, globalBatch: 256, optimizer: {name: lamb}}",
    of=PRETRAIN,
)
RICH_SERVE = with_spec(
    """\
replicas: 2
  autoscaling: {min: 1, max: 10, target: {queueDepth: 8}}
  runtime: {name: torch, precision: bf16}
  batching: {maxBatch: 32, maxTokens: auto, maxDelay: 0ms, maxQueue: 256, timeout: 1s}
  recall: {corpus: {uri: "s3://items/*.jsonl"}, index: auto, topK: 100}
  rollout:
    strategy: canary
    steps: [{weight: 10, hold: 2m}, {weight: 50, hold: 5m}]
    maxErrorRate: 0.01
    maxP99: 200ms
  resources: {cpu: "1", memory: 1Gi}
  podTemplate: {}""",
    of=SERVE,
)


def test_a_pretraining_job_is_read_in_full() -> None:
    job = decode(RICH_PRETRAIN)
    assert isinstance(job, PretrainJob)
    assert (job.spec.objective.name, job.spec.objective.probability) == ("mlm+sop", 0.15)
    assert job.spec.training.duration.steps == 10_000


def test_a_teacher_from_the_zoo_may_be_fine_tuned_first() -> None:
    text = DISTILL.replace(
        "{from: {job: {kind: TransferJob, name: reviews}}}",
        "{from: {zoo: google-bert-base-en}, finetune: {duration: {epochs: 2}}}",
    )
    job = decode(text)
    assert isinstance(job, DistillJob)
    assert job.spec.teacher.finetune is not None
    assert job.spec.teacher.finetune.learning_rate == 2e-5


def test_a_searched_student_needs_no_model() -> None:
    text = DISTILL.replace("  student:", "  method: {name: adabert}\n  #")
    job = decode(text)
    assert isinstance(job, DistillJob)
    assert job.spec.student is None


def test_a_deployment_is_read_in_full() -> None:
    job = decode(RICH_SERVE)
    assert isinstance(job, ServeDeployment)
    assert job.spec.rollout.steps == (
        RolloutStep(weight=10, hold="2m"),
        RolloutStep(weight=50, hold="5m"),
    )
    assert job.spec.recall is not None
    assert job.spec.recall.top_k == 100


def test_a_deployment_that_names_some_resources_keeps_its_own_default_of_the_others() -> None:
    job = decode(with_spec("resources: {cpu: 2}", of=SERVE))
    assert isinstance(job, ServeDeployment)
    assert (job.spec.resources.cpu, job.spec.resources.memory) == ("2", "1Gi")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            with_spec("objective: {name: span}", of=PRETRAIN),
            "line 9: spec.objective: model.from.config.architecture does not fit objective.name:"
            " span is for t5, plm for xlnet, fashionbert for imagebert,"
            " mlm for bert, roberta and albert",
            id="an objective for another architecture",
        ),
        pytest.param(
            with_spec("objective: {spanLength: 3}", of=PRETRAIN),
            "line 9: spec.objective.spanLength:"
            " spanLength has no effect unless name is span; found mlm",
            id="an option of another objective",
        ),
        pytest.param(
            DISTILL.replace("  student:", "  #"),
            "line 4: spec.student: student is required,"
            " but for method adabert, which searches its own",
            id="no student",
        ),
        pytest.param(
            with_spec("method: {name: vanilla, tinybert: {}}", of=DISTILL),
            "line 9: spec.method.tinybert:"
            " tinybert has no effect with method vanilla: remove it or set name to tinybert",
            id="parameters of another distillation",
        ),
        pytest.param(
            with_spec("rollout: {strategy: canary}", of=SERVE),
            "line 6: spec.rollout.steps: strategy canary and steps go together: set both or none",
            id="a canary without steps",
        ),
        pytest.param(
            with_spec("rollout: {maxP99: 200ms}", of=SERVE),
            "line 6: spec.rollout.maxP99:"
            " maxP99 has no effect unless strategy is canary; found replace",
            id="a limit of latencies without a canary",
        ),
        pytest.param(
            with_spec("rollout: {paused: true}", of=SERVE),
            "line 6: spec.rollout.paused:"
            " paused has no effect unless strategy is canary; found replace",
            id="a pause without a canary",
        ),
        pytest.param(
            with_spec("runtime: {name: image}", of=SERVE),
            "line 6: spec.runtime.image: image is required with name image",
            id="another server without its image",
        ),
        pytest.param(
            with_spec("autoscaling: {min: 3, max: 2, target: {cpu: 50}}", of=SERVE),
            "line 6: spec.autoscaling.min: min 3 is above max 2",
            id="fewer replicas at most than at least",
        ),
        pytest.param(
            with_spec("autoscaling: {min: 0, max: 2, target: {queueDepth: 8}}", of=SERVE),
            "line 6: spec.autoscaling.min: min 0 with target queueDepth:"
            " pods that are gone have no queue; set min to 1",
            id="nobody who could call the first pod",
        ),
        pytest.param(
            with_spec('gateway: {name: public, path: "/a/../b"}', of=SERVE),
            "line 6: spec.gateway.path: expected / or a path such as /models/reviews,"
            ' found "/a/../b"',
            id="a path that leads elsewhere",
        ),
        pytest.param(
            with_spec("gateway: {name: public, hostnames: [a.example, https://b]}", of=SERVE),
            "line 6: spec.gateway.hostnames[1]: expected a host name in small letters such as"
            ' models.example.com or *.example.com, found "https://b"',
            id="an address for a host name",
        ),
        pytest.param(
            with_spec("workers: {desired: 2}", of=SERVE),
            "line 6: spec.workers: unknown field; known: model, replicas, autoscaling, runtime,"
            " batching, recall, gateway, rollout, resources, podTemplate",
            id="a field of jobs in a deployment",
        ),
    ],
)
def test_what_does_not_fit_is_refused(text: str, message: str) -> None:
    with pytest.raises(DecodeError) as raised:
        decode(text)
    assert raised.value.message == message
