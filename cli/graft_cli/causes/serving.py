"""Deployments: models that are awaited, unfit or taken back, servers that fail or are not ready."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from graft_api.references import references
from graft_operator.observed import Pod

from .facts import Cause, Facts, duration, sentence

# What a job calls otherwise, in the remedies of causes that both have.
FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "workers.env, data.*.credentials or configmap://": "podTemplate",
        "workers.podTemplate": "podTemplate",
        "workers.resources": "resources",
        "workers.desired": "replicas",
        "workers.image and ": "",
        "workers.env": "podTemplate",
        "or data.prepare.resources": "of the file",
    }
)


def in_its_words(cause: Cause) -> Cause:
    """A cause that jobs have as well, with the fields of a deployment in its remedies."""
    return replace(cause, do=tuple(map(_translated, cause.do)))


def _translated(step: str) -> str:
    for field, own in FIELDS.items():
        step = step.replace(field, own)
    return step


def waiting_for_job(facts: Facts) -> Cause | None:
    """The job whose model it serves has not made one yet."""
    if facts.reason("ModelLoaded") != "WaitingForJob":
        return None
    jobs = [f"graft why {r.kind.lower()}/{r.name}" for r in references(facts.raw)]
    return Cause(
        name="WaitingForJob",
        says=f"It serves what a job makes: {sentence(facts.message('ModelLoaded'))}.",
        do=tuple(jobs),
    )


def unfit(facts: Facts) -> Cause | None:
    """The only model that there is cannot be served."""
    if facts.reason("Degraded") != "ModelUnfit":
        return None
    return Cause(
        name="ModelUnfit",
        says=f"The model cannot be served: {sentence(facts.message('Degraded'))}.",
        do=("name another model in spec.model: graft submit",),
    )


def rolled_back(facts: Facts) -> Cause | None:
    """A new model was unfit, and the one before it answers."""
    if facts.reason("Degraded") != "RolledBack":
        return None
    return Cause(
        name="RolledBack",
        says=f"A new model was taken back: {sentence(facts.message('Degraded'))}.",
        do=("name another model in spec.model, or the one that answers: graft submit",),
    )


def scaled_to_zero(facts: Facts) -> Cause | None:
    """Nobody asked for a pod."""
    if facts.reason("Available") != "ScaledToZero":
        return None
    return Cause(
        name="ScaledToZero",
        says="No pod is wanted: spec.replicas is 0.",
        do=(f"kubectl -n {facts.namespace} scale serve/{facts.name} --replicas=1",),
    )


def out_of_memory(facts: Facts) -> Cause | None:
    """A server was killed for memory."""
    pod = next((pod for pod in facts.pods if pod.reason == "OOMKilled" and not pod.ready), None)
    if pod is None:
        return None
    limit = (facts.spec.get("resources") or {}).get("memory", "1Gi")
    return Cause(
        name="OOMKilled",
        says=f"Pod {pod.name} used more than its {limit} of memory and was killed.",
        do=("raise resources.memory: graft submit",),
    )


def crashing(facts: Facts) -> Cause | None:
    """A server ends again and again."""
    pod = next((pod for pod in facts.pods if _crashed(pod)), None)
    if pod is None:
        return None
    code = "" if pod.exit_code is None else f" with exit code {pod.exit_code}"
    said = f": {sentence(pod.words)}" if pod.words else ""
    return Cause(
        name="ServerFailed",
        says=f"The server of pod {pod.name} ended{code}{said}.",
        do=(f"kubectl -n {facts.namespace} logs {pod.name} --previous",),
    )


def held(facts: Facts) -> Cause | None:
    """Pods do not start, in the words of the operator."""
    said = sentence(facts.message("Available"))
    if facts.reason("Available") != "NoReplicas" or said in ("", "no pod answers yet"):
        return None
    return Cause(
        name="NoReplicas",
        says=f"No pod answers: {said}.",
        do=(f"kubectl -n {facts.namespace} describe pods --selector graft.dev/job={facts.name}",),
    )


def proving(facts: Facts) -> Cause | None:
    """A server runs, and reads its model or asks it what it should answer."""
    pods = [pod for pod in facts.pods if pod.started and not pod.ready and not pod.deleting]
    if not pods or facts.holds("Ready"):
        return None
    since = max((facts.now - pod.created).total_seconds() for pod in pods)
    return Cause(
        name="Proving",
        says=(
            f"Pod {pods[0].name} reads its model and compares what it answers with the golden"
            f" examples, for {duration(since)} so far; it is given ten minutes."
        ),
        do=(f"kubectl -n {facts.namespace} logs {pods[0].name}",),
    )


def starting(facts: Facts) -> Cause | None:
    """Pods are being made."""
    if facts.holds("Available") or not facts.status.get("observedGeneration"):
        return None
    return Cause(
        name="Starting",
        says=f"Its pods are being made: {len(facts.pods)} are there, none answers yet.",
        do=(f"graft show serve/{facts.name}",),
    )


def rolling_out(facts: Facts) -> Cause | None:
    """Pods answer, and others are about to take their place."""
    if facts.reason("Progressing") != "RollingOut":
        return None
    said = (facts.message(kind) for kind in ("Available", "Progressing"))
    return Cause(
        name="RollingOut",
        says=f"Nothing is wrong: {'; '.join(map(sentence, said))}.",
        do=(f"graft show serve/{facts.name}",),
    )


def fine(facts: Facts) -> Cause | None:
    """Nothing is wrong."""
    if not facts.holds("Ready"):
        return None
    where = facts.status.get("url")
    return Cause(
        name="Answers",
        says=f"Nothing is wrong: {sentence(facts.message('Available'))} at {where}.",
        do=(f"graft show serve/{facts.name}",),
    )


def _crashed(pod: Pod) -> bool:
    broken = pod.waiting == "CrashLoopBackOff" or pod.exit_code not in (None, 0)
    return broken and not pod.ready and pod.deleting is None
