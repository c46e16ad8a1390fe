"""Which model a ServeDeployment serves: a new one takes over when it answers, or goes back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, cast

from graft_operator.observed import Referred, Subject

LOAD = timedelta(minutes=10)  # for a model to be read and proven
State = Literal[
    "Waiting", "Preparing", "Step", "Paused", "Promote", "RollingBack", "Stable", "Degraded"
]
BACK = ("RollingBack", "Degraded")  # states of a model that was found unfit


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A folder of weights, and for which `spec.model` it was looked up."""

    uri: str
    source: str
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A model that is not proven yet, or was found unfit."""

    model: Model
    since: datetime  # of the state that it is in
    failed: str = ""  # why it was taken back
    step: int = 0  # of its canary, counted from 1; 0: it takes over at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is to run, and why."""

    state: State
    stable: Model | None  # proven; answers unless nothing ever did
    trial: Trial | None = None
    message: str = ""
    reason: str = ""  # one word for why a canary was taken back, in the look that does it

    @property
    def target(self) -> Model | None:
        """The model of the pods that answer; None: there is none yet."""
        if self.trial is None or (self.trial.failed and self.stable):
            return self.stable
        if self.trial.step and self.state != "Promote":
            return self.stable
        return self.trial.model

    @property
    def canary(self) -> Model | None:
        """The model of the pods that only try it; None: there are to be none."""
        if self.trial is None or not self.trial.step or self.state == "Degraded":
            return None
        return self.trial.model


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """How the pods of the wanted model are."""

    complete: bool = False  # all of them answer, and no other is left
    none: bool = False  # none is wanted, so that nothing can be said
    broken: str = ""  # why one of them never will
    stalled: bool = False  # their Deployment has waited too long for the next of them
    lacking: datetime | None = None  # since when not all of them answer


def source(subject: Subject) -> str:
    """The digest of `spec.model`: a model is looked up again only when this changes."""
    text = json.dumps(subject.spec.get("model") or {}, sort_keys=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def choose(
    subject: Subject, found: Model | None, waits: Referred | None, *, gradual: bool, now: datetime
) -> Choice:
    """The model that is due; `found` is what `spec.model` names now, `waits` what is missing.

    With `gradual` a model goes through the steps of a canary where another answers already.
    """
    key, stable, trial = source(subject), _stable(subject.status), _trial(subject.status)
    steps = gradual and stable is not None
    if stable is not None and stable.source == key:
        return Choice(state="Stable", stable=stable)
    if trial is not None and trial.model.source == key:
        return _resumed(subject.status, stable, trial, steps=steps)
    if found is not None:
        new = Trial(model=found, since=now, step=1 if steps else 0)
        return Choice(state="Preparing", stable=stable, trial=new)
    return Choice(state="Waiting", stable=stable, message=_waits(waits))


def judged(choice: Choice, arrival: Arrival, *, now: datetime) -> Choice:
    """The choice after a look at the pods of a model that takes over at once.

    It is promoted, taken back, or as it was.
    """
    trial = choice.trial
    if trial is None or trial.step or choice.state != "Preparing":
        return choice
    if arrival.complete:
        return Choice(state="Stable", stable=trial.model)
    late = f"it did not answer within {LOAD.seconds // 60} minutes"
    slow = now - trial.since > LOAD and not arrival.none
    why = arrival.broken or (late if slow else "")
    if not why:
        return choice
    failed = Trial(model=trial.model, since=trial.since, failed=why)
    return Choice(state="Degraded", stable=choice.stable, trial=failed, message=why)


def _resumed(
    status: Mapping[str, Any], stable: Model | None, trial: Trial, *, steps: bool
) -> Choice:
    """What was written last. A canary goes on at once where no steps are asked for any more."""
    state = cast(State, status["rollout"]["state"])
    if trial.step and not steps and not trial.failed:
        state, trial = "Preparing", Trial(model=trial.model, since=trial.since)
    return Choice(state=state, stable=stable, trial=trial, message=trial.failed)


def _waits(missing: Referred | None) -> str:
    if missing is None:
        return ""
    state = f"is {missing.phase}" if missing.phase else "does not exist yet"
    return f"{missing.reference.path}: waits for {missing.reference}, which {state}"


def _stable(status: Mapping[str, Any]) -> Model | None:
    return _model(status.get("model") or {})


def _trial(status: Mapping[str, Any]) -> Trial | None:
    told = status.get("rollout") or {}
    model = _model(told)
    if model is None or "stepStartTime" not in told:
        return None
    failed = str(told.get("message") or "") if told.get("state") in BACK else ""
    return Trial(
        model=model,
        since=datetime.fromisoformat(told["stepStartTime"]),
        failed=failed,
        step=int(told.get("step") or 0),
    )


def _model(told: Mapping[str, Any]) -> Model | None:
    if not told.get("uri") or not told.get("source"):
        return None
    return Model(uri=told["uri"], source=told["source"], digest=str(told.get("digest") or ""))
