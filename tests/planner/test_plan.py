"""A job, said in a sentence, and the Plan it gives, in full."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from graft_api.decoding import decode
from graft_api.plan import Budget, Gang, Mount, Plan, Resources, Stage, Variable
from graft_api.planner import plan
from tests.api.jobs import TRANSFER, with_spec

BUDGET = Budget(restarts=3, window_seconds=3600.0, start_seconds=1800.0, active_seconds=7 * 86400.0)
ONE_CORE = Resources(cpu="1", memory="4Gi")
ONE_THREAD = Variable(name="OMP_NUM_THREADS", value="1")


def _prepare(**changes: object) -> Stage:
    values: dict[str, object] = {
        "name": "prepare",
        "argv": ("python", "-m", "graft_worker", "prepare"),
        "gang": Gang(),
        "resources": ONE_CORE,
        "budget": BUDGET,
        "env": (ONE_THREAD,),
    }
    return Stage(**(values | changes))  # type: ignore[arg-type]  # values of each field's own type


def _train(**changes: object) -> Stage:
    values: dict[str, object] = {
        "name": "train",
        "argv": ("python", "-m", "graft_worker", "launch"),
        "gang": Gang(),
        "resources": ONE_CORE,
        "budget": BUDGET,
        "env": (ONE_THREAD,),
        "needs": ("prepare",),
    }
    return Stage(**(values | changes))  # type: ignore[arg-type]  # values of each field's own type


def _plan(spec: str = "", *overrides: str) -> Plan:
    return plan(decode(with_spec(spec) if spec else TRANSFER, overrides=overrides))


CASES = (
    pytest.param("", (), (_prepare(), _train()), id="the shortest job has one worker on one core"),
    pytest.param(
        "workers: {desired: 3}",
        (),
        (_prepare(), _train(gang=Gang(min=3, max=3, desired=3))),
        id="without max the gang has exactly the desired size",
    ),
    pytest.param(
        "workers: {min: 2, max: 4, desired: 3}",
        (),
        (_prepare(), _train(gang=Gang(min=2, max=4, desired=3))),
        id="with max the gang is elastic",
    ),
    pytest.param(
        "workers: {min: 2, max: 4}",
        (),
        (_prepare(), _train(gang=Gang(min=2, max=4, desired=2))),
        id="desired below min counts as min",
    ),
    pytest.param(
        "workers: {resources: {cpu: 16, memory: 64Gi, gpu: 4, gpuResource: amd.com/gpu}}",
        (),
        (
            _prepare(),
            _train(
                gang=Gang(processes=4),
                resources=Resources(cpu="16", memory="64Gi", gpu=4, gpu_resource="amd.com/gpu"),
                env=(Variable(name="OMP_NUM_THREADS", value="4"),),
            ),
        ),
        id="a process for every accelerator shares the cores",
    ),
    pytest.param(
        "workers: {processes: 3, resources: {cpu: 7500m}}",
        (),
        (
            _prepare(),
            _train(
                gang=Gang(processes=3),
                resources=Resources(cpu="7500m", memory="4Gi"),
                env=(Variable(name="OMP_NUM_THREADS", value="2"),),
            ),
        ),
        id="threads are whole cores of each process",
    ),
    pytest.param(
        "workers: {resources: {cpu: 500m}}",
        (),
        (_prepare(), _train(resources=Resources(cpu="500m", memory="4Gi"))),
        id="half a core still has one thread",
    ),
    pytest.param(
        "workers: {env: [{name: B, valueFrom: {secretKeyRef: {name: s, key: k}}},"
        " {name: A, value: ''}, {name: OMP_NUM_THREADS, value: '7'}]}",
        (),
        (
            _prepare(
                env=(
                    Variable(name="A"),
                    Variable(
                        name="B",
                        value_from='{"secretKeyRef":{"name":"s","key":"k","optional":false}}',
                    ),
                    Variable(name="OMP_NUM_THREADS", value="7"),
                )
            ),
            _train(
                env=(
                    Variable(name="A"),
                    Variable(
                        name="B",
                        value_from='{"secretKeyRef":{"name":"s","key":"k","optional":false}}',
                    ),
                    Variable(name="OMP_NUM_THREADS", value="7"),
                )
            ),
        ),
        id="a user's variables win and are sorted",
    ),
    pytest.param(
        "run: {restarts: {max: 1, window: 90m}, deadlines: {start: 45s, active: 1h30m}}",
        (),
        (
            _prepare(
                budget=Budget(
                    restarts=1, window_seconds=5400.0, start_seconds=45.0, active_seconds=5400.0
                )
            ),
            _train(
                budget=Budget(
                    restarts=1, window_seconds=5400.0, start_seconds=45.0, active_seconds=5400.0
                )
            ),
        ),
        id="restarts and deadlines are the budget in seconds",
    ),
    pytest.param(
        "",
        (
            "spec.data.train={uris: [pvc://claim/a.tsv, 'pvc://claim/b/*.tsv'],"
            " credentials: {secretName: z}}",
            "spec.data.validation={uri: configmap://rows/dev.tsv, credentials: {secretName: a}}",
            "spec.data.test={uri: s3://b/c, credentials: {secretName: z}}",
            "spec.model.from={uri: pvc://models/bert}",
        ),
        (
            _prepare(
                mounts=(
                    Mount(kind="configmap", name="rows", path="/graft/volumes/configmap/rows"),
                    Mount(kind="pvc", name="claim", path="/graft/volumes/pvc/claim"),
                    Mount(kind="pvc", name="models", path="/graft/volumes/pvc/models"),
                ),
                secrets=("a", "z"),
            ),
            _train(mounts=(Mount(kind="pvc", name="models", path="/graft/volumes/pvc/models"),)),
        ),
        id="volumes and secrets go to the stages that read them",
    ),
    pytest.param(
        "",
        ("spec.data.prepare.resources={cpu: 8, memory: 32Gi}",),
        (
            _prepare(
                resources=Resources(cpu="8", memory="32Gi"),
                env=(Variable(name="OMP_NUM_THREADS", value="8"),),
            ),
            _train(),
        ),
        id="the prepare stage has resources of its own",
    ),
)


@pytest.mark.parametrize(("spec", "overrides", "stages"), CASES)
def test_the_stages_of_a_job(
    spec: str, overrides: Sequence[str], stages: tuple[Stage, ...]
) -> None:
    assert _plan(spec, *overrides).stages == stages


def test_volumes_are_named_by_their_path_in_the_resolved_job() -> None:
    made = _plan("", "spec.data.train={uris: [pvc://claim/a/*.tsv, s3://b/c]}")
    assert made.resolved()["spec"]["data"]["train"]["uris"] == [
        "/graft/volumes/pvc/claim/a/*.tsv",
        "s3://b/c",
    ]


@pytest.mark.parametrize(
    ("alias", "app"),
    [
        pytest.param(
            "text_classify_bert",
            {"name": "text_classify", "variant": "encoder", "params": {}, "labels": []},
            id="EasyTransfer's classifier",
        ),
        pytest.param(
            "text_classify_multi_label",
            {
                "name": "text_classify",
                "variant": "encoder",
                "params": {"multiLabel": True},
                "labels": [],
            },
            id="EasyNLP's multi-label classifier",
        ),
        pytest.param(
            "text_match_bert",
            {"name": "text_match", "variant": "single_tower", "params": {}, "labels": []},
            id="EasyTransfer's matcher",
        ),
    ],
)
def test_aliases_are_resolved(alias: str, app: dict[str, object]) -> None:
    assert _plan("", f"spec.app.name={alias}").resolved()["spec"]["app"] == app


def test_the_resolved_job_has_every_default_and_nothing_of_the_cluster() -> None:
    text = TRANSFER.replace("  name: reviews", "  name: reviews\n  namespace: lab\n  uid: u-1")
    resolved = plan(decode(text + "status: {phase: Running}\n")).resolved()
    assert resolved["metadata"] == {"name": "reviews"}
    assert "status" not in resolved
    assert resolved["spec"]["checkpoint"] == {
        "every": {"minutes": 10},
        "keep": 3,
        "onSignal": True,
    }
    assert resolved["spec"]["method"] == {
        "name": "finetune",
        "finetune": {"freezeLayers": 0, "layerDecay": 1.0},
    }
