"""A stage has ended well: the next one begins, or the job is complete."""

from __future__ import annotations

from datetime import timedelta

from graft_api.vocabulary import FailureClass
from graft_operator.observed import ChildJob
from graft_operator.policies.causes import Cause, words
from graft_operator.policies.completion import marker
from graft_operator.policies.situation import Situation
from graft_operator.policies.verdict import Verdict, false, true
from graft_operator.status import blocks

LOOK_AGAIN = timedelta(seconds=2)


def verdict(s: Situation) -> Verdict | None:
    """What follows from a Job that is complete."""
    if s.job is None or not s.job.complete:
        return None
    return _trained(s, s.job) if s.training else _prepared(s)


def _prepared(s: Situation) -> Verdict:
    said = next((said for pod in s.pods if (said := words(pod)) is not None), None)
    found = {
        "Prepared": true("Validated", "the data was read and tokenised"),
        "Running": false("GangCreated", "the workers are being made"),
    }
    return Verdict(findings=found, create=not s.run["suspend"], blocks=blocks.prepared(said))


def _trained(s: Situation, job: ChildJob) -> Verdict:
    said = marker(s)
    if said is not None:
        over = "no worker is running"
        found = {
            "Complete": true("Succeeded", f"the model is in {said.artefact_uri}"),
            "Running": false("Finished", over),
            "Progressing": false("NotStarted", over),
            "Degraded": false("AsExpected", "nothing is out of order"),
        }
        shown = dict(s.subject.status.get("workers") or {}) | {"ready": job.parallelism}
        made = blocks.complete(s.subject, said) | {"workers": shown}
        return Verdict(findings=found, blocks=made, spent=said.seconds)
    if any(not pod.over for pod in s.pods):
        return Verdict(wake=s.now + LOOK_AGAIN)
    return _unproven(job)


def _unproven(job: ChildJob) -> Verdict:
    cause = Cause(
        failure_class=FailureClass.USER,
        reason="ExitedWithoutCompletion",
        message=f"Job {job.name} succeeded, but no worker said that the model is complete",
        hint="see the logs of its pods: a program that ends early, or another image, does this",
    )
    text = f"{cause.message}; {cause.hint}"
    found = {
        "Failed": true(cause.reason, text),
        "Running": false("Finished", "no worker is running"),
    }
    return Verdict(findings=found, blocks={"failure": blocks.failure(cause)})
