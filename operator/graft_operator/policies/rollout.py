"""Which model a ServeDeployment serves: a new one takes over when it answers, or goes back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from graft_operator.observed import Referred, Subject

LOAD = timedelta(minutes=10)  # for a model to be read and proven
State = Literal["Waiting", "Preparing", "Stable", "Degraded"]


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
    since: datetime
    failed: str = ""  # why it was taken back


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is to run, and why."""

    state: State
    stable: Model | None  # proven; answers unless nothing ever did
    trial: Trial | None = None
    message: str = ""

    @property
    def target(self) -> Model | None:
        """The model whose pods are wanted; None: there is none yet."""
        if self.trial is None or (self.trial.failed and self.stable):
            return self.stable
        return self.trial.model


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """How the pods of the wanted model are."""

    complete: bool = False  # all of them answer, and no other is left
    none: bool = False  # none is wanted, so that nothing can be said
    broken: str = ""  # why one of them never will


def source(subject: Subject) -> str:
    """The digest of `spec.model`: a model is looked up again only when this changes."""
    text = json.dumps(subject.spec.get("model") or {}, sort_keys=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def choose(
    subject: Subject, found: Model | None, waits: Referred | None, *, now: datetime
) -> Choice:
    """The model that is due; `found` is what `spec.model` names now, `waits` what is missing."""
    key, stable, trial = source(subject), _stable(subject.status), _trial(subject.status)
    if stable is not None and stable.source == key:
        return Choice(state="Stable", stable=stable)
    if trial is not None and trial.model.source == key:
        state: State = "Degraded" if trial.failed else "Preparing"
        return Choice(state=state, stable=stable, trial=trial, message=trial.failed)
    if found is not None:
        return Choice(state="Preparing", stable=stable, trial=Trial(model=found, since=now))
    return Choice(state="Waiting", stable=stable, message=_waits(waits))


def judged(choice: Choice, arrival: Arrival, *, now: datetime) -> Choice:
    """The choice after a look at the pods: promoted, taken back, or as it was."""
    trial = choice.trial
    if trial is None or choice.state != "Preparing":
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
    failed = str(told.get("message") or "") if told.get("state") == "Degraded" else ""
    return Trial(model=model, since=datetime.fromisoformat(told["stepStartTime"]), failed=failed)


def _model(told: Mapping[str, Any]) -> Model | None:
    if not told.get("uri") or not told.get("source"):
        return None
    return Model(uri=told["uri"], source=told["source"], digest=str(told.get("digest") or ""))
