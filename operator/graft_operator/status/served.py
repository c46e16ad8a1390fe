"""The status of a ServeDeployment: which model answers, how many pods do, and what stands still."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from graft_operator.observed import Deployed, Observed, Subject, memory
from graft_operator.policies.rollout import BACK, Choice, Model
from graft_operator.policies.verdict import Finding, false, true
from graft_operator.status import rollouts
from graft_operator.status.conditions import conditions
from graft_operator.version import VERSION

Object = dict[str, Any]

FIRST: Mapping[str, Finding] = {
    "Accepted": true("Valid", "the deployment is valid"),
    "ModelLoaded": false("Loading", "no model has answered yet"),
    "Available": false("NoReplicas", "no pod answers yet"),
    "Progressing": false("NotStarted", "no pod was made yet"),
    "Degraded": false("AsExpected", "nothing is out of order"),
}


def findings(choice: Choice, deployed: Deployed | None, held: str) -> dict[str, Finding]:
    """The conditions that a look gives; `held` is why pods do not start, in one line."""
    found = {"ModelLoaded": _loaded(choice), "Degraded": _degraded(choice)}
    found["Available"] = _available(deployed, held)
    found["Progressing"] = _progressing(choice, deployed)
    found["Ready"] = _ready(found, choice)
    return found


def written(
    subject: Subject,
    found: Mapping[str, Finding],
    *,
    choice: Choice | None,
    seen: Observed,
    now: datetime,
) -> Object:
    """The status as it shall stand."""
    status: Object = dict(subject.status)
    status |= {"observedGeneration": subject.generation, "operatorVersion": VERSION}
    status["conditions"] = conditions(
        found, memory(subject), generation=subject.generation, now=now, first=FIRST
    )
    if choice is not None:
        status["model"] = _model(choice.stable) if choice.stable else None
        status["rollout"] = rollouts.block(choice)
        status["traffic"] = rollouts.traffic(seen, choice)
    deployed = seen.deployed or Deployed()
    status |= {
        "replicas": deployed.replicas,
        "readyReplicas": deployed.ready,
        "selector": f"graft.dev/job={subject.name},graft.dev/kind={subject.kind},"
        "graft.dev/role=server,graft.dev/variant=stable",
        "url": f"http://{subject.name}-serve.{subject.namespace}.svc",
    }
    status["display"] = _display(subject, status, deployed)
    return {key: value for key, value in status.items() if value is not None}


def _loaded(choice: Choice) -> Finding:
    if choice.stable is not None:
        return true("Proven", f"{choice.stable.uri} answers")
    if choice.state == "Waiting":
        return false("WaitingForJob", choice.message)
    if choice.state == "Degraded":
        return false("ModelUnfit", choice.message)
    return false("Loading", "no model has answered yet")


def _degraded(choice: Choice) -> Finding:
    if choice.state not in BACK or choice.trial is None:
        return false("AsExpected", "nothing is out of order")
    rest = f"{choice.stable.uri} goes on" if choice.stable else "nothing answers"
    text = f"{choice.trial.model.uri} was taken back, {rest}; change spec.model: {choice.message}"
    return true("RolledBack" if choice.stable else "ModelUnfit", text)


def _available(deployed: Deployed | None, held: str) -> Finding:
    if deployed is not None and deployed.available:
        return true("Answers", f"{deployed.available} of {deployed.wanted} pods answer")
    if deployed is not None and not deployed.wanted:
        return false("ScaledToZero", "spec.replicas is 0")
    return false("NoReplicas", held or "no pod answers yet")


def _progressing(choice: Choice, deployed: Deployed | None) -> Finding:
    if choice.state == "Preparing":
        return true("RollingOut", "pods of the new model are starting")
    if choice.state == "Waiting":
        return true("WaitingForJob", choice.message)
    if deployed is not None and not deployed.complete:
        return true("RollingOut", f"{deployed.updated} of {deployed.wanted} pods are up to date")
    return false("Complete", "every pod is as it should be")


def _ready(found: Mapping[str, Finding], choice: Choice) -> Finding:
    if found["Degraded"].status == "True":
        return false(found["Degraded"].reason, found["Degraded"].message)
    if found["Available"].status != "True":
        worst = found["ModelLoaded" if choice.state == "Waiting" else "Available"]
        return false(worst.reason, worst.message)
    return true("AsPlanned", "nothing needs to be done")


def _model(model: Model) -> Object:
    name = model.uri.rstrip("/").rpartition("/")[2]
    told = {"name": name[:128], "uri": model.uri, "digest": model.digest, "source": model.source}
    return {key: value for key, value in told.items() if value}


def _display(subject: Subject, status: Object, deployed: Deployed) -> Object:
    origin = (subject.spec.get("model") or {}).get("from") or {}
    job = origin.get("job") or {}
    named = job.get("name") or str(origin.get("uri") or "").rstrip("/").rpartition("/")[2]
    runtime = subject.spec.get("runtime") or {}
    precision, engine = runtime.get("precision", "auto"), runtime.get("name", "auto")
    told = {
        "ready": f"{deployed.available}/{deployed.wanted}",
        "model": named[:128],
        "canary": _canary(status),
        "runtime": f"{engine} {precision}",
    }
    return {key: value for key, value in told.items() if value}


def _canary(status: Object) -> str:
    """The share of the new model, as long as there is a canary."""
    traffic = status.get("traffic") or {}
    return f"{traffic['canary']}%" if traffic and status["rollout"]["state"] not in BACK else ""
