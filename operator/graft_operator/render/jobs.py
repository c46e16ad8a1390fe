"""The Indexed Job of an attempt; written last, it carries the digest of the whole plan."""

from __future__ import annotations

from typing import Any

from graft_api.vocabulary import Annotation, ExitCode
from graft_operator.render.attempt import Attempt, labels, meta
from graft_operator.render.pods import template

Object = dict[str, Any]

QUEUE = "kueue.x-k8s.io/queue-name"
PER_INDEX = 3  # failures of one index of an elastic gang
FINAL = (int(ExitCode.CONFIG), int(ExitCode.DATA))


def indexed_job(attempt: Attempt) -> tuple[Object, ...]:
    """The batch Job of the stage."""
    labelled = labels(attempt, attempt.role)
    if queue := attempt.run.get("queue"):
        labelled[QUEUE] = queue
    metadata = meta(attempt, attempt.name, labelled)
    metadata["annotations"] = {Annotation.PLAN: attempt.plan.digest()} | _queue_notes(attempt)
    spec: Object = {
        "completionMode": "Indexed",
        "completions": attempt.size,
        "parallelism": attempt.size,
        "podFailurePolicy": {"rules": _failure_rules(attempt)},
        "podReplacementPolicy": "Failed",
        "template": template(attempt),
    }
    spec |= _backoff(attempt)
    if attempt.role == "worker":
        rule = {"succeededIndexes": "0", "succeededCount": 1}
        spec["successPolicy"] = {"rules": [rule]}
    if attempt.run.get("queue"):
        spec["suspend"] = True
    return ({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec},)


def _backoff(attempt: Attempt) -> Object:
    """An elastic gang survives lost indexes; of a fixed one the first loss ends the attempt.

    The Job controller waits ten seconds and more before it replaces a pod: a new attempt does not.
    Without a limit of failed indexes, which could never be more than the smallest size.
    """
    return {"backoffLimitPerIndex": PER_INDEX} if attempt.elastic else {"backoffLimit": 0}


def _failure_rules(attempt: Attempt) -> list[Object]:
    lost = {"type": "DisruptionTarget", "status": "True"}
    bad_node = "FailIndex" if attempt.elastic else "FailJob"
    return [
        {"action": "Ignore", "onPodConditions": [lost]},
        _on_codes("FailJob", FINAL),
        _on_codes(bad_node, (int(ExitCode.NODE),)),
        _on_codes("Ignore", (int(ExitCode.STOPPED),)),
    ]


def _on_codes(action: str, codes: tuple[int, ...]) -> Object:
    on = {"containerName": "worker", "operator": "In", "values": list(codes)}
    return {"action": action, "onExitCodes": on}


def _queue_notes(attempt: Attempt) -> dict[str, str]:
    if not attempt.run.get("queue") or not attempt.elastic:
        return {}
    return {
        "kueue.x-k8s.io/job-min-parallelism": str(attempt.stage.gang.min),
        "kueue.x-k8s.io/job-completions-equal-parallelism": "true",
    }
