"""The operator and the job: whether it runs, has seen the job, takes it, is allowed to."""

from __future__ import annotations

from .facts import Cause, Facts, duration, sentence

OPERATOR_PODS = "app.kubernetes.io/name=graft,app.kubernetes.io/component=operator"
LATE = 45.0  # seconds without a renewal after which nobody can be running
HANDED_OVER = 10.0  # seconds in which another replica takes a Lease that was given back
SOON = 20.0  # seconds in which an operator looks at a new job


def removed(facts: Facts) -> Cause | None:
    """Somebody deleted the job and it is not gone yet."""
    if "deletionTimestamp" not in facts.raw["metadata"]:
        return None
    held = ", ".join(facts.raw["metadata"].get("finalizers") or ())
    return Cause(
        name="Deleting",
        says=f"The {facts.noun} is being removed"
        + (f"; it is held by finalizers: {held}." if held else "."),
        do=("whoever set a finalizer has to take it away",) if held else (),
    )


def no_operator(facts: Facts) -> Cause | None:
    """There is no Lease, and nobody has looked at the job."""
    operator = facts.operator
    if operator is None or operator.age is not None or seen(facts):
        return None
    return Cause(
        name="NoOperator",
        says=(
            "No operator runs in this cluster: there is no Lease graft-operator in namespace"
            f" {operator.namespace}, and nobody has looked at the {facts.noun} for"
            f" {duration(facts.age)}."
        ),
        do=(
            f"helm install graft charts/graft -n {operator.namespace} --create-namespace",
            "if it is installed elsewhere: graft why --operator-namespace NS",
        ),
    )


def silent_operator(facts: Facts) -> Cause | None:
    """There is a Lease that nobody renews, or that nobody has taken since it was given back."""
    operator = facts.operator
    if facts.ended or operator is None or operator.age is None:
        return None
    if operator.age < (LATE if operator.holder else HANDED_OVER):
        return None
    silence = duration(operator.age)
    lease = (
        f"{operator.holder} renewed its Lease last {silence} ago"
        if operator.holder
        else f"its Lease was given back {silence} ago"
    )
    pods = f"kubectl -n {operator.namespace} {{}} --selector {OPERATOR_PODS}"
    return Cause(
        name="OperatorSilent",
        says=(
            f"The operator does not run: {lease}. {_going_on(facts)}; nothing is started,"
            " scaled or reported."
        ),
        do=(
            f"{pods.format('get pods')}    # none: install the chart, or raise `replicas`",
            f"{pods.format('logs')} --tail 20",
        ),
    )


def unseen(facts: Facts) -> Cause | None:
    """The operator runs, and has not looked at this job."""
    if facts.status.get("observedGeneration") or facts.ended:
        return None
    if facts.age < SOON:
        ago = duration(facts.age)
        return Cause(
            name="New",
            says=f"The {facts.noun} was made {ago} ago; the operator looks at it soon.",
            do=(f"graft {'show' if facts.noun == 'deployment' else 'watch'} {facts.name}",),
        )
    return Cause(
        name="NotObserved",
        says=(
            f"The operator has not looked at this {facts.noun} for {duration(facts.age)}."
            f" It may be set to leave namespace {facts.namespace} out."
        ),
        do=("see the value `namespaces` of the chart", "see the log of the operator"),
    )


def behind(facts: Facts) -> Cause | None:
    """The operator has seen an older spec."""
    if facts.ended or seen(facts) or not facts.status.get("observedGeneration"):
        return None
    found, wanted = facts.status["observedGeneration"], facts.raw["metadata"].get("generation")
    return Cause(
        name="OperatorBehind",
        says=f"The operator has not looked at the last change yet: it knows {found} of {wanted}.",
        do=("wait some seconds and ask again; then see the log of the operator",),
    )


def elsewhere(facts: Facts) -> Cause | None:
    """Another controller has the job."""
    manager = facts.spec.get("managedBy") or "graft.dev/operator"
    if facts.reason("Accepted") != "ManagedElsewhere" and manager == "graft.dev/operator":
        return None
    return Cause(
        name="ManagedElsewhere",
        says=f"This operator leaves the job to {manager}, as spec.managedBy says.",
        do=("see the worker cluster that Kueue has sent it to",),
    )


def invalid(facts: Facts) -> Cause | None:
    """The operator refuses the spec."""
    if (
        facts.condition("Accepted").get("status") != "False"
        or facts.reason("Accepted") != "Invalid"
    ):
        return None
    return Cause(
        name="Invalid",
        says=f"The operator refuses the {facts.noun}: {sentence(facts.message('Accepted'))}.",
        do=("correct the file; a fixed field needs another name or `graft rm` first",),
    )


def conflict(facts: Facts) -> Cause | None:
    """A child's name is taken."""
    if facts.reason("Ready") != "NameConflict":
        return None
    return Cause(
        name="NameConflict",
        says=f"A name that the {facts.noun} needs is taken: {sentence(facts.message('Ready'))}.",
        do=("remove what has the name, or submit under another name",),
    )


def internal(facts: Facts) -> Cause | None:
    """The operator stumbled over the job."""
    if facts.reason("Ready") != "InternalError":
        return None
    return Cause(
        name="InternalError",
        says=f"The operator stumbled over this {facts.noun}: {sentence(facts.message('Ready'))}.",
        do=("this is not your fault: report it with the log of the operator",),
    )


def _going_on(facts: Facts) -> str:
    return "Pods that answer go on" if facts.noun == "deployment" else "Workers that run go on"


def seen(facts: Facts) -> bool:
    """Whether the operator has looked at the spec as it is."""
    known = facts.status.get("observedGeneration") or 0
    return bool(known >= (facts.raw["metadata"].get("generation") or 1))
