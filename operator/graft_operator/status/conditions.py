"""The conditions of a job: what this look found, over what was known before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from graft_api.localconditions import timestamp
from graft_operator.observed import Memory
from graft_operator.policies.verdict import Finding, false, true

Object = dict[str, Any]

LONGEST = 1024
FIRST: Mapping[str, Finding] = {
    "Accepted": true("Valid", "the job is valid"),
    "Prepared": false("Preparing", "the data is not read and tokenised yet"),
    "Running": false("WaitingForWorkers", "no worker runs yet"),
    "Progressing": false("NotStarted", "the first step has not ended yet"),
    "Degraded": false("AsExpected", "nothing is out of order"),
    "Suspended": false("NotSuspended", "nobody asked it to stop"),
    "Complete": false("NotComplete", "there is no model yet"),
    "Failed": false("NotFailed", "nothing went wrong"),
}
"""Conditions in the order of status, as they stand before anything happened; Ready leads them."""
RARE = ("Queued", "CanaryHealthy", "Routed", "QueueScaling")  # those that most have no use for


def conditions(
    findings: Mapping[str, Finding],
    memory: Memory,
    *,
    generation: int,
    now: datetime,
    first: Mapping[str, Finding] = FIRST,
) -> list[Object]:
    """All conditions; `lastTransitionTime` changes only with the status of one."""
    kinds = (*first, *_extra(findings, memory))
    known = {kind: _found(kind, findings, memory, first) for kind in kinds}
    known = {"Ready": findings.get("Ready") or _ready(known)} | known
    return [
        _written(kind, finding, memory, generation=generation, now=now)
        for kind, finding in known.items()
    ]


def _extra(findings: Mapping[str, Finding], memory: Memory) -> tuple[str, ...]:
    return tuple(k for k in RARE if k in findings or k in memory.conditions)


def _found(
    kind: str, findings: Mapping[str, Finding], memory: Memory, first: Mapping[str, Finding]
) -> Finding:
    if kind in findings:
        return findings[kind]
    old = memory.conditions.get(kind)
    if old is None:
        return first[kind]
    return Finding(status=old["status"], reason=old["reason"], message=old.get("message", ""))


def _ready(known: Mapping[str, Finding]) -> Finding:
    """The roll-up that `kubectl wait` looks at: as planned, or the leading trouble."""
    for kind in ("Failed", "Suspended"):
        if kind in known and known[kind].status == "True":
            return false(known[kind].reason, known[kind].message)
    return true("AsPlanned", "nothing needs to be done")


def _written(
    kind: str, finding: Finding, memory: Memory, *, generation: int, now: datetime
) -> Object:
    old = memory.conditions.get(kind, {})
    same = old.get("status") == finding.status and "lastTransitionTime" in old
    return {
        "type": kind,
        "status": finding.status,
        "observedGeneration": generation,
        "lastTransitionTime": old["lastTransitionTime"] if same else timestamp(now),
        "reason": finding.reason,
        "message": finding.message[:LONGEST],
    }
