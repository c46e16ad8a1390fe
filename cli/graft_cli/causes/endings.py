"""Jobs that have ended: complete, or failed and of what."""

from __future__ import annotations

from .facts import Cause, Facts, sentence


def complete(facts: Facts) -> Cause | None:
    """Nothing is wrong: the model is there."""
    if not facts.holds("Complete"):
        return None
    uri = (facts.status.get("artefact") or {}).get("uri") or "the store"
    return Cause(
        name="Complete",
        says=f"The job is complete; its model is in {uri}.",
        do=(f"graft show {facts.name}",),
    )


def data(facts: Facts) -> Cause | None:
    """The data set is missing, malformed or unfit."""
    return _failed(
        facts,
        reason="DataError",
        says="The data cannot be used: {said}.",
        do=("correct the data, or data.*.columns in the file", "submit under another name"),
    )


def config(facts: Facts) -> Cause | None:
    """The job asks for what cannot be."""
    return _failed(
        facts,
        reason="ConfigError",
        says="The job asks for something that cannot be: {said}.",
        do=("correct the file: graft validate FILE", "submit under another name"),
    )


def image(facts: Facts) -> Cause | None:
    """The image never came."""
    return _failed(
        facts,
        reason="ImagePull",
        says="The image of the workers could not be pulled: {said}.",
        do=("correct workers.image, or give the pods a pull secret", "submit under another name"),
    )


def memory(facts: Facts) -> Cause | None:
    """Out of memory, more than once."""
    if not facts.holds("Failed") or not _out_of_memory(facts):
        return None
    limit = ((facts.spec.get("workers") or {}).get("resources") or {}).get("memory", "4Gi")
    return Cause(
        name="OOMKilled",
        says=f"A worker used more than its {limit} of memory and was killed: {_said(facts)}.",
        do=(
            "raise workers.resources.memory, or lower training.microBatch or data.maxLength",
            "submit under another name",
        ),
    )


def hang(facts: Facts) -> Cause | None:
    """No step was finished in time, again and again."""
    if not facts.holds("Failed") or facts.failure.get("exitCode") != 70:
        return None
    return Cause(
        name="HangDetected",
        says=f"The workers stood still, more often than restarts are allowed: {_said(facts)}.",
        do=(
            f"graft logs {facts.name} --failed    # the stacks of all threads stand at the end",
            "if steps are rightly slow, raise run.deadlines.hang",
        ),
    )


def node(facts: Facts) -> Cause | None:
    """A node is unfit for the gang."""
    if not facts.holds("Failed") or facts.failure.get("exitCode") != 71:
        return None
    return Cause(
        name="BadNode",
        says=f"A node is unfit for this job: {_said(facts)}.",
        do=("tell those who run the cluster", "keep away from the node by workers.podTemplate"),
    )


def store(facts: Facts) -> Cause | None:
    """The store cannot be written or read."""
    if not facts.holds("Failed") or facts.failure.get("exitCode") != 74:
        return None
    return Cause(
        name="StoreError",
        says=f"The store of checkpoints cannot be used: {_said(facts)}.",
        do=(f"see the space that is left: kubectl -n {facts.namespace} get pvc",),
    )


def world(facts: Facts) -> Cause | None:
    """Fewer processes met than the job allows."""
    if not facts.holds("Failed") or facts.failure.get("exitCode") != 69:
        return None
    return Cause(
        name="WorldTooSmall",
        says=f"Too few workers found each other: {_said(facts)}.",
        do=("lower workers.min, or see what kept the others from starting",),
    )


def deadline(facts: Facts) -> Cause | None:
    """Something took longer than the job allows."""
    return _failed(
        facts,
        reason="DeadlineExceeded",
        says="The job took longer than its deadlines allow: {said}.",
        do=("set run.deadlines in the file, and submit under another name",),
    )


def unmarked(facts: Facts) -> Cause | None:
    """The worker ended well, and left no model."""
    return _failed(
        facts,
        reason="ExitedWithoutCompletion",
        says="The worker ended without an error and without a model: {said}.",
        do=("see that workers.image runs the worker of this version, and nothing else",),
    )


def restarts(facts: Facts) -> Cause | None:
    """More failures than the budget."""
    return _failed(
        facts,
        reason="RestartLimit",
        says="The job failed more often than it may start again: {said}.",
        do=(
            f"graft logs {facts.name} --failed",
            "raise run.restarts.max if these failures pass by themselves",
        ),
    )


def crash(facts: Facts) -> Cause | None:
    """Everything else that a worker failed of."""
    if not facts.holds("Failed"):
        return None
    failure = facts.failure
    where = "" if failure.get("worker") is None else f"worker {failure['worker']} "
    step = "" if failure.get("step") is None else f" at step {failure['step']}"
    code = "" if failure.get("exitCode") is None else f" with exit code {failure['exitCode']}"
    return Cause(
        name=facts.reason("Failed") or "Failed",
        says=f"The job failed: {where}ended{step}{code}: {_said(facts)}.",
        do=(
            *((str(failure["hint"]),) if failure.get("hint") else ()),
            f"graft logs {facts.name} --failed",
        ),
    )


def _failed(facts: Facts, *, reason: str, says: str, do: tuple[str, ...]) -> Cause | None:
    if not facts.holds("Failed") or facts.reason("Failed") != reason:
        return None
    hint = facts.failure.get("hint")
    first = (str(hint),) if hint else ()
    return Cause(name=reason, says=says.format(said=_said(facts)), do=(*first, *do))


def _out_of_memory(facts: Facts) -> bool:
    words = (facts.reason("Failed"), (facts.status.get("restarts") or {}).get("lastReason"))
    if "OOMKilled" in words:
        return True
    return any(pod.reason == "OOMKilled" for pod in facts.current())


def _said(facts: Facts) -> str:
    return sentence(
        str(facts.failure.get("message") or facts.message("Failed") or "no word of why")
    )
