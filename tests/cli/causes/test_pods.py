"""Why pods do not start, and what becomes of those that did."""

from __future__ import annotations

import pytest

from graft_cli.causes.facts import Facts
from graft_cli.causes.table import TABLE, causes
from graft_operator.observed import Pod
from tests.cli.causes.situations import before, event, facts, job, pod, says, stamp

CPU = "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available."
GPU = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."
TAINT = "0/1 nodes are available: 1 node(s) had untolerated taint {gpu: true}."
UNBOUND = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims."
LOST_CLAIM = 'persistentvolumeclaim "corpus" not found.'
PULL = 'Failed to pull image "r/x:1": {why}'


def waits(**state: object) -> Facts:
    """A pod with a node that does not start."""
    return facts(job(), pods=(pod(**({"node": "n1"} | state)),))


def unplaced(words: str, **spec: object) -> Facts:
    """A pod without a node."""
    return facts(job(spec=dict(spec)), pods=(pod(unscheduled=words),))


def pulling(why: str) -> Facts:
    """A pod whose image does not come; the kubelet's first word is in an event."""
    held = pod(node="n1", waiting="ImagePullBackOff", waiting_message="Back-off pulling image")
    return facts(job(), pods=(held,), events=(event("Failed", PULL.format(why=why)),))


def runs(reason: str, message: str = "", *, pods: tuple[Pod, ...] = (), **status: object) -> Facts:
    """A job whose condition Running is False for that reason."""
    return facts(job(conditions=[says("Running", "False", reason, message)], **status), pods=pods)


PLACING = [
    (
        unplaced(LOST_CLAIM),
        "ClaimMissing",
        "Pod reviews-t1-0-x needs claim corpus, and team-a has none.",
    ),
    (
        facts(
            job(),
            pods=(pod(unscheduled=UNBOUND),),
            claims={"graft-store": {"status": {"phase": "Pending"}}},
            events=(
                event(
                    "ProvisioningFailed", "no class fast", about="PersistentVolumeClaim/graft-store"
                ),
            ),
        ),
        "VolumePending",
        "The pods wait for a volume: claim graft-store is not bound: no class fast.",
    ),
    (
        unplaced(GPU, workers={"resources": {"gpu": 2}}),
        "InsufficientGPU",
        "No node has 2 nvidia.com/gpu free for pod reviews-t1-0-x:"
        " 0/3 nodes are available: 3 Insufficient nvidia.com/gpu.",
    ),
    (
        unplaced(CPU),
        "Insufficient",
        "No node has enough cpu free for pod reviews-t1-0-x: 0/3 nodes are available:"
        " 3 Insufficient cpu. preemption: 0/3 nodes are available.",
    ),
    (
        unplaced(TAINT),
        "NoFittingNode",
        "No node takes pod reviews-t1-0-x: 0/1 nodes are available:"
        " 1 node(s) had untolerated taint {gpu: true}.",
    ),
    (
        unplaced("the moon is full"),
        "Unschedulable",
        "Pod reviews-t1-0-x finds no node: the moon is full.",
    ),
    (
        facts(job(), pods=(pod(),)),
        "NotScheduled",
        "Nobody has looked for a node for pod reviews-t1-0-x for 5 min.",
    ),
    (
        pulling("r/x:1: not found"),
        "ImageMissing",
        "There is no such image: pod reviews-t1-0-x:"
        ' Failed to pull image "r/x:1": r/x:1: not found.',
    ),
    (
        pulling("401 Unauthorized"),
        "ImageForbidden",
        "The registry does not let the nodes pull the image: pod reviews-t1-0-x:"
        ' Failed to pull image "r/x:1": 401 Unauthorized.',
    ),
    (
        pulling("dial tcp: i/o timeout"),
        "RegistryUnreachable",
        "The nodes do not reach the registry: pod reviews-t1-0-x:"
        ' Failed to pull image "r/x:1": dial tcp: i/o timeout.',
    ),
    (
        waits(waiting="InvalidImageName", waiting_message='couldn\'t parse image "A B"'),
        "ImagePull",
        'The image cannot be used: pod reviews-t1-0-x: couldn\'t parse image "A B".',
    ),
    (
        waits(waiting="CreateContainerConfigError", waiting_message='secret "s3" not found'),
        "SecretMissing",
        "Pod reviews-t1-0-x needs secret s3, and team-a has none.",
    ),
    (
        waits(
            waiting="CreateContainerConfigError",
            waiting_message="couldn't find key TOKEN in Secret team-a/s3",
        ),
        "KeyMissing",
        "Pod reviews-t1-0-x needs key TOKEN of s3: it has none.",
    ),
    (
        facts(
            job(),
            pods=(pod(node="n1", waiting="ContainerCreating"),),
            events=(event("FailedMount", 'MountVolume.SetUp failed: configmap "rows" not found'),),
        ),
        "ConfigMapMissing",
        "Pod reviews-t1-0-x needs configmap rows, and team-a has none.",
    ),
    (
        facts(
            job(),
            pods=(pod(node="n1", waiting="ContainerCreating"),),
            events=(event("FailedMount", "timed out waiting for the NFS server"),),
        ),
        "FailedMount",
        "A volume of pod reviews-t1-0-x does not come: timed out waiting for the NFS server.",
    ),
    (
        waits(waiting="RunContainerError", waiting_message='exec: "python": not found in $PATH'),
        "RunContainerError",
        'The container of pod reviews-t1-0-x cannot start: exec: "python": not found in $PATH.',
    ),
]
RUNNING = [
    (
        runs("WorkerLost", pods=(pod(node="n3", started=True, node_lost=before(90)),)),
        "NodeLost",
        "Node n3 with pod reviews-t1-0-x has not answered for 90 s.",
    ),
    (
        runs("Disrupted", pods=(pod(node="n3", phase="Failed", reason="Evicted"),)),
        "Evicted",
        "Node n3 ran short of memory or disk and evicted pod reviews-t1-0-x.",
    ),
    (
        runs("WorkerFailed", pods=(pod(started=True, phase="Failed", reason="OOMKilled"),)),
        "OOMKilled",
        "Pod reviews-t1-0-x used more than its 4Gi of memory and was killed.",
    ),
    (
        runs("Disrupted", pods=(pod(started=True, disruption="PreemptionByScheduler"),)),
        "Disrupted",
        "The cluster took pods away: pod reviews-t1-0-x: PreemptionByScheduler.",
    ),
    (
        runs("RendezvousLost", "pod reviews-r1 is gone."),
        "RendezvousLost",
        "The pod in which the workers meet was lost: pod reviews-r1 is gone.",
    ),
    (
        runs("HangDetected", "no step since 11:50"),
        "HangDetected",
        "The workers stood still: no step since 11:50.",
    ),
    (
        runs("WorkerFailed", "KeyError", restarts={"nextTime": stamp(before(-40))}),
        "WorkerFailed",
        "A worker failed: KeyError. The next attempt begins in 40 s.",
    ),
    (
        runs("Starting", restarts={"nextTime": stamp(before(-40)), "lastReason": "UserException"}),
        "BackOff",
        "After UserException the next attempt begins in 40 s.",
    ),
    (
        facts(job(conditions=[says("Progressing", "False", "Stalled", "no step since 11:50")])),
        "Stalled",
        "The workers run and make no steps: no step since 11:50.",
    ),
    (
        facts(job(conditions=[says("Degraded", "True", "ReducedWorld", "1 of 2 train")])),
        "ReducedWorld",
        "The job goes on, but not as asked for: 1 of 2 train.",
    ),
    (
        facts(
            job(conditions=[says("Prepared", "False", "Preparing")]),
            pods=(pod(role="prepare", started=True, node="n1"),),
        ),
        "Preparing",
        "The data is being read and tokenised; training begins when that is done.",
    ),
    (
        runs("Starting", "1 of 2 workers are starting", pods=(pod(node="n1"),)),
        "Starting",
        "The job is starting: 1 of 2 workers are starting (0 of 1 pods have begun).",
    ),
    (
        facts(
            job(
                conditions=[says("Running", "True", "GangFormed", "2 workers train")],
                progress={"step": 4, "totalSteps": 9},
            )
        ),
        "Running",
        "Nothing is wrong: 2 workers train, step 4 of 9.",
    ),
]


@pytest.mark.parametrize(
    ("known", "name", "sentence"),
    [pytest.param(*row, id=row[1]) for row in (*PLACING, *RUNNING)],
)
def test_pods_that_do_not_do_as_they_should(known: Facts, name: str, sentence: str) -> None:
    found = causes(known)[0]
    assert (found.name, found.says) == (name, sentence)
    assert found.do


def test_pods_of_earlier_attempts_hold_nothing_up() -> None:
    old = pod(attempt=1, unscheduled=CPU)
    known = facts(job(attempt=2), pods=(old, pod(attempt=2, uid="u2", node="n1", started=True)))
    assert causes(known)[0].name == "Starting"


def test_the_table_knows_more_than_thirty_causes() -> None:
    assert len(TABLE) == len(set(TABLE)) > 30
