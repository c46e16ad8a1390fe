"""How far a new model has come, for people: conditions, traffic, events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graft_api.localconditions import timestamp
from graft_operator.observed import Canary, Deployed, Observed, Subject, memory
from graft_operator.outcome import Event
from graft_operator.policies import answers, canary
from graft_operator.policies.canary import ON_TRIAL, Rules, Sight
from graft_operator.policies.rollout import BACK, Choice
from graft_operator.policies.verdict import Finding, false, true

Object = dict[str, Any]

HEALTHY = "CanaryHealthy"
SHOWN = 200  # characters of an event


def block(choice: Choice) -> Object:
    """`status.rollout`."""
    if choice.trial is None:
        return {"state": "Stable" if choice.stable else "Preparing"}
    model = choice.trial.model
    told = {
        "state": choice.state,
        "step": choice.trial.step,
        "uri": model.uri,
        "digest": model.digest,
        "source": model.source,
        "stepStartTime": timestamp(choice.trial.since),
        "message": choice.message[:1000],
    }
    return {key: value for key, value in told.items() if value}


def moved(subject: Subject, choice: Choice) -> bool:
    """Whether a canary begins, goes on or ends: that is written down before it is done."""
    old, new = subject.status.get("rollout") or {}, block(choice)
    gradual = "step" in old or "step" in new
    return gradual and _place(old) != _place(new)


def _place(told: Mapping[str, Any]) -> tuple[Any, ...]:
    return told.get("state"), told.get("step"), told.get("source")


def traffic(seen: Observed, choice: Choice) -> Object | None:
    """Percent of the requests by model: a route's weights, or as many for every pod that answers.

    While the canary's model takes over, stable pods answer with it one after the other.
    """
    if choice.trial is None or not choice.trial.step:
        return None
    stable, tried = seen.deployed or Deployed(), _deployed(seen.canary)
    renewed = _renewed(stable) if choice.state == "Promote" else 0
    everyone = stable.available + tried.available
    if not everyone:
        return {"stable": 0, "canary": 0}
    if seen.route is not None:
        rest = 100 - seen.route.weight
        part = seen.route.weight + round(rest * renewed / max(stable.available, 1))
    else:
        new = tried.available + renewed
        part = canary.share(new, everyone - new)
    return {"stable": 100 - part, "canary": part}


def findings(
    subject: Subject, choice: Choice, rules: Rules, sight: Sight, seen: Observed
) -> dict[str, Finding]:
    """The conditions that a canary adds or says better; none where there never was one."""
    if choice.trial is None or not choice.trial.step:
        known = rules.steps or HEALTHY in memory(subject).conditions
        return {HEALTHY: true("NoCanary", "no canary runs")} if known else {}
    if choice.state in BACK:
        back = true("RollingBack", "the canary's pods go")
        told = {"Progressing": back} if choice.state == "RollingBack" else {}
        gone = {HEALTHY: false(choice.reason, choice.message)} if choice.reason else {}
        return told | gone
    return {HEALTHY: _health(choice, rules, sight), "Progressing": _progress(choice, rules, seen)}


def _health(choice: Choice, rules: Rules, sight: Sight) -> Finding:
    if choice.state not in (*ON_TRIAL, "Promote"):
        return Finding(status="Unknown", reason="Starting", message="its pods are starting")
    seen = sight.answers
    failed, slow = answers.failed_share(seen), answers.quantile(seen, 0.99) * 1000
    text = f"{seen.requests:.0f} requests in this step, {failed:.1%} failed, p99 {slow:.0f} ms"
    if seen.requests < rules.enough and choice.state != "Promote":
        text += f"; {rules.enough} are needed to judge it"
        return Finding(status="Unknown", reason="TooFewRequests", message=text)
    return true("WithinLimits", text)


def _progress(choice: Choice, rules: Rules, seen: Observed) -> Finding:
    stable, tried = seen.deployed or Deployed(), _deployed(seen.canary)
    if choice.state == "Promote":
        text = f"{_renewed(stable)} of {stable.wanted} pods answer with the model of the canary"
        return true("Promoting", text)
    reason, text = _split(choice, rules, stable)
    if choice.state == "Preparing":
        text += f"; {tried.available} pods of the canary answer"
        return true("CanaryStarting", f"{text}; {seen.held}" if seen.held else text)
    if choice.state == "Paused":
        return true("CanaryPaused", f"{text}; it stays so until spec.rollout.paused is false")
    return true(reason, text)


def _split(choice: Choice, rules: Rules, stable: Deployed) -> tuple[str, str]:
    """The step in words, and whether pods can make it."""
    assert choice.trial is not None
    weight = rules.step(choice.trial.step).weight
    count = rules.pods(choice.trial.step, stable.wanted)
    if rules.routed:
        pods = f"{count} pods of the canary"
        text = f"step {choice.trial.step} of {len(rules.steps)}: {weight} %, by a route, {pods}"
        return "CanaryStep", text
    part = canary.share(count, stable.wanted)
    text = f"step {choice.trial.step} of {len(rules.steps)}: {part} %"
    if part == weight:
        return "CanaryStep", f"{text}, {count} of {count + stable.wanted} pods"
    why = f"{count} of {count + stable.wanted} pods come nearest to {weight} %"
    return "CanaryStepRounded", f"{text}: {why}, for every pod gets as many requests"


def _renewed(stable: Deployed) -> int:
    """Pods of the newest template that answer: the old ones all do until they go."""
    return max(0, stable.available - (stable.replicas - stable.updated))


def _deployed(found: Canary | None) -> Deployed:
    return found.deployed if found else Deployed()


def events(subject: Subject, choice: Choice, status: Mapping[str, Any]) -> tuple[Event, ...]:
    """One for each change of the roll-out's state that people want to know of."""
    old = subject.status.get("rollout") or {}
    new = "Stable" if choice.state == "Waiting" and choice.stable else choice.state
    if choice.state == "Waiting" or (new, _step(choice)) == (old.get("state"), old.get("step", 0)):
        return ()
    return _event(choice, status, was=str(old.get("state") or ""))


def _event(choice: Choice, status: Mapping[str, Any], *, was: str) -> tuple[Event, ...]:
    step = _step(choice)
    if choice.state == "Degraded":
        reason = "CanaryRolledBack" if step else "RolledBack"
        return (Event(type="Warning", reason=reason, message=choice.message[:SHOWN]),)
    if choice.state == "Stable" and choice.stable:
        text = f"{choice.stable.uri} answers"
        return (Event(type="Normal", reason="RolledOut", message=text[:SHOWN]),)
    if choice.state == "Step" and was != "Paused":
        text = next(c["message"] for c in status["conditions"] if c["type"] == "Progressing")
        return (Event(type="Normal", reason="CanaryStep", message=text[:SHOWN]),)
    if choice.state == "Preparing" and step < 2:
        text = "a canary of a new model is being made" if step else "a new model is being loaded"
        return (Event(type="Normal", reason="RollingOut", message=text),)
    return ()


def _step(choice: Choice) -> int:
    return choice.trial.step if choice.trial else 0
