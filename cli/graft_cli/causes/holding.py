"""Jobs that wait because somebody wants it so: a person, a queue, a quota, a rule."""

from __future__ import annotations

import re

from graft_api.references import references

from .facts import Cause, Facts, sentence

QUOTA = re.compile(
    r"exceeded quota: (?P<quota>[^,]+), requested: (?P<asked>\S+), used: (?P<used>\S+),"
    r" limited: (?P<limit>[^\s;]+)"
)


def stopping(facts: Facts) -> Cause | None:
    """A stop was asked for and is under way."""
    asked = (facts.spec.get("run") or {}).get("suspend")
    if not asked or facts.holds("Suspended") or facts.ended:
        return None
    return Cause(
        name="Stopping",
        says=f"The job is being stopped: {_saving(facts)}.",
        do=(f"graft watch {facts.name}",),
    )


def suspended(facts: Facts) -> Cause | None:
    """A person stopped it."""
    if not facts.holds("Suspended") or facts.reason("Suspended") == "Preempted":
        return None
    return Cause(
        name="Suspended",
        says=f"Somebody stopped the job: {sentence(facts.message('Suspended'))}.",
        do=(f"graft resume {facts.name}",),
    )


def preempted(facts: Facts) -> Cause | None:
    """A job of higher priority took its place."""
    if facts.reason("Suspended") != "Preempted" and facts.reason("Queued") != "Evicted":
        return None
    said = facts.message("Suspended") if facts.holds("Suspended") else facts.message("Queued")
    return Cause(
        name="Preempted",
        says=f"Others were more important and took its place: {sentence(said)}.",
        do=("nothing is lost: it goes on from its checkpoint when there is room",),
    )


def waiting_for_job(facts: Facts) -> Cause | None:
    """It starts from what another job has not made yet."""
    if facts.reason("Prepared") != "WaitingForJob" or facts.ended:
        return None
    jobs = [f"graft why {r.kind.lower()}/{r.name}" for r in references(facts.raw)]
    return Cause(
        name="WaitingForJob",
        says=f"The job starts from another's model: {sentence(facts.message('Prepared'))}.",
        do=tuple(jobs),
    )


def queued(facts: Facts) -> Cause | None:
    """Its queue has no room yet."""
    if facts.reason("Queued") != "QuotaPending" or facts.ended:
        return None
    said = (facts.queue.says if facts.queue else "") or facts.message("Queued")
    return Cause(
        name="QuotaPending",
        says=f"The job waits in queue {_queue(facts)}: {sentence(said)}.",
        do=(
            "wait for others to end, or ask for less: workers.resources, workers.desired",
            f"kubectl -n {facts.namespace} get workloads,localqueues",
        ),
    )


def queue_missing(facts: Facts) -> Cause | None:
    """There is no such queue, or no Kueue at all."""
    queue = facts.queue
    if facts.reason("Queued") != "QuotaPending" or facts.ended or queue is None or queue.exists:
        return None
    if not queue.installed:
        return Cause(
            name="KueueMissing",
            says=(
                f"The job waits in queue {_queue(facts)}, and this cluster has no Kueue that could"
                " admit it."
            ),
            do=(
                "leave run.queue out of the file, and submit under another name",
                "or ask those who run the cluster for Kueue",
            ),
        )
    return Cause(
        name="QueueNotFound",
        says=f"The job waits in queue {_queue(facts)}, and {facts.namespace} has none.",
        do=(
            f"kubectl -n {facts.namespace} get localqueues",
            "name one of them in run.queue, and submit under another name",
        ),
    )


def quota(facts: Facts) -> Cause | None:
    """A ResourceQuota refuses the pods."""
    text = next((t for t in facts.refusals() if "exceeded quota" in t), "")
    if not text:
        return None
    found = QUOTA.search(text)
    says = sentence(text)
    if found:
        says = (
            f"asked for {found['asked']}, used already {found['used']}, allowed {found['limit']}"
            f" by ResourceQuota {found['quota']}"
        )
    return Cause(
        name="QuotaExceeded",
        says=f"The namespace's quota has no room for the pods: {says}.",
        do=(
            "lower workers.desired or workers.resources, or end other jobs of the namespace",
            f"kubectl -n {facts.namespace} describe resourcequota",
        ),
    )


def limits(facts: Facts) -> Cause | None:
    """A LimitRange or a quota on fields refuses the pods."""
    marks = ("usage per ", "must specify limits", "must specify requests", "LimitRange")
    return _refused(
        facts,
        marks,
        name="LimitRange",
        says="The namespace's limits refuse the pods: {said}.",
        do=(
            "change workers.resources or data.prepare.resources",
            f"kubectl -n {facts.namespace} describe limitrange",
        ),
    )


def security(facts: Facts) -> Cause | None:
    """The namespace's pod security level refuses the pods."""
    return _refused(
        facts,
        ("violates PodSecurity",),
        name="PodSecurity",
        says="The namespace's pod security level refuses the pods: {said}.",
        do=("take what it names out of workers.podTemplate",),
    )


def admission(facts: Facts) -> Cause | None:
    """A webhook or a policy refuses the pods."""
    return _refused(
        facts,
        ("admission webhook", "ValidatingAdmissionPolicy", "denied the request"),
        name="AdmissionDenied",
        says="A rule of this cluster refuses the pods: {said}.",
        do=("do what the rule asks, or speak to those who made it",),
    )


def priority(facts: Facts) -> Cause | None:
    """The priority class does not exist."""
    return _refused(
        facts,
        ("no PriorityClass with name",),
        name="PriorityClassMissing",
        says="There is no such priority class: {said}.",
        do=("kubectl get priorityclasses", "correct run.priorityClassName"),
    )


def account(facts: Facts) -> Cause | None:
    """The pods' service account does not exist."""
    if not any("serviceaccount" in t.lower() and "not found" in t for t in facts.refusals()):
        return None
    return _refused(
        facts,
        ("not found",),
        name="ServiceAccountMissing",
        says="The pods have no service account: {said}.",
        do=("make the account, or correct the value `serviceAccount` of the chart",),
    )


def rights(facts: Facts) -> Cause | None:
    """The operator may not make what it has to."""
    return _refused(
        facts,
        ("is forbidden: User", "cannot create resource"),
        name="OperatorForbidden",
        says="The operator lacks a right: {said}.",
        do=("upgrade the chart, whose roles hold every right that is needed",),
    )


def refused(facts: Facts) -> Cause | None:
    """Any other refusal of a child."""
    return _refused(
        facts,
        ("",),
        name="ChildCreateFailed",
        says=f"The cluster refuses what the {facts.noun} needs: {{said}}.",
        do=("the operator tries again by itself once the cause is gone",),
    )


def _refused(
    facts: Facts, marks: tuple[str, ...], *, name: str, says: str, do: tuple[str, ...]
) -> Cause | None:
    text = next((t for t in facts.refusals() if any(mark in t for mark in marks)), "")
    return Cause(name=name, says=says.format(said=sentence(text)), do=do) if text else None


def _queue(facts: Facts) -> str:
    return str((facts.spec.get("run") or {}).get("queue"))


def _saving(facts: Facts) -> str:
    return sentence(facts.message("Suspended")) or "its workers save a checkpoint first"
